"""The rules of gaps, as the contract pins them."""

from __future__ import annotations

from gridwatch.domain.instants import format_instant
from gridwatch.domain.outputs import GapAlert, LateEvent, Validated
from gridwatch.domain.policy import DAY, HOUR, MINUTE, Policy
from tests.unit.domain.log import Log, alerts, at, ranges, reading, statuses

GAP = "A@2024-01-01T10:30:00Z"


def a_meter(**policy: int) -> Log:
    """A partition with meter A, seen at 10:00, every 30 minutes."""
    log = Log(Policy(partitions=1, **policy))
    log.read(reading("A", "10:00:00"))
    return log


def test_the_example_of_the_specification() -> None:
    log = Log()
    (first,) = log.read(reading("METER_0001", "10:00:00", 2.5))
    assert isinstance(first, Validated)
    assert (first.status, first.delay) == ("OK", 0)
    state = log.meters["METER_0001"]
    assert (state.last_seen, state.expected_next) == (at("10:00:00"), at("10:30:00"))
    assert state.due == at("10:45:00")
    assert alerts(log.tick("10:44:59.999999")) == []
    alert = next(output for output in log.tick("10:45:00") if isinstance(output, GapAlert))
    assert (alert.state, alert.revision, alert.missing_intervals) == ("OPEN", 1, 1)
    assert (alert.missing_from, alert.missing_to) == (at("10:30:00"), at("10:45:00"))
    assert (alert.expected_at, alert.detected_at) == (at("10:30:00"), at("10:45:00"))
    assert (alert.last_seen, alert.gap_time, alert.grace) == (at("10:00:00"), 30 * MINUTE, 15 * MINUTE)


def test_a_late_reading_before_the_deadline_cancels_it() -> None:
    log = a_meter()
    log.tick("10:44:59")
    assert statuses(log.read(reading("A", "10:30:00"))) == [("LATE", ())]
    assert alerts(log.tick("11:14:59")) == []
    assert log.gaps == {}


def test_a_hole_is_one_closed_gap_not_three() -> None:
    log = a_meter()
    came = log.read(reading("A", "12:00:00"))
    assert isinstance(came[0], Validated)
    assert alerts(came) == [(GAP, 1, "CLOSED")]
    alert = log.gaps[GAP]
    assert (alert.missing_intervals, alert.filled_intervals) == (3, 0)
    assert ranges(alert) == [("10:30", "12:00")]
    assert alert.missing_to == at("12:00:00")


def test_cascading_slots_extend_one_gap() -> None:
    log = a_meter()
    came = log.tick("10:45:00") + log.tick("11:15:00") + log.tick("12:15:00")
    assert alerts(came) == [(GAP, 1, "OPEN"), (GAP, 2, "OPEN"), (GAP, 3, "OPEN")]
    assert log.gaps[GAP].missing_intervals == 4
    assert log.gaps[GAP].missing_to == at("12:15:00")


def test_the_slot_after_the_extent_ends_an_open_gap() -> None:
    log = a_meter()
    log.tick("11:15:00")
    assert alerts(log.read(reading("A", "11:30:00"))) == [(GAP, 2, "CLOSED")]
    assert log.gaps[GAP].missing_to == at("11:30:00")


def test_a_later_slot_leaves_the_gap_open_until_the_hole_before_it_is_due() -> None:
    log = a_meter(max_out_of_orderness=40 * MINUTE)
    log.tick("10:45:00")
    assert alerts(log.read(reading("A", "11:30:00"))) == []
    assert log.gaps[GAP].state == "OPEN"
    assert log.meters["A"].expected_next == at("12:00:00")
    assert alerts(log.tick("11:15:00")) == [(GAP, 2, "CLOSED")]
    assert ranges(log.gaps[GAP]) == [("10:30", "11:30")]


def test_filling_the_last_slot_of_the_extent_ends_it_and_the_next_missing_slot_begins_another() -> None:
    log = a_meter()
    log.tick("11:15:00")
    assert alerts(log.read(reading("A", "11:00:00"))) == [(GAP, 2, "PARTIAL")]
    assert alerts(log.tick("11:45:00")) == [("A@2024-01-01T11:30:00Z", 1, "OPEN")]


def test_filling_an_inner_slot_leaves_it_open() -> None:
    log = a_meter()
    log.tick("11:45:00")
    assert alerts(log.read(reading("A", "11:00:00"))) == [(GAP, 3 - 1, "OPEN")]
    alert = log.gaps[GAP]
    assert ranges(alert) == [("10:30", "11:00"), ("11:30", "12:00")]
    assert (alert.missing_intervals, alert.filled_intervals, alert.missing_to) == (2, 1, at("11:45:00"))


def test_fills_move_an_ended_gap_to_partial_and_filled() -> None:
    log = a_meter()
    log.read(reading("A", "11:30:00"))
    assert log.gaps[GAP].state == "CLOSED"
    assert alerts(log.read(reading("A", "11:00:00"))) == [(GAP, 2, "PARTIAL")]
    assert alerts(log.read(reading("A", "10:31:00"))) == [(GAP, 3, "FILLED")]
    alert = log.gaps[GAP]
    assert (alert.missing_intervals, alert.filled_intervals, alert.missing_ranges) == (0, 2, ())
    assert (alert.missing_from, alert.missing_to) == (at("10:30:00"), at("11:30:00"))


