"""The sums that are kept while a window is open are those that its remembered readings give."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from gridwatch.domain.consumption.aggregate import has_spans, sums_of
from gridwatch.domain.consumption.running import Running
from gridwatch.domain.consumption.sums import Sums
from gridwatch.domain.instants import format_instant
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.meter.usage import Values
from gridwatch.domain.outputs import Aggregate
from gridwatch.domain.partition.sums.windows import Windows
from gridwatch.domain.policy import MINUTE, SECOND, Policy
from tests.unit.domain.log import Log, at

QUARTER = 15 * MINUTE
SECONDS = {"A": 10, "B": 30, "C": 60, "D": 20, "E": 300}


def plain(sums: Sums | None) -> dict[str, Any] | None:
    return None if sums is None else {name: getattr(sums, name) for name in Sums.__slots__}


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> Counter[int]:
    """Compares each window with the one that is computed; counts those that were not, by their length."""
    counts: Counter[int] = Counter()
    original = Windows.sums

    def sums(self: Windows, meter_id: str, meter: MeterState, start: int, length: int) -> Sums | None:
        running: list[Sums | None] = []
        for name in ("take", "whole"):
            method = getattr(Running, name)

            def noted(one: Running, start: int, method: Any = method) -> Sums | None:
                running.append(method(one, start))
                return running[-1]

            monkeypatch.setattr(Running, name, noted)
        found = original(self, meter_id, meter, start, length)
        monkeypatch.undo()
        monkeypatch.setattr(Windows, "sums", sums)
        computed = sums_of(meter, self._bench.archive(meter_id, meter), start, length, self._policy)
        assert plain(found) == plain(computed), (meter_id, format_instant(start), length)
        if any(running) and not has_spans(meter, start, start + length):
            counts[length] += 1
        return found

    monkeypatch.setattr(Windows, "sums", sums)
    return counts


def policy(seed: int) -> Policy:
    draw = random.Random(seed)
    return Policy(
        partitions=1,
        windows=draw.choice([(MINUTE, QUARTER)] * 4 + [(MINUTE,), (QUARTER,)]),
        regional=draw.random() < 0.5,
        anchor=draw.choice(["start", "start", "end"]),
        max_out_of_orderness=draw.choice([10, 10, 90, 600]) * SECOND,
        hot_readings=4,
        block_readings=5,
    )


def write(log: Log, seed: int, *, trouble: float) -> None:
    """Two hours of some meters; ``trouble``: the share of readings that are anything but clean."""
    draw = random.Random(seed)
    items: list[tuple[int, dict[str, Any]]] = []
    for meter, usual in SECONDS.items():
        seconds, register, total = usual, draw.random() < trouble, 100.0
        second = draw.choice([0, 0, 7, 13])
        while second < 7200:
            odd = draw.random() < trouble
            power = draw.uniform(0, 9)
            kwh = power * seconds / 3600
            total += kwh
            fields: dict[str, Any] = {"meter_id": meter, "interval_seconds": seconds}
            fields |= {"energy_register_kwh": total} if register else {"consumption_kwh": kwh}
            if draw.random() < 0.8:
                fields |= {"power_kw": power * draw.uniform(0.9, 1.1), "voltage": 230 + draw.random()}
            time, came = second, second
            if odd:
                case = draw.choice(["missing", "late", "shifted", "revised", "twice", "interval", "bare"])
                came += draw.choice([seconds, 60, 700, 3000]) if case == "late" else 0
                time += draw.choice([1, seconds // 2]) if case == "shifted" else 0
                if case == "interval" and draw.random() < 0.2:
                    seconds = draw.choice([10, 30, 60, 300])
                if case == "bare":
                    fields = {"meter_id": meter, "consumption_kwh": 1.0}
                fields["timestamp"] = format_instant(at("00:00:00") + time * SECOND)
                if case in {"revised", "twice"}:
                    again = fields | ({"consumption_kwh": 2.5} if case == "revised" else {})
                    items.append((came + draw.choice([1, 50, 900]), again))
                if case == "missing":
                    second += seconds * draw.choice([1, 3, 200])
                    continue
            fields["timestamp"] = format_instant(at("00:00:00") + time * SECOND)
            items.append((came, fields))
            second += seconds
    items.sort(key=lambda item: item[0])
    readings = [fields for _, fields in items]
    while readings:
        size = draw.choice([1, 7, 50])
        log.read(*readings[:size])
        del readings[:size]
        if draw.random() < trouble / 5:
            log.restart()
    log.tick("02:30:00")


@pytest.mark.parametrize("seed", range(60))
def test_running_sums_are_those_of_the_readings(checked: Counter[int], seed: int) -> None:
    log = Log(policy(seed))
    write(log, seed, trouble=random.Random(seed).choice([0.0, 0.003, 0.03, 0.2]))
    assert len(log.of(Aggregate)) > 5


def test_most_windows_of_meters_in_order_are_running_sums(checked: Counter[int]) -> None:
    log = Log(Policy(partitions=1, windows=(MINUTE, QUARTER)))
    write(log, 1, trouble=0.0)
    assert checked[MINUTE] > 4 * 110
    assert checked[QUARTER] > 4 * 6


VALUES: list[Values | None] = [None, (-5, 1, 2, 3, 4), (7, -(1 << 31), 5, -(1 << 31), 6)]


@pytest.mark.parametrize("seed", range(50))
def test_sums_of_parts_merge_to_those_of_the_whole(seed: int) -> None:
    draw = random.Random(seed)
    readings = [
        (minute, draw.randrange(10**9), draw.choice(VALUES)) for minute in range(15) for _ in range(3)
    ]
    whole, merged = Sums(0, QUARTER, 20), Sums(0, QUARTER, 20)
    for minute in range(15):
        part = Sums(minute * MINUTE, MINUTE, 20)
        for of, energy, values in readings:
            if of == minute and draw.random() < 0.7:
                part.add(energy, values, known=True)
                whole.add(energy, values, known=True)
        merged.merge(part)
    assert plain(merged) == plain(whole)
