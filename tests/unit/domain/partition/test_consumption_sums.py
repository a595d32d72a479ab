"""Consumption is summed in whole micro-kWh, each reading rounded half up, whichever way it takes."""

from __future__ import annotations

import pytest

from gridwatch.domain.meter.energy import micro_kwh
from gridwatch.domain.policy import HOUR, Policy
from tests.unit.domain.log import Log, decode, reading

#: kWh as they come, and the whole micro-kWh that they count as.
ROUNDED = [
    (0.000_000_4, 0),
    (0.000_000_5, 1),
    (0.000_000_6, 1),
    (0.000_001_4, 1),
    (0.000_001_5, 2),
    (0.000_002_5, 3),  # half up, not half to even
    (1.000_000_4, 1_000_000),
    (1.000_000_6, 1_000_001),
    (0.0, 0),
    (1000.0, 1_000_000_000),
]
HALF_PAST_TEN = ("consumption_kwh", "2024-01-01T10:30:00Z")


@pytest.mark.parametrize(("kwh", "micro"), ROUNDED)
def test_half_a_micro_kwh_is_rounded_up(kwh: float, micro: int) -> None:
    assert micro_kwh(kwh) == micro


@pytest.mark.parametrize(("kwh", "micro"), ROUNDED)
@pytest.mark.parametrize("fast", [True, False])
def test_a_clean_reading_counts_in_whole_micro_kwh(kwh: float, micro: int, fast: bool) -> None:
    log = Log(decode=decode if fast else None)
    log.read(reading("A", "10:00:00"))
    assert log.meters["A"].calm  # so with a fast decoder the next one is worked in a straight line
    log.read(reading("A", "10:30:00", kwh))
    log.tick("10:35:00")
    assert log.metrics[HALF_PAST_TEN] == micro / 1_000_000


@pytest.mark.parametrize("fast", [True, False])
def test_readings_are_rounded_one_by_one(fast: bool) -> None:
    log = Log(decode=decode if fast else None)
    meters = ("A", "B", "C")
    for clock in ("10:00:00", "10:30:00"):
        log.read(*(reading(meter, clock, 0.000_000_4) for meter in meters))
    log.read(*(reading(meter, "10:31:00", 0.000_000_6) for meter in meters))
    log.tick("10:35:00")
    assert log.metrics[HALF_PAST_TEN] == 3 / 1_000_000


def test_a_revision_takes_out_what_the_first_value_had_put_in() -> None:
    log = Log()
    log.read(reading("A", "10:30:00", 0.000_000_6), reading("A", "10:30:00", 2.000_000_5))
    log.tick("10:35:00")
    assert log.metrics[HALF_PAST_TEN] == 2_000_001 / 1_000_000


def test_a_reading_beyond_the_jump_guard_counts_once_with_its_last_value() -> None:
    log = Log(Policy(partitions=1, max_watermark_jump=HOUR))
    log.read(reading("A", "08:00:00"), reading("A", "10:30:00", 5.000_000_6))
    log.read(reading("A", "10:30:00", 0.000_000_6))
    assert len(log.partition.held) == 1
    log.tick("10:35:00")
    assert log.metrics[HALF_PAST_TEN] == 1 / 1_000_000