def test_a_gap_that_grows_and_ends_in_one_step_has_one_revision() -> None:
    log = a_meter()
    log.tick("11:20:00")
    assert alerts(log.read(reading("A", "12:30:00"))) == [(GAP, 2, "CLOSED")]
    assert ranges(log.gaps[GAP]) == [("10:30", "12:30")]


def test_meters_are_settled_in_order_of_deadline_and_then_id() -> None:
    log = Log()
    log.read(
        *(reading(meter, clock) for meter, clock in [("C", "10:00:00"), ("B", "10:00:01"), ("A", "10:00:01")])
    )
    assert [gap for gap, _, _ in alerts(log.tick("12:00:00"))] == [
        "C@2024-01-01T10:30:00Z",
        "A@2024-01-01T10:30:01Z",
        "B@2024-01-01T10:30:01Z",
    ]


def test_a_too_late_reading_fills_its_slot_of_a_remembered_gap() -> None:
    log = a_meter()
    log.tick("15:00:00")
    came = log.read(reading("A", "11:00:00"))
    assert statuses(came) == [("TOO_LATE", ())]
    assert alerts(came) == [(GAP, 2, "OPEN")]
    assert log.gaps[GAP].filled_intervals == 1
    assert statuses(log.read(reading("A", "11:00:00"))) == [("TOO_LATE", ("SLOT_FILLED",))]
    assert log.meters["A"].last_seen == at("10:00:00")
    assert log.meters["A"].late_count == 2


def test_an_ended_gap_is_forgotten_after_the_gap_memory() -> None:
    log = a_meter(gap_memory=4 * HOUR, allowed_lateness=HOUR)
    log.read(reading("A", "11:00:00"))
    log.tick("14:59:59")
    assert alerts(log.read(reading("A", "10:30:00"))) == [(GAP, 2, "FILLED")]
    forgotten = a_meter(gap_memory=4 * HOUR, allowed_lateness=HOUR)
    forgotten.read(reading("A", "11:00:00"))
    forgotten.tick("15:00:00")
    assert alerts(forgotten.read(reading("A", "10:30:00"))) == []


def test_at_most_so_many_ended_gaps_are_remembered() -> None:
    log = a_meter(max_remembered_gaps=2)
    log.read(reading("A", "11:00:00"), reading("A", "12:00:00"), reading("A", "13:00:00"))
    assert [format_instant(gap.first)[11:16] for gap in log.meters["A"].gaps] == ["11:30", "12:30"]
    assert alerts(log.read(reading("A", "10:30:00"))) == []
    assert alerts(log.read(reading("A", "11:30:00"))) == [("A@2024-01-01T11:30:00Z", 2, "FILLED")]
    assert log.meters["A"].gap_count == 3


def test_a_silent_meter_expires_and_its_next_reading_is_a_first_one() -> None:
    log = a_meter(state_ttl=2 * HOUR)
    log.tick("11:59:59")
    came = log.tick("12:00:00")
    assert alerts(came) == [(GAP, 2, "EXPIRED")]
    assert log.gaps[GAP].missing_to == at("12:00:00")
    assert log.meters == {} and log.partition.meters == 0 and log.partition.open_gaps == 0
    assert statuses(log.read(reading("A", "12:10:00"))) == [("OK", ("FIRST",))]


def test_a_leap_over_the_end_of_life_settles_all_due_slots_first() -> None:
    log = a_meter(state_ttl=2 * HOUR)
    assert alerts(log.tick("13:15:00")) == [(GAP, 1, "EXPIRED")]
    assert ranges(log.gaps[GAP]) == [("10:30", "13:30")]


def test_nothing_before_the_first_reading_is_ever_missing() -> None:
    log = a_meter()
    assert statuses(log.read(reading("A", "09:31:00"))) == [("LATE", ())]
    state = log.meters["A"]
    assert (state.last_seen, state.expected_next) == (at("10:00:00"), at("10:30:00"))
    assert alerts(log.tick("10:44:00")) == []


def test_a_too_late_reading_of_an_unknown_meter_makes_no_state() -> None:
    log = a_meter()
    assert statuses(log.read(reading("B", "08:00:00"))) == [("TOO_LATE", ())]
    assert "B" not in log.meters
    (event,) = log.of(LateEvent)
    assert event.delay == at("09:59:50") - at("08:00:00")


def test_a_gap_alert_has_region_and_origin() -> None:
    log = Log()
    log.read(reading("A", "10:00:00", region="north"))
    log.tick("10:45:00")
    alert = log.gaps[GAP]
    assert (alert.region, alert.partition, alert.offset) == ("north", 0, 1)


def test_a_gap_over_days_is_reckoned_without_counting_slots_one_by_one() -> None:
    log = a_meter(state_ttl=3650 * DAY, max_watermark_jump=3650 * DAY)
    log.tick("2028-01-01T00:00:00")
    assert (
        log.gaps[GAP].missing_intervals == (at("2028-01-01T00:00:00") - at("10:45:00")) // (30 * MINUTE) + 1
    )
