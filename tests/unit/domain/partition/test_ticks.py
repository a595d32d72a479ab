"""When a silent partition gets a tick, and which instant it names."""

from __future__ import annotations

from typing import Any

from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.partition.ticks import idle_instant

SECOND = 1_000_000
MINUTE = 60 * SECOND
TIMEOUT = 30 * SECOND
DELAY = 60 * SECOND
NOW = 1_704_103_200 * SECOND


def asked(now: int = NOW, *, caught_up: bool = True, **state: Any) -> int | None:
    """The tick for a live partition, silent for 5 minutes, event time 2 minutes behind the clock."""
    silent = {"watermark": NOW - 7 * MINUTE, "replayed": False, "reading_time": NOW - 5 * MINUTE}
    partition = PartitionState(0, **{**silent, **state})
    return idle_instant(partition, now, caught_up=caught_up, idle_timeout=TIMEOUT, idle_delay=DELAY)


def test_event_time_goes_on_at_wall_speed_from_where_the_last_record_left_it() -> None:
    assert asked() == NOW - 2 * MINUTE


def test_a_tick_goes_on_from_the_tick_before_it() -> None:
    ticked = {"watermark": NOW - 3 * MINUTE, "reading_time": NOW - 40 * SECOND}
    assert asked(**ticked) == NOW - 3 * MINUTE + 40 * SECOND


def test_a_tick_never_comes_nearer_to_now_than_the_delay() -> None:
    assert asked(watermark=NOW - 5 * MINUTE) == NOW - DELAY


def test_no_tick_once_event_time_is_as_near_to_now_as_it_may_be() -> None:
    assert asked(watermark=NOW - DELAY) is None
    assert asked(watermark=NOW + MINUTE) is None


def test_control_records_of_the_registry_neither_begin_nor_end_a_silence() -> None:
    assert asked(record_time=NOW) == asked()
    assert asked(reading_time=None, tick_time=NOW - 5 * MINUTE, record_time=NOW) == asked()
    assert asked(reading_time=None, tick_time=None, record_time=NOW - 5 * MINUTE) is None


def test_no_tick_before_the_timeout() -> None:
    assert asked(reading_time=NOW - TIMEOUT + 1) is None
    assert asked(reading_time=NOW - TIMEOUT) is not None


def test_no_tick_while_there_is_a_backlog() -> None:
    assert asked(caught_up=False) is None


def test_no_tick_after_replayed_records() -> None:
    assert asked(replayed=True) is None


def test_no_tick_into_a_partition_whose_time_never_began() -> None:
    assert asked(watermark=None) is None
    assert asked(watermark=None, reading_time=None) is None


def test_a_clock_that_went_back_gives_no_tick() -> None:
    assert asked(now=NOW - 6 * MINUTE) is None
