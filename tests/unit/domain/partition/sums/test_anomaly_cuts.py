"""Anomalies are a function of the log, wherever it is cut into calls, commits and owners."""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any

import pytest

from gridwatch.domain.anomalies.anomaly import KINDS, Anomaly
from gridwatch.domain.instants import format_instant
from gridwatch.domain.outputs import Output
from gridwatch.domain.policy import DAY, HOUR, MINUTE, SECOND, Policy
from gridwatch.domain.reading import LogRecord
from tests.unit.domain.log import LATER, Log, at, stamp

INTERVALS = {"A": 900, "B": 1800, "C": 3600, "D": 900, "E": 86_400, "F": 300}
DAYS = 11
START = "2024-03-25T00:00:00"  # the clocks change within


def policy(seed: int) -> Policy:
    draw = random.Random(seed)
    return Policy(
        partitions=1,
        windows=draw.choice([(MINUTE, 15 * MINUTE), (15 * MINUTE,), ()]),
        regional=draw.random() < 0.5,
        judges=True,
        judged_window=draw.choice([15 * MINUTE, 15 * MINUTE, MINUTE, None]),
        timezone=draw.choice(["UTC", "Europe/London"]),
        anchor=draw.choice(["start", "start", "end"]),
        state_ttl=draw.choice([2 * DAY, 7 * DAY]),
        hot_readings=4,
        block_readings=5,
    )


def disturbed(draw: random.Random) -> list[tuple[int, int, str]]:
    """Some times in seconds, and what is wrong in them."""
    kinds = ("spike", "drop", "flat", "zero", "volts", "hertz", "factor", "shift", "out", "back", "export")
    found = []
    for _ in range(8):
        begin = draw.randrange(3 * 86_400, DAYS * 86_400)
        long = draw.choice([900, 3600, 10_800, 30_000, 100_000, 200_000])
        found.append((begin, begin + long, draw.choice(kinds)))
    return found


def values(kind: str | None, watts: float, draw: random.Random) -> dict[str, Any]:
    """The fields of a reading."""
    power, fields = watts + draw.randrange(100), {}
    if kind == "spike":
        power *= draw.choice([1.5, 3, 6, 20])
    elif kind == "drop":
        power /= draw.choice([1.5, 3, 6, 20])
    elif kind == "flat":
        power = watts
    elif kind == "zero":
        power = 0.0
    elif kind == "shift":
        power += 1500
    elif kind == "export":
        fields["power_kw"] = -power / 1000
    fields["consumption_kwh"] = power
    if draw.random() < 0.5 or kind in {"volts", "hertz", "factor"}:
        fields["voltage"] = 230 * (1.12 if kind == "volts" else 1)
        fields["frequency"] = 50 * (0.985 if kind == "hertz" else 1)
        fields["power_factor"] = 0.7 if kind == "factor" else 0.95
    return fields


def log_of(seed: int) -> list[tuple[str, dict[str, Any]]]:
    """Readings of some kinds of meters over days, about in order of time."""
    draw = random.Random(seed)
    items: list[tuple[float, str, dict[str, Any]]] = []
    for meter, seconds in INTERVALS.items():
        wrong, watts = disturbed(draw), draw.choice([30, 300, 900])
        for time in range(0, DAYS * 86_400, seconds):
            kind = next((name for begin, end, name in wrong if begin <= time < end), None)
            if kind in {"out", "back"} and kind == "out":
                continue
            usual = watts * (1 + time // 3600 % 24 // 6)
            fields = values(kind, usual, draw)
            fields["consumption_kwh"] = round(fields["consumption_kwh"] / 1000 * seconds / 3600, 6)
            fields |= {"interval_seconds": seconds, "time": time, "region": "X"}
            late = draw.choice([600, 1500, 3300]) if draw.random() < 0.05 else 0
            if draw.random() > 0.02:
                items.append((time + late, meter, fields))
            if draw.random() < 0.03:
                again = fields | {"consumption_kwh": fields["consumption_kwh"] * draw.choice([0.2, 1, 4])}
                items.append((time + draw.choice([100, 1800, 3000]), meter, again))
    for _ in range(4):
        time = draw.randrange(DAYS * 86_400)
        items.append((time, "registry", {"meter": draw.choice("ABF"), "time": time}))
    items.append((draw.randrange(DAYS * 86_400), "region", {"time": 0}))
    items.sort(key=lambda item: item[:2])
    return [(kind, fields) for _, kind, fields in items]


def records(log: Log, items: list[tuple[str, dict[str, Any]]], seed: int) -> list[LogRecord]:
    draw = random.Random(seed)
    made: list[LogRecord] = []
    for version, (kind, fields) in enumerate(items, 1):
        control, value = None, dict(fields)
        time = value.pop("time")
        if kind == "registry":
            control = "registry"
            value = {
                "meter_id": fields["meter"],
                "status": draw.choice(["active", "suspended"]),
                "version": version,
                "timezone": draw.choice(["America/New_York", None]),
                "region": draw.choice(["X", "Y"]),
                "as_of": stamp(START),
            }
        elif kind == "region":
            control = "region"
            value = {
                "region": "X",
                "version": version,
                "capacity_kw": 10,
                "timezone": "Europe/Berlin",
                "holidays": ["2024-03-29", "2024-04-01"],
                "as_of": stamp(START),
            }
        else:
            value |= {"meter_id": kind, "timestamp": format_instant(at(START) + time * SECOND)}
        offset = log.next_free_offset()
        made.append(LogRecord(offset, LATER, json.dumps(value).encode(), control=control))
    return made


def outputs(seed: int, *, cut: bool) -> tuple[list[Output], dict[str, Any]]:
    log = Log(policy(seed))
    made = records(log, log_of(seed), seed)
    draw = random.Random(seed + 1)
    came: list[Output] = []
    while made:
        count = draw.randrange(1, 500) if cut else len(made)
        came += log.work(made[:count], budget=draw.choice([0, 0, 1, 3000]) if cut else 0)
        del made[:count]
        if cut and draw.random() < 0.3:
            log.restart()
    came += log.tick(f"2024-04-{20:02d}T00:00:00")
    return came, log.rows()


@pytest.mark.parametrize("seed", range(12))
def test_they_are_the_same_however_the_log_is_cut(seed: int) -> None:
    whole, states = outputs(seed, cut=False)
    parts, others = outputs(seed, cut=True)
    expected = [output for output in whole if isinstance(output, Anomaly)]
    assert [output for output in parts if isinstance(output, Anomaly)] == expected
    assert len(expected) > 20
    assert others == states


def test_every_kind_state_and_reason_is_among_them() -> None:
    found = [one for seed in range(12) for one in outputs(seed, cut=False)[0] if isinstance(one, Anomaly)]
    assert set(KINDS) == {one.kind for one in found}
    assert {"RETURNED", "SILENT", "REVISED"} <= {one.reason for one in found if one.reason}
    assert HOUR in {one.length for one in found}


def test_revisions_of_an_anomaly_count_from_one_and_none_follows_its_end() -> None:
    for seed in range(4):
        seen: Counter[str] = Counter()
        over: set[str] = set()
        for one in outputs(seed, cut=False)[0]:
            if not isinstance(one, Anomaly):
                continue
            seen[one.anomaly_id] += 1
            assert one.revision == seen[one.anomaly_id]
            assert one.anomaly_id not in over or one.state == "RETRACTED"
            if one.state != "OPEN":
                over.add(one.anomaly_id)
