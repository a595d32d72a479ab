"""The rules of the grid and of the interval: slots, off the grid, learned, given, moved."""

from __future__ import annotations

import pytest

from gridwatch.domain.meter.grid import first_from, slot_of
from gridwatch.domain.outputs import Validated
from gridwatch.domain.policy import MINUTE, Policy
from tests.unit.domain.log import Log, alerts, at, ranges, reading, statuses


def read_at(log: Log, *clocks: str, **more: object) -> None:
    log.read(*(reading("A", clock, **more) for clock in clocks))


@pytest.mark.parametrize(
    ("interval", "off", "slot"),
    [
        (30, 5, 0),
        (30, 5.1, None),
        (30, -5, 0),
        (30, 25, 30),
        (8, 2, 0),
        (8, 2.1, None),
        (60, 5, 0),
        (60, 14, None),
    ],
)
def test_a_slot_reaches_a_quarter_of_the_interval_at_most_five_minutes(
    interval: int, off: float, slot: int | None
) -> None:
    found = slot_of(round(off * MINUTE), 0, interval * MINUTE)
    assert found == (None if slot is None else slot * MINUTE)


def test_the_first_point_from_an_instant_on() -> None:
    assert [first_from(time, 7, 10) for time in (-13, -12, 7, 8, 17)] == [-13, -3, 7, 17, 17]


def test_off_the_grid_proves_life_and_fills_no_slot() -> None:
    log = Log()
    read_at(log, "10:00:00", "10:20:00")
    assert statuses(log.outputs)[1] == ("OK", ("OFF_GRID",))
    state = log.meters["A"]
    assert (state.last_seen, state.expected_next) == (at("10:20:00"), at("10:30:00"))
    assert alerts(log.tick("10:45:00")) == [("A@2024-01-01T10:30:00Z", 1, "OPEN")]


def test_three_off_the_grid_of_one_phase_move_it_to_the_first_of_them() -> None:
    log = Log()
    read_at(log, "10:00:00", "10:50:00", "11:20:00")
    assert ranges(log.gaps["A@2024-01-01T10:30:00Z"]) == [("10:30", "11:30")]
    read_at(log, "11:50:00")
    last = log.gaps["A@2024-01-01T10:30:00Z"]
    assert (last.state, ranges(last)) == ("CLOSED", [("10:30", "11:00")])
    assert "INTERVAL_CHANGED" not in log.of(Validated)[-1].flags
    assert log.meters["A"].expected_next == at("12:20:00")
    read_at(log, "12:20:00")
    assert log.of(Validated)[-1].flags == ()


def test_off_the_grid_of_different_phases_or_not_in_a_row_moves_nothing() -> None:
    log = Log()
    read_at(log, "10:00:00", "10:20:00", "10:40:00", "11:20:00", "11:30:00", "11:50:00", "12:20:00")
    assert log.meters["A"].start == at("10:00:00")


def test_three_equal_smaller_differences_shrink_the_interval() -> None:
    log = Log()
    read_at(log, "10:00:00", "10:15:00", "10:30:00")
    assert log.meters["A"].interval == 30 * MINUTE
    read_at(log, "10:45:00")
    assert log.meters["A"].interval == 15 * MINUTE
    assert "INTERVAL_CHANGED" in log.of(Validated)[-1].flags
    assert alerts(log.tick("11:15:00")) == [("A@2024-01-01T11:00:00Z", 1, "OPEN")]


def test_shrinking_retracts_missing_slots_of_the_old_grid_since_the_row_began() -> None:
    log = Log()
    read_at(log, "10:00:00", "10:20:00", "10:40:00")
    log.tick("10:50:00")
    assert log.gaps["A@2024-01-01T10:30:00Z"].state == "OPEN"
    read_at(log, "11:00:00")
    last = log.gaps["A@2024-01-01T10:30:00Z"]
    assert (last.state, last.missing_intervals, last.revision) == ("RETRACTED", 0, 2)
    assert "20 min" in last.reason
    assert log.meters["A"].gaps == () and log.meters["A"].gap_count == 0


def test_six_equal_larger_differences_grow_the_interval_and_retract_what_was_no_gap() -> None:
    log = Log()
    read_at(log, *(f"{hour:02}:00:00" for hour in range(6)))
    assert {alert.state for alert in log.gaps.values()} == {"CLOSED"}
    read_at(log, "06:00:00")
    assert {alert.state for alert in log.gaps.values()} == {"RETRACTED"}
    assert "INTERVAL_CHANGED" in log.of(Validated)[-1].flags
    assert (log.meters["A"].interval, log.meters["A"].expected_next) == (60 * MINUTE, at("07:00:00"))
    assert alerts(log.tick("07:14:59")) == []
    assert alerts(log.tick("07:15:00")) == [("A@2024-01-01T07:00:00Z", 1, "OPEN")]


def test_growing_leaves_missing_slots_of_the_new_grid_as_gaps_of_their_own() -> None:
    log = Log()
    read_at(log, "00:00:00", "01:00:00", "04:00:00", *(f"{hour:02}:00:00" for hour in range(5, 11)))
    standing = {gap: ranges(last) for gap, last in log.gaps.items() if last.state != "RETRACTED"}
    assert standing == {"A@2024-01-01T02:00:00Z": [("02:00", "04:00")]}
    assert log.meters["A"].gap_count == 1
    # A late reading of that time is measured by the new grid.
    assert alerts(log.read(reading("A", "03:00:00"))) == [("A@2024-01-01T02:00:00Z", 2, "PARTIAL")]


