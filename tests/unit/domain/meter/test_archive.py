"""Older readings in blocks: what is remembered is what would be without them, and the state stays small."""

from __future__ import annotations

import random
from typing import Any

import pytest

from gridwatch.domain.instants import format_instant
from gridwatch.domain.meter.archive import COLD, Archive, block_name
from gridwatch.domain.meter.energy import Derived
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.meter.timeliness import readings_of
from gridwatch.domain.outputs import Validated
from gridwatch.domain.policy import HOUR, MINUTE, NEVER, SECOND, Policy
from gridwatch.tables.readings import METERS
from tests.unit.domain.log import Log, at

TEN = at("10:00:00")
POLICY = Policy(partitions=1, hot_readings=8, block_readings=5)


class Kept:
    """A meter, its blocks, and the commits that they go through."""

    def __init__(self, horizon: int = -NEVER, derived: bool = False) -> None:
        self.meter = MeterState(TEN, SECOND)
        self.meter.derived = Derived() if derived else None
        self.states: dict[str, Any] = {}
        self.horizon = horizon

    @property
    def archive(self) -> Archive:
        return Archive("A", self.meter, self.states.get, self.states, self.horizon)

    def commit(self) -> None:
        if len(self.meter.recent) > 8 * 16:
            self.archive.seal(POLICY)
        self.states = {name: state for name, state in self.states.items() if state is not None}


@pytest.mark.parametrize("derived", [False, True])
def test_whatever_comes_when_the_blocks_remember_what_a_dictionary_does(derived: bool) -> None:
    chance = random.Random(5)
    for _ in range(40):
        kept, known, newest = Kept(derived=derived), {}, TEN
        for _ in range(chance.randrange(1, 150)):
            if chance.random() < 0.3 and known:
                time = newest - chance.randrange(60 * SECOND)
            else:
                time = newest = newest + chance.randrange(1, 3 * SECOND)
            value, energy = chance.random(), chance.random()
            kept.archive.note(time, value, energy)
            known[time] = (value, energy if derived else value)
            if chance.random() < 0.3:
                kept.commit()
        stamps = sorted(known)
        assert kept.archive.stamps() == stamps
        for place, time in enumerate(stamps):
            assert kept.archive.recall(time) == known[time][0]
            assert kept.archive.energy_at(time) == known[time][1]
            assert kept.archive.recall(time + 1) == (known[time + 1][0] if time + 1 in known else None)
            assert kept.archive.stamp_before(time) == (stamps[place - 1] if place else None)
            assert kept.archive.seen_within(time, time + 1)
            assert not kept.archive.seen_within(time + 1, min([*stamps[place + 1 :], time + 2]))
        numbers = range(kept.meter.cold_first, kept.meter.cold_next)
        assert {name for name in kept.states if kept.states[name] is not None} == {
            block_name("A", number) for number in numbers
        }
        kept.archive.join()
        assert [stamp for stamp, _ in readings_of(kept.meter.recent)] == stamps


def test_blocks_whose_readings_cannot_be_late_any_more_are_removed() -> None:
    kept = Kept()
    for number in range(60):
        kept.archive.note(TEN + number * SECOND, 1.0, 1.0)
        kept.commit()
    assert len(kept.states) > 5
    kept.horizon = TEN + 50 * SECOND
    for number in range(60, 70):
        kept.archive.note(TEN + number * SECOND, 1.0, 1.0)
        kept.commit()
    assert kept.archive.stamps() == [TEN + number * SECOND for number in range(50, 70)]
    assert len(kept.states) <= 5


def second(log: Log, number: int, **fields: Any) -> None:
    log.read(
        {"meter_id": "A", "timestamp": format_instant(TEN + number * SECOND), "interval_seconds": 1, **fields}
    )


def stored(log: Log) -> int:
    """Bytes of the row of the meter."""
    return len(METERS.encode("A", log.meters["A"]))


@pytest.mark.parametrize("measure", ["consumption_kwh", "energy_register_kwh", "power_kw"])
def test_a_meter_of_a_second_has_a_small_row_and_its_late_readings_are_right(measure: str) -> None:
    log = Log(policy=Policy(partitions=1, allowed_lateness=HOUR, metrics_window=MINUTE))
    missing, largest = {500, 2000, 3400}, 0
    for number in range(3600):
        if number not in missing:
            second(log, number, **{measure: round(1 + number / 1000, 3)})
        largest = max(largest, stored(log) if number % 10 == 0 and "A" in log.meters else 0)
    assert largest <= 512
    log.restart()
    before = len(log.of(Validated))
    second(log, 301, **{measure: 1.301})
    assert len(log.of(Validated)) == before, "a duplicate, 55 minutes old"
    second(log, 301, **{measure: 0.7})
    assert "REVISED" in log.of(Validated)[-1].flags
    for number in sorted(missing):
        second(log, number, **{measure: round(1 + number / 1000, 3)})
        assert log.of(Validated)[-1].status == "LATE"
        assert not {"EXTRA", "REVISED"} & set(log.of(Validated)[-1].flags)
    assert {alert.state for alert in log.gaps.values()} == {"FILLED"}


def test_the_blocks_go_with_their_meter() -> None:
    log = Log(policy=Policy(partitions=1, state_ttl=2 * HOUR))
    for number in range(200):
        second(log, number, consumption_kwh=1.0)
    assert any(name.startswith(COLD) for name in log.meters)
    log.tick("13:00:00")
    assert log.meters == {}
