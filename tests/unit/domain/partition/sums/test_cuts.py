"""Windows and bundles are a function of the log, wherever it is cut into calls, commits and owners."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from gridwatch.domain.instants import format_instant
from gridwatch.domain.outputs import Aggregate, Bundle, Output
from gridwatch.domain.policy import MINUTE, Policy
from gridwatch.domain.reading import LogRecord
from tests.unit.domain.log import LATER, Log, at, reading, stamp

INTERVALS = {"A": 10, "B": 60, "C": 900, "D": 1800, "E": 10, "F": 300}


def policy() -> Policy:
    return Policy(
        partitions=2, windows=(MINUTE, 15 * MINUTE), regional=True, hot_readings=4, block_readings=5
    )


def log_of(seed: int) -> list[tuple[str, Any]]:
    """Readings of some kinds of meters, about in order of time, late and repeated ones, and the registry."""
    draw = random.Random(seed)
    items: list[tuple[int, str, Any]] = []
    for meter, seconds in INTERVALS.items():
        given = draw.random() < 0.5
        for second in range(0, 5400, seconds):
            if draw.random() < 0.1:
                continue
            time = second + draw.choice([0, 0, 0, 1])
            fields = {"consumption_kwh": draw.randrange(10_000) / 1000}
            if draw.random() < 0.7:
                fields |= {"power_kw": draw.random(), "voltage": 230 + draw.random()}
            if given:
                fields["interval_seconds"] = seconds
            if meter in "ACD" or draw.random() < 0.1:
                fields["region"] = draw.choice("XXXY")
            when = time + (draw.choice([0, 0, 0, 0, 30, 900, 3000]) if draw.random() < 0.2 else 0)
            items.append((when, meter, {"time": time, **fields}))
            if draw.random() < 0.05:
                items.append((when + 600, meter, {"time": time, **fields, "consumption_kwh": 1.5}))
    items.sort(key=lambda item: item[0])
    for place in sorted(draw.sample(range(len(items)), 6), reverse=True):
        items.insert(place, (0, "registry", {"meter": draw.choice("ABDEF"), "place": draw.choice("XYZ")}))
    return [(kind, fields) for _, kind, fields in items]


def records(log: Log, items: list[tuple[str, Any]], seed: int) -> list[LogRecord]:
    draw = random.Random(seed)
    made, versions = [], 0
    for kind, fields in items:
        if kind == "registry":
            versions += 1
            value: Any = {
                "meter_id": fields["meter"],
                "status": draw.choice(["active", "active", "installed", "suspended", "removed"]),
                "version": versions,
                "region": fields["place"],
                "feeder": draw.choice([None, "F1"]),
                "anchor": draw.choice([None, None, "end"]),
                "as_of": stamp("10:00:00"),
            }
        else:
            clock = at("10:00:00") + fields["time"] * 1_000_000
            value = reading(kind, "00:00:00", fields["consumption_kwh"])
            value |= {name: one for name, one in fields.items() if name not in {"time", "consumption_kwh"}}
            value["timestamp"] = format_instant(clock)
        made.append(
            LogRecord(
                log.next_free_offset(),
                LATER,
                json.dumps(value).encode(),
                control="registry" if kind == "registry" else None,
            )
        )
    return made


def outputs(seed: int, *, cut: bool) -> tuple[list[Output], dict[str, Any]]:
    log = Log(policy())
    made = records(log, log_of(seed), seed)
    draw = random.Random(seed + 1)
    came: list[Output] = []
    while made:
        count = draw.randrange(1, 200) if cut else len(made)
        came += log.work(made[:count], budget=draw.choice([0, 1, 3000]) if cut else 0)
        del made[:count]
        if cut and draw.random() < 0.5:
            log.restart()
    came += log.tick("14:00:00")
    return came, log.rows()


@pytest.mark.parametrize("seed", range(24))
def test_they_are_the_same_however_the_log_is_cut(seed: int) -> None:
    whole, states = outputs(seed, cut=False)
    parts, others = outputs(seed, cut=True)
    kinds = (Aggregate, Bundle)
    expected = [output for output in whole if isinstance(output, kinds)]
    assert [output for output in parts if isinstance(output, kinds)] == expected
    assert len(expected) > 300
    assert others == states