def test_a_gap_retracted_and_found_again_under_the_same_id_continues_its_revisions() -> None:
    log, gap = Log(), "A@2024-01-01T01:00:00Z"
    read_at(log, "00:00:00", "00:30:00", "02:00:00")
    assert (log.gaps[gap].state, log.gaps[gap].revision, ranges(log.gaps[gap])) == (
        "CLOSED",
        1,
        [("01:00", "02:00")],
    )
    read_at(log, *(f"{hour:02}:00:00" for hour in range(3, 9)))
    last = log.gaps[gap]
    assert (last.state, last.revision, ranges(last)) == ("CLOSED", 2, [("01:00", "02:00")])
    log.tick("08:05:00")
    for name in ("gaps_opened", "gaps_closed"):
        assert sum(value for (metric, _), value in log.metrics.items() if metric == name) == len(log.gaps)


def test_a_row_off_the_grid_counts_late_readings_and_moves_nothing_before_the_first_slot() -> None:
    log = Log()
    read_at(log, "10:00:00", "09:12:00", "09:13:00", "09:14:00")
    assert log.meters["A"].start == at("10:12:00")
    assert log.meters["A"].expected_next == at("10:12:00"), "no reading has filled a slot of this grid yet"
    assert log.gaps == {}
    assert alerts(log.tick("10:27:00")) == [("A@2024-01-01T10:12:00Z", 1, "OPEN")]
    # The first slot of the grid is missing, and a reading shortly before it is near enough to be its own.
    assert alerts(log.read(reading("A", "10:08:00"))) == [("A@2024-01-01T10:12:00Z", 2, "FILLED")]


def test_a_missed_reading_breaks_the_row() -> None:
    log = Log()
    read_at(log, "10:00:00", "10:15:00", "10:30:00", "11:00:00", "11:15:00", "11:30:00")
    assert log.meters["A"].interval == 30 * MINUTE


def test_differences_are_rounded_to_whole_minutes() -> None:
    log = Log()
    read_at(log, "10:00:00", "10:15:10", "10:29:55", "10:45:20")
    assert log.meters["A"].interval == 15 * MINUTE


@pytest.mark.parametrize(("minutes", "row"), [(26, 3), (34, 6)])
def test_a_row_begins_with_a_reading_that_is_still_near_its_slot(minutes: int, row: int) -> None:
    log = Log()
    read_at(log, "10:00:00")
    for number in range(1, row + 1):
        assert log.meters["A"].interval == 30 * MINUTE
        total = 600 + number * minutes
        read_at(log, f"{total // 60:02}:{total % 60:02}:00")
        assert ("OFF_GRID" in log.of(Validated)[-1].flags) is (number > 1)
    assert log.meters["A"].interval == minutes * MINUTE


def test_a_given_interval_wins_from_that_reading_on() -> None:
    log = Log()
    read_at(log, "10:00:00")
    read_at(log, "10:20:00", interval_minutes=20)
    assert log.of(Validated)[-1].flags == ("INTERVAL_CHANGED",)
    assert log.of(Validated)[-1].interval == 20 * MINUTE
    assert log.meters["A"].expected_next == at("10:40:00")
    read_at(log, "10:40:00", "11:40:00", "12:40:00", "13:40:00", "14:40:00", "15:40:00", "16:40:00")
    assert log.meters["A"].interval == 20 * MINUTE, "what is given is not learned"


def test_a_given_interval_of_an_older_reading_is_not_taken() -> None:
    log = Log()
    read_at(log, "10:00:00", "10:30:00")
    read_at(log, "10:10:00", interval_minutes=10)
    assert log.meters["A"].interval == 30 * MINUTE


def test_a_given_interval_ends_an_open_gap_with_what_remains() -> None:
    log = Log()
    read_at(log, "10:00:00")
    log.tick("11:15:00")
    read_at(log, "11:00:00", interval_minutes=60)
    last = log.gaps["A@2024-01-01T10:30:00Z"]
    assert (last.state, ranges(last)) == ("CLOSED", [("10:30", "11:00")])


def test_slots_of_the_old_grid_that_are_not_due_yet_still_become_missing() -> None:
    log = Log()
    read_at(log, "10:00:00")
    read_at(log, "10:40:00", interval_minutes=60)
    assert alerts(log.outputs) == []
    assert alerts(log.tick("10:45:00")) == [("A@2024-01-01T10:30:00Z", 1, "CLOSED")]
    assert alerts(log.tick("11:55:00")) == [("A@2024-01-01T11:40:00Z", 1, "OPEN")]


def test_a_late_reading_between_two_grids_is_near_a_slot_of_its_own_grid_or_off_it() -> None:
    log = Log(Policy(partitions=1, default_interval=60 * MINUTE))
    read_at(log, "10:00:00", "11:00:00")
    read_at(log, "12:00:00", interval_minutes=5)
    # Twelve o'clock is of the new grid, from which three minutes are too far.
    assert statuses(log.read(reading("A", "11:57:00"))) == [("LATE", ("OFF_GRID",))]
    assert statuses(log.read(reading("A", "11:59:00"))) == [("LATE", ("EXTRA",))]
    assert statuses(log.read(reading("A", "11:04:00"))) == [("LATE", ("EXTRA",))]


def test_a_first_reading_may_give_its_interval_without_changing_any() -> None:
    log = Log()
    read_at(log, "10:00:00", interval_minutes=15)
    assert log.of(Validated)[0].flags == ("FIRST",)
    assert log.meters["A"].expected_next == at("10:15:00")
