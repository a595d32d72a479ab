"""The state of a meter is bounded: each limit is exact, and nothing is lost below it."""

from __future__ import annotations

import pytest

from gridwatch.domain.outputs import GapAlert, Validated
from gridwatch.domain.policy import MINUTE, Policy
from gridwatch.domain.reading import MAX_REGION
from tests.unit.domain.log import DAY, Log, alerts, reading

REMEMBERED = 32


def clock(minutes: int) -> str:
    """So long after midnight, as a stamp."""
    return f"{DAY}{minutes // 60:02}:{minutes % 60:02}:00"


def test_the_limit_of_a_region_is_256_characters() -> None:
    assert MAX_REGION == 256


@pytest.mark.parametrize("length", [MAX_REGION - 1, MAX_REGION, MAX_REGION + 1, 5 * MAX_REGION])
@pytest.mark.parametrize("letter", ["r", "é", "計"])
def test_a_region_is_remembered_up_to_its_limit_in_characters(length: int, letter: str) -> None:
    log = Log()
    log.read(reading("A", "10:00:00", region=letter * length))
    stored = letter * min(length, MAX_REGION)
    assert log.meters["A"].region == stored
    log.read(reading("A", "10:30:00", region=letter * length))
    assert log.meters["A"].region == stored
    log.tick("11:15:00")
    (alert,) = log.of(GapAlert)
    assert alert.region == stored
    assert [len(one.reading.region) for one in log.of(Validated)] == [length, length], "emitted as it came"


def with_ended_gaps(count: int) -> Log:
    """Meter A, which gives an interval of 10 minutes and lost every second of its first readings."""
    log = Log(Policy(partitions=1, grace=5 * MINUTE))
    assert log.policy.max_remembered_gaps == REMEMBERED
    log.read(*(reading("A", clock(20 * number), interval_minutes=10) for number in range(count + 1)))
    assert len(log.meters["A"].gaps) == min(count, REMEMBERED)
    return log


def fills(log: Log, minutes: int) -> bool:
    """Whether a reading so long after midnight fills a slot of a gap that is remembered."""
    return bool(alerts(log.read(reading("A", clock(minutes)))))


def test_32_ended_gaps_are_remembered_and_one_more_forgets_the_oldest() -> None:
    log = with_ended_gaps(REMEMBERED)
    assert fills(log, 10)
    log = with_ended_gaps(REMEMBERED + 1)
    assert not fills(log, 10)
    assert fills(log, 30)


def test_an_open_gap_is_remembered_beside_32_ended_ones() -> None:
    log = with_ended_gaps(REMEMBERED)
    last = 20 * REMEMBERED
    assert [state for _, _, state in alerts(log.tick(clock(last + 16)))] == ["OPEN"]
    assert [gap.state for gap in log.meters["A"].gaps] == ["CLOSED"] * REMEMBERED + ["OPEN"]
    assert fills(log, 10)
    assert [state for _, _, state in alerts(log.tick(clock(last + 26)))] == ["OPEN"]
    assert len(log.meters["A"].gaps) == REMEMBERED + 1


def test_beside_an_open_gap_one_ended_too_many_is_forgotten() -> None:
    log = with_ended_gaps(REMEMBERED + 1)
    log.tick(clock(20 * (REMEMBERED + 1) + 16))
    assert len(log.meters["A"].gaps) == REMEMBERED + 1
    assert not fills(log, 10)
    assert fills(log, 30)


def test_when_the_open_gap_ends_it_is_one_of_the_32() -> None:
    log = with_ended_gaps(REMEMBERED)
    last = 20 * REMEMBERED
    log.tick(clock(last + 16))
    log.read(reading("A", clock(last + 20)))
    assert {gap.state for gap in log.meters["A"].gaps} == {"CLOSED"}
    assert len(log.meters["A"].gaps) == REMEMBERED
    assert not fills(log, 10)
    assert fills(log, last + 10)


@pytest.mark.parametrize("limit", [1, 2])
def test_the_limit_is_a_setting_of_the_rules(limit: int) -> None:
    log = Log(Policy(partitions=1, max_remembered_gaps=limit, default_interval=30 * MINUTE))
    log.read(*(reading("A", one) for one in ("10:00:00", "11:00:00", "12:00:00", "13:00:00")))
    log.tick("13:45:00")
    assert [gap.state for gap in log.meters["A"].gaps] == ["CLOSED"] * limit + ["OPEN"]
