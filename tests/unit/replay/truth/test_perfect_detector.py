"""What a perfect detector must report, on cases worked out by hand, some held against the real rules too."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from gridwatch.domain.instants import format_instant
from gridwatch.domain.policy import Policy
from replay.faults import FaultPlan
from replay.files.rows import Row
from replay.order.emission import Item, Kind, final_after
from replay.sending.placement import Placement
from replay.truth.findings import GapTruth, NothingTruth, ReadingTruth, Unjudged
from replay.truth.manifest import read_manifest
from replay.truth.perfect_detector import Truth
from tests.unit.replay.rig import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    at,
    every,
    findings,
    manifest,
    row,
    row_giving,
    scored,
    sequence,
)


def gaps(items: list[Item], policy: Policy | None = None) -> list[tuple[str, str, str, int, int]]:
    return [
        (
            gap.state,
            format_instant(gap.first)[11:16],
            format_instant(gap.to)[11:16],
            gap.missing,
            gap.injected,
        )
        for gap in findings(items, policy)
        if isinstance(gap, GapTruth)
    ]


def withhold(rows: list[Row], *times: int, meter: str = "M") -> list[Item]:
    """The sequence of `rows` in which those of this meter and these times are withheld."""
    left_out = [r for r in rows if r[1] == meter and r[0] in times]
    kept = sequence([r for r in rows if r not in left_out])
    return sorted(
        [*kept, *(Item(Kind.WITHHELD, r[0], r, 0, 0) for r in left_out)], key=lambda item: item.arrival
    )


def test_readings_at_ten_and_twelve_are_one_closed_gap_of_three() -> None:
    items = sequence([row("M", at("10:00")), row("M", at("12:00"))])
    assert gaps(items) == [("CLOSED", "10:30", "12:00", 3, 0)]


def test_the_example_of_the_specification() -> None:
    items = sequence([row("M", at("10:00")), row("N", at("10:30"))])
    assert gaps(items) == [("OPEN", "10:30", "10:45", 1, 0)]


def test_withheld_and_native_neighbours_are_one_gap() -> None:
    rows = every(30, "M", at("10:00"), 6, without=[2])
    assert gaps(withhold(rows, at("10:30"))) == [("CLOSED", "10:30", "11:30", 2, 1)]


def test_two_withheld_slots_with_a_reading_between_are_two_gaps() -> None:
    rows = every(30, "M", at("10:00"), 6)
    assert gaps(withhold(rows, at("10:30"), at("11:30"))) == [
        ("CLOSED", "10:30", "11:00", 1, 1),
        ("CLOSED", "11:30", "12:00", 1, 1),
    ]


def test_what_is_withheld_before_the_first_reading_is_not_missed() -> None:
    found = findings(withhold(every(30, "M", at("10:00"), 4), at("10:00"), at("10:30")))
    assert [(f.slots, f.why) for f in found if isinstance(f, NothingTruth)] == [
        (2, "the meter was not known yet")
    ]
    assert not [f for f in found if isinstance(f, GapTruth)]


def test_a_meter_that_never_reports_is_never_missed() -> None:
    found = findings(
        withhold([*every(30, "A", at("10:00"), 2), row("B", at("10:15"))], at("10:15"), meter="B")
    )
    assert found == [NothingTruth("B", at("10:15"), at("10:15") + 1, 1, "the meter was not known yet")]


def test_a_meter_that_does_not_come_back_has_an_open_gap_up_to_the_end() -> None:
    rows = every(30, "A", at("10:00"), 9) + every(30, "B", at("10:00"), 9)
    items = withhold(rows, at("13:00"), at("13:30"), at("14:00"), meter="B")
    assert gaps(items) == [("OPEN", "13:00", "14:15", 3, 3)]


def test_a_meter_that_comes_back_after_a_week_had_an_expired_gap_and_is_new() -> None:
    rows = [*every(30, "A", at("00:00"), 48 * 9), row("B", at("00:00")), row("B", at("03:10", day=9))]
    found = [f for f in findings(sequence(rows)) if isinstance(f, GapTruth)]
    assert [(f.state, f.first, f.slots) for f in found] == [
        ("EXPIRED", at("00:30"), 7 * 48),
        ("OPEN", at("03:40", day=9), 40),
    ]


def test_a_reading_later_than_grace_fills_its_gap() -> None:
    reading = row("M", at("10:30"))
    items = sequence(every(30, "M", at("10:00"), 6, without=[1]))
    place = next(n for n, item in enumerate(items) if item.arrival > at("11:00"))
    items.insert(place, Item(Kind.READING, at("11:00") + 1, reading, 30 * MINUTE + 1, 0))
    assert gaps(items) == [("FILLED", "10:30", "11:00", 0, 0)]
    assert [f.status for f in findings(items) if isinstance(f, ReadingTruth)] == ["LATE"]


@pytest.mark.parametrize(
    ("longest", "seen"), [(5 * MINUTE, {"ON_TIME", "LATE"}), (3 * HOUR, {"LATE", "TOO_LATE"})]
)
def test_delayed_readings_are_classified_by_the_watermark_of_their_partition(
    longest: int, seen: set[str]
) -> None:
    rows = [r for n in range(4) for r in every(30, f"M{n}", at("00:00"), 100)]
    items = sequence(rows, FaultPlan(1, 0.3, longest, 0.0))
    assert {f.status for f in findings(items) if isinstance(f, ReadingTruth)} >= seen


def test_delays_within_grace_open_no_gap() -> None:
    items = sequence(every(30, "M", at("00:00"), 300), FaultPlan(1, 0.5, 5 * MINUTE, 0.0))
    assert gaps(items) == []


def test_refused_readings_leave_their_slot_empty() -> None:
    rows = every(30, "M", at("10:00"), 4)
    rows[1] = row("M", at("10:30"), -1.0)
    rows[2] = row("M", at("11:00"), 1e6)
    assert gaps(sequence(rows)) == [("CLOSED", "10:30", "11:30", 2, 0)]


def test_a_slot_that_another_reading_fills_is_not_missed() -> None:
    rows = [*every(30, "M", at("10:00"), 4), row("M", at("10:31"))]
    found = findings(withhold(rows, at("10:30")))
    assert [f.why for f in found if isinstance(f, NothingTruth)] == ["its slot was filled by another reading"]


def test_a_given_interval_is_judged_from_the_first_reading(tmp_path: Path) -> None:
    rows = [row("M", at("10:00") + n * HOUR, given=60) for n in range(8) if n != 3]
    assert gaps(sequence(rows)) == [("CLOSED", "13:00", "14:00", 1, 0)]
    assert scored(sequence(rows), tmp_path).perfect


def test_a_learned_interval_is_judged_from_where_it_is_known(tmp_path: Path) -> None:
    items = sequence(every(60, "M", at("00:00"), 20, without=[12]))
    found = findings(items)
    assert [(f.first, f.to) for f in found if isinstance(f, Unjudged)] == [(at("00:30"), at("06:00"))]
    assert gaps(items) == [("CLOSED", "12:00", "13:00", 1, 0)]
    assert scored(items, tmp_path).perfect


def test_the_manifest_says_how_far_it_was_settled_and_keeps_every_kind(tmp_path: Path) -> None:
    items = sequence(every(30, "M", at("00:00"), 400, without=[9]), FaultPlan(2, 0.2, 2 * HOUR, 0.1))
    truth = manifest(items, tmp_path)
    assert truth.settled_to == items[-1].instant
    assert truth.faults["gap"] > 20
    assert truth.faults["delay"] > 40
    assert truth.late


def test_memory_is_bounded_by_meters_not_by_readings() -> None:
    reported = []
    rows = every(30, "M", at("00:00"), 48 * 20)
    items = sequence(rows, FaultPlan(1, 0.0, 1, 0.3))
    half = len(items) // 2
    truth = Truth(Policy(), Placement(6).partition, reported.append)
    for item in items[:half]:
        truth.see(item)
    held_since = max(f.first for f in reported if isinstance(f, GapTruth))
    assert items[half].arrival - held_since < 2 * DAY


def seconds(meter: str, *times: int) -> list[Row]:
    """Readings at so many seconds of the day."""
    return [row(meter, at("00:00") + time * SECOND) for time in times]


@pytest.mark.parametrize(
    ("rows", "plan", "policy"),
    [
        # A late reading is judged on the grid of its time, which was let go when the readings changed phase.
        (
            seconds("M3", 6_540, 6_825, 7_980, 8_160, 8_220, 8_400, 8_460, 64_785),
            FaultPlan(93, 0.3, 3 * HOUR, 0.3),
            Policy(partitions=3, state_ttl=DAY),
        ),
        # The interval is learned while the new phase is unclear, and when that clears up goes on being so.
        (
            seconds("M2", 5_100, 12_720, 16_320, 19_920, 19_980, 20_040, 20_100, 21_420),
            FaultPlan(68, 0.3, 3 * HOUR),
            Policy(partitions=1),
        ),
    ],
)
def test_late_readings_about_a_change_of_phase(
    rows: list[Row], plan: FaultPlan, policy: Policy, tmp_path: Path
) -> None:
    result = scored(sequence(rows, plan, policy), tmp_path, policy)
    assert [str(difference) for difference in result.differences] == []


def seconds(interval: int, meter: str, count: int, without: Iterable[int] = ()) -> list[Row]:
    """`count` slots from 10:00 on of a meter that gives an interval in seconds, without the ones of these
    numbers."""
    left_out, start = set(without), at("10:00")
    return [
        row_giving(meter, start + n * interval * SECOND, 1.0, interval * SECOND)
        for n in range(count)
        if n not in left_out
    ]


def spans(items: list[Item], policy: Policy | None = None) -> list[tuple[str, str, str, int]]:
    return [
        (gap.state, format_instant(gap.first)[11:19], format_instant(gap.to)[11:19], gap.missing)
        for gap in findings(items, policy)
        if isinstance(gap, GapTruth)
    ]


def test_a_meter_of_ten_seconds_has_a_grace_of_thirty() -> None:
    rows = [*seconds(10, "M", 40, without=(7, 8, 20)), *seconds(10, "N", 40)]
    assert spans(sequence(rows)) == [
        ("CLOSED", "10:01:10", "10:01:30", 2),
        ("CLOSED", "10:03:20", "10:03:30", 1),
    ]


def test_nothing_is_missing_after_the_end_of_a_run(tmp_path: Path) -> None:
    rows = [*seconds(10, "M", 40), *seconds(10, "N", 30)]
    for after in (None, final_after(Policy(), HOUR)):
        items = sequence(rows, settle_after=after)
        assert spans(items) == [("OPEN", "10:05:00", "10:07:00", 10)]
        assert scored(items, tmp_path).perfect


def test_an_open_gap_is_as_long_as_it_has_grown_by_the_end(tmp_path: Path) -> None:
    rows = [*seconds(10, "M", 600), *seconds(10, "N", 30)]
    # After an hour it grows once in a quarter of an hour, in its partition with the tick of 11:30:50.
    assert spans(sequence(rows, settle=False)) == [("OPEN", "10:05:00", "11:30:50", 513)]
    for after in (None, 20 * MINUTE, final_after(Policy(), HOUR)):
        assert scored(sequence(rows, settle_after=after), tmp_path).perfect
    assert spans(sequence(rows, settle_after=20 * MINUTE)) == [("OPEN", "10:05:00", "11:40:20", 570)]


def test_a_little_less_than_a_short_interval_is_taken_for_jitter() -> None:
    def learned(row_of: int) -> bool:
        times = [at("10:00") + n * 10 * SECOND for n in range(10)]
        times += [times[-1] + n * 8 * SECOND for n in range(1, row_of + 1)]
        policy = Policy(default_interval=10 * SECOND)
        return any(
            isinstance(one, Unjudged) for one in findings(sequence([row("M", t) for t in times]), policy)
        )

    assert [learned(4), learned(7)] == [False, True]


def test_a_manifest_says_seconds_and_one_in_minutes_alone_is_still_read(tmp_path: Path) -> None:
    items = sequence([*seconds(10, "M", 40, without=(7,)), *every(30, "N", at("10:00"), 2)])
    assert {gap.interval for gap in manifest(items, tmp_path).gaps} == {10 * SECOND}
    path = tmp_path / "truth.jsonl"
    head = json.loads(path.read_text().splitlines()[0])
    assert (head["end"], head["interval_seconds"]) == ("2024-01-01T10:30:00Z", 10)
    del head["end"], head["interval_seconds"]
    gap = {"missing_from": "2024-01-01T10:30:00Z", "missing_to": "2024-01-01T11:00:00Z", "state": "CLOSED"}
    gap |= {"missing_intervals": 1, "interval_minutes": 30, "missing_ranges": []}
    line = {"kind": "gap", "meter_id": "M", "expect": {"gap": gap}}
    path.write_text(f"{json.dumps(head)}\n{json.dumps(line)}\n")
    read = read_manifest(path)
    assert read.end is None
    assert read.gaps[0].interval == 30 * MINUTE


def test_a_meter_of_long_intervals_may_raise_the_watermark_by_two_of_them(tmp_path: Path) -> None:
    rows = [row_giving("M", at("00:00") + n * 40 * HOUR, 1.0, 20 * HOUR) for n in range(3)]
    items = [Item(Kind.READING, r[0], r, 0, 0) for r in rows]
    assert [state for state, *_ in spans(items)] == ["CLOSED", "CLOSED"]
    assert scored(items, tmp_path).perfect


def test_a_meter_of_long_intervals_is_known_for_three_of_them(tmp_path: Path) -> None:
    policy = Policy(state_ttl=HOUR, partitions=1)
    rows = [row_giving("M", at("00:00"), 1.0, HOUR), *(row("N", at("00:00") + n * HOUR) for n in range(1, 6))]
    items = sequence(rows, policy=policy)
    assert ("EXPIRED", "01:00:00", "04:00:00", 3) in spans(items, policy)
    assert scored(items, tmp_path, policy).perfect


def test_a_duplicate_does_not_make_a_gap_grow_and_a_late_reading_does(tmp_path: Path) -> None:
    policy = Policy(partitions=1)
    rows = sorted([*seconds(10, "M", 124), *seconds(10, "N", 30, without=(28,))])
    items = sequence(rows, policy=policy, settle=False)
    for time, to in ((at("10:04"), "10:20:00"), (at("10:04") + 40 * SECOND, "10:20:20")):
        again = row_giving("N", time, 1.0, 10 * SECOND)
        told = [
            *items,
            Item(Kind.READING, at("10:20") + 30 * SECOND, again, at("10:20") - time, 0, ("delay",)),
        ]
        assert [one[2] for one in spans(told, policy) if one[0] == "OPEN"] == [to]
        assert scored(told, tmp_path, policy).perfect


def test_what_a_clock_ahead_of_the_end_has_made_missing_stays_missing(tmp_path: Path) -> None:
    policy = Policy(partitions=1)
    ahead = row("N", at("11:30"))
    items = sequence([row("M", at("10:00")), row("N", at("10:20"))], policy=policy)
    assert items[-1].kind is Kind.SETTLE
    items.insert(-1, Item(Kind.READING, at("10:20"), ahead, 0, 0, ("clock",)))
    assert [one[:3:2] for one in spans(items, policy)] == [("OPEN", "11:15:00"), ("OPEN", "11:05:00")]
    assert scored(items, tmp_path, policy).perfect
