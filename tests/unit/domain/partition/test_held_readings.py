"""A held reading is due at its own instant: nothing else has to happen for it to be applied."""

from __future__ import annotations

import pytest

from gridwatch.domain.policy import DAY, HOUR, Policy
from gridwatch.domain.reading import MAX_REGION
from tests.unit.domain.log import Log, at, reading

#: No window ends and no slot becomes missing while these logs run.
QUIET = Policy(partitions=1, max_watermark_jump=HOUR, metrics_window=DAY, grace=12 * HOUR)


def with_one_held() -> Log:
    """A was seen at 10:00, a reading of it of 12:00 is held, and B has come up to 11:30."""
    log = Log(QUIET)
    log.read(reading("A", "10:00:00"), reading("B", "10:00:00"), reading("A", "12:00:00"))
    log.read(*(reading("B", clock) for clock in ("10:30:00", "11:00:00", "11:30:00")))
    assert [held.meter_id for held in log.partition.held] == ["A"]
    assert log.meters["B"].calm
    return log


@pytest.mark.parametrize(
    ("clock", "applied"), [("11:59:59.999999", False), ("12:00:00", True), ("12:00:00.000001", True)]
)
def test_a_clean_reading_of_another_meter_gets_the_watermark_there(clock: str, applied: bool) -> None:
    log = with_one_held()
    log.read(reading("B", clock))
    assert log.meters["A"].last_seen == at("12:00:00" if applied else "10:00:00")
    assert (log.partition.held == ()) is applied


def test_the_earliest_of_the_held_readings_is_due_first_whatever_their_order() -> None:
    log = Log(QUIET)
    log.read(reading("A", "10:00:00"), reading("B", "10:00:00"))
    log.read(reading("A", "14:00:00"), reading("A", "12:00:00"), reading("A", "13:00:00"))
    log.read(*(reading("B", clock) for clock in ("10:30:00", "11:00:00", "11:30:00", "12:00:00")))
    assert log.meters["A"].last_seen == at("12:00:00")
    log.read(reading("B", "12:30:00"), reading("B", "13:00:00"))
    assert log.meters["A"].last_seen == at("13:00:00")
    assert [held.time for held in log.partition.held] == [at("14:00:00")]


def test_it_is_due_then_after_a_restart_too() -> None:
    log = with_one_held()
    log.restart()
    log.read(reading("B", "12:00:00"))
    assert log.meters["A"].last_seen == at("12:00:00")


def test_a_held_reading_is_no_larger_than_what_a_meter_remembers() -> None:
    log = Log(QUIET)
    log.read(reading("A", "10:00:00"), reading("A", "2024-02-01T00:00:00", region="r" * 900_000))
    assert [held.region for held in log.partition.held] == ["r" * MAX_REGION]
