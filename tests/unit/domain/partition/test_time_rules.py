"""The rules of time: watermark, lateness, duplicates, the jump guard, ticks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gridwatch.domain.meter.timeliness import (
    LATE,
    ON_TIME,
    TOO_LATE,
    classify,
    key_of,
    readings_of,
    recall,
    recent_of,
    remember,
    seen_within,
    since,
)
from gridwatch.domain.outputs import Validated
from gridwatch.domain.policy import DAY, HOUR, SECOND, Policy
from tests.unit.domain.log import Log, alerts, at, reading, reasons, statuses


def test_equal_to_the_watermark_is_on_time_and_equal_to_the_lateness_is_late() -> None:
    assert [classify(100 - behind, 100, 10) for behind in (-1, 0, 1, 10, 11)] == [
        ON_TIME,
        ON_TIME,
        LATE,
        LATE,
        TOO_LATE,
    ]


def test_a_reading_is_classed_by_the_watermark_before_it() -> None:
    log = Log()
    log.read(reading("A", "10:00:00"), reading("B", "10:20:00"))
    assert [one.watermark for one in log.of(Validated)] == [at("09:59:50"), at("09:59:50")]
    log.read(reading("B", "10:19:49"))
    assert (log.of(Validated)[-1].status, log.of(Validated)[-1].delay) == ("LATE", SECOND)


def test_the_same_stamp_and_value_is_dropped_and_counted() -> None:
    log = Log()
    log.read(reading("A", "10:00:00", 1.5))
    assert log.read(reading("A", "10:00:00", 1.5)) == []
    log.tick("10:05:00")
    assert log.metrics["readings_duplicate", "2024-01-01T10:00:00Z"] == 1
    assert log.metrics["consumption_kwh", "2024-01-01T10:00:00Z"] == 1.5


def test_the_same_stamp_and_another_value_is_a_revision() -> None:
    log = Log()
    log.read(reading("A", "10:00:00", 1.5))
    assert statuses(log.read(reading("A", "10:00:00", 2.5))) == [("OK", ("REVISED",))]
    assert statuses(log.read(reading("A", "10:00:00", 1.5))) == [("OK", ("REVISED",))]
    log.tick("10:05:00")
    window = "2024-01-01T10:00:00Z"
    assert log.metrics["consumption_kwh", window] == 1.5
    assert log.metrics["readings_revised", window] == 2
    assert log.metrics["readings_validated", window] == 3
    assert log.metrics["active_meters", window] == 1


def test_two_stamps_of_one_slot_are_both_validated_the_second_as_extra() -> None:
    log = Log()
    log.read(reading("A", "10:00:00"))
    assert statuses(log.read(reading("A", "10:30:00"), reading("A", "10:31:00"))) == [
        ("OK", ()),
        ("OK", ("EXTRA",)),
    ]
    assert log.meters["A"].expected_next == at("11:00:00")


def test_stamps_are_remembered_in_order_and_as_far_back_as_needed() -> None:
    recent = remember(remember(remember(b"", 5, 1.0, 0), 3, 2.0, 0), 9, 3.0, 4)
    assert readings_of(recent) == [(5, 1.0), (9, 3.0)]
    assert [recall(recent, time) for time in (3, 5, 9, 1)] == [None, 1.0, 3.0, None]
    assert readings_of(remember(recent, 5, 7.0, 0)) == [(5, 7.0), (9, 3.0)]
    assert remember(recent, 2, 7.0, 4) == recent


STAMPS = st.integers(-(10**16), 10**17) | st.integers(-3, 12)


@given(st.dictionaries(STAMPS, st.floats(allow_nan=False), max_size=8), STAMPS, STAMPS, st.floats(0, 9))
def test_remembered_readings_are_what_a_plain_list_would_be(
    known: dict[int, float], time: int, horizon: int, value: float
) -> None:
    recent = recent_of(sorted(known.items()))
    assert readings_of(recent) == sorted(known.items())
    assert recall(recent, time) == known.get(time)
    left = {stamp: kwh for stamp, kwh in known.items() if stamp >= horizon}
    assert readings_of(since(recent, key_of(horizon))) == sorted(left.items())
    assert seen_within(recent, horizon, time) == any(horizon <= stamp < time for stamp in known)
    if time >= horizon:
        left[time] = value
    assert readings_of(remember(recent, time, value, horizon)) == sorted(left.items())


def test_zero_is_flagged_and_never_negative() -> None:
    log = Log()
    assert statuses(
        log.raw(b'{"meter_id":"A","timestamp":"2024-01-01T10:00:00Z","consumption_kwh":-0.0}')
    ) == [("OK", ("ZERO", "FIRST"))]
    assert str(log.of(Validated)[0].reading.consumption_kwh) == "0.0"


def test_a_far_stamp_of_one_meter_raises_nothing_and_touches_nothing() -> None:
    log = Log(Policy(partitions=1, max_watermark_jump=DAY))
    log.read(reading("A", "10:00:00"))
    came = log.read(reading("A", "2024-01-03T10:00:00"), reading("B", "2024-01-02T10:00:00.000001"))
    assert statuses(came[:1]) == [("OK", ("AHEAD",))]
    assert "B" in log.meters, "the second meter's stamp confirmed: it is the lower of the two"
    assert log.partition.watermark == at("2024-01-02T09:59:50.000001")
    assert [held.meter_id for held in log.partition.held] == ["A"]
    assert log.meters["A"].last_seen == at("10:00:00")


def test_a_stamp_just_within_the_jump_is_believed() -> None:
    log = Log()
    log.read(reading("A", "10:00:00"))
    assert statuses(log.read(reading("B", "2024-01-02T10:00:00"))) == [("OK", ("FIRST",))]


def test_one_meter_cannot_confirm_itself() -> None:
    log = Log()
    log.read(reading("A", "10:00:00"), *(reading("A", f"2024-01-0{day}T10:00:00") for day in range(3, 8)))
    assert log.partition.watermark == at("09:59:50")
    assert len(log.partition.held) == 5


def test_a_tick_confirms_and_held_readings_are_applied_before_anything_is_settled() -> None:
    log = Log(Policy(partitions=1, state_ttl=30 * DAY))
    log.read(reading("A", "10:00:00"), reading("A", "2024-01-03T10:00:00"))
    came = log.tick("2024-01-03T10:00:00")
    assert alerts(came) == [("A@2024-01-01T10:30:00Z", 1, "CLOSED")]
    assert log.meters["A"].last_seen == at("2024-01-03T10:00:00")
    assert log.partition.held == ()
    assert statuses(came) == [], "they were emitted when they came"


def test_a_held_reading_is_applied_when_the_watermark_reaches_it() -> None:
    log = Log(Policy(partitions=1, max_watermark_jump=HOUR))
    log.read(reading("A", "10:00:00"), reading("A", "12:00:00"))
    log.read(reading("B", "10:50:00"), reading("B", "11:40:00"))
    assert log.meters["A"].last_seen == at("10:00:00")
    log.read(reading("B", "12:00:00"))
    assert log.meters["A"].last_seen == at("12:00:00")
    assert log.partition.held == ()


def test_a_held_reading_is_replaced_by_a_later_one_of_its_stamp() -> None:
    log = Log(Policy(partitions=1, max_watermark_jump=HOUR))
    log.read(reading("A", "10:00:00"), reading("A", "11:20:00", 5))
    log.read(reading("B", "10:50:00"), reading("A", "11:20:00", 7))
    log.tick("13:00:00")
    assert log.metrics["consumption_kwh", "2024-01-01T11:20:00Z"] == 7


def test_held_readings_are_bounded_the_oldest_is_dropped() -> None:
    log = Log(Policy(partitions=1, max_held=2))
    log.read(reading("A", "10:00:00"), *(reading("A", f"2024-01-0{day}T10:00:00") for day in (3, 4, 5)))
    assert [held.time for held in log.partition.held] == [
        at("2024-01-04T10:00:00"),
        at("2024-01-05T10:00:00"),
    ]


def test_a_tick_raises_the_watermark_and_nothing_else() -> None:
    log = Log()
    assert log.tick("10:00:00") == []
    assert log.partition.watermark == at("10:00:00")
    log.tick("09:00:00")
    assert log.partition.watermark == at("10:00:00")
    assert log.meters == {}


def test_a_tick_that_cannot_be_read_or_is_of_the_future_is_a_dead_letter() -> None:
    log = Log()
    assert reasons(log.tick("10:05:00.000001", record_time=at("10:00:00"))) == [("FUTURE_TIMESTAMP",)]
    assert log.partition.watermark is None
    log.tick("10:05:00", record_time=at("10:00:00"))
    assert log.partition.watermark == at("10:05:00")


def test_a_fast_clock_is_a_dead_letter_and_moves_nothing() -> None:
    log = Log()
    log.read(reading("A", "10:00:00"), record_time=at("10:00:00"))
    assert reasons(log.read(reading("A", "10:05:01"), record_time=at("10:00:00"))) == [("FUTURE_TIMESTAMP",)]
    assert statuses(log.read(reading("A", "10:05:00"), record_time=at("10:00:00"))) == [("OK", ("EXTRA",))]


def test_a_held_reading_that_comes_again_stays_in_its_place() -> None:
    log = Log(Policy(partitions=1, max_watermark_jump=HOUR))
    log.read(reading("B", "08:00:00"))
    log.read(reading("A", "12:00:00", 1), reading("A", "10:30:00", 1), reading("A", "12:00:00", 2))
    assert [held.kwh for held in log.partition.held] == [2, 1]
    assert alerts(log.tick("12:00:00")) == [("B@2024-01-01T08:30:00Z", 1, "OPEN")]
    assert log.meters["A"].start == at("12:00:00"), "its first reading in order of arrival"
