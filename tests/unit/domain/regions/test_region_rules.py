"""What is published of a region, and when."""

from __future__ import annotations

import pytest

from gridwatch.domain.outputs import DeadLetter, RegionLimit
from gridwatch.domain.policy import DAY, HOUR, MINUTE
from gridwatch.domain.regions.kept import UNHEARD
from gridwatch.domain.regions.records import FINAL, PRELIMINARY, QUARTER, UPDATED, Refused, RegionRow
from tests.unit.domain.regions.feed import NOON, Run, bundle, group, names, out, window

END = NOON + QUARTER


def told(rows: list[RegionRow]) -> list[tuple[str, int, int]]:
    """State, revision and energy of each row, in kWh."""
    return [(row.state, row.revision, row.energy // 10**9) for row in rows]


# -- the states of a row


def test_a_row_is_published_once_every_source_has_passed_the_end() -> None:
    run = Run()
    assert run.rows(bundle(0, END, [window()])) == []
    assert run.rows(bundle(1, END - 1)) == []
    [row] = run.rows(bundle(1, END, [window()]))
    assert (row.id, row.state, row.revision, row.complete) == (
        "north@2024-01-01T12:00:00Z",
        PRELIMINARY,
        2,
        True,
    )
    assert (row.energy, row.active, row.reporting) == (20 * 10**9, 20, 20)


def test_a_source_without_meters_of_a_region_is_waited_for_too() -> None:
    run = Run()
    assert run.rows(bundle(0, END, [window()])) == []
    assert told(run.rows(bundle(1, END))) == [(PRELIMINARY, 1, 10)]


def test_the_first_row_is_of_initial_entries_and_what_came_meanwhile_is_an_update() -> None:
    run = Run()
    run.take(bundle(0, END, [window()]))
    run.take(bundle(0, END + MINUTE, [window(revision=2, initial=False, flat=11 * 10**9)]))
    assert told(run.rows(bundle(1, END, [window()]))) == [(PRELIMINARY, 2, 20)]
    assert run.rows(bundle(1, END + MINUTE // 2)) == []
    assert told(run.rows(bundle(1, END + MINUTE))) == [(UPDATED, 3, 21)]


def test_several_revisions_between_two_minutes_are_one_update() -> None:
    run = Run()
    run.take(bundle(0, END, [window()]), bundle(1, END, [window()]))
    later = window(revision=2, initial=False, flat=12 * 10**9)
    assert run.rows(bundle(0, END + MINUTE, [later])) == []
    assert told(run.rows(bundle(1, END + MINUTE, [later]))) == [(UPDATED, 4, 24)]
    assert run.rows(bundle(0, END + 2 * MINUTE), bundle(1, END + 2 * MINUTE)) == []


def test_a_window_that_nobody_had_anything_of_at_its_end_begins_with_an_update() -> None:
    run = Run()
    assert run.rows(bundle(0, END), bundle(1, END)) == []
    late = window(initial=False)
    assert told(run.rows(bundle(0, END + MINUTE, [late]), bundle(1, END + MINUTE))) == [(UPDATED, 1, 10)]


def test_a_final_row_counts_one_more_and_its_window_is_gone() -> None:
    run = Run()
    run.take(bundle(0, END, [window()]), bundle(1, END, [window()]))
    assert len(run.state.windows) == 1
    assert run.rows(bundle(0, END + HOUR)) == []
    assert told(run.rows(bundle(1, END + HOUR))) == [(FINAL, 3, 20)]
    assert run.state.windows == {}
    late = window(revision=9, initial=False)
    assert run.rows(bundle(0, END + 2 * HOUR, [late]), bundle(1, END + 2 * HOUR)) == []


def test_a_jump_makes_the_first_and_the_final_row_in_one_step() -> None:
    run = Run(1)
    assert told(run.rows(bundle(0, END + DAY, [window(final=True)]))) == [
        (PRELIMINARY, 1, 10),
        (FINAL, 2, 10),
    ]


def test_what_is_stale_and_final_in_one_step_is_final_only() -> None:
    run = Run(1)
    run.take(bundle(0, END, [window()]))
    rows = run.rows(bundle(0, END + HOUR, [window(revision=2, initial=False)]))
    assert told(rows) == [(FINAL, 3, 10)]


def test_a_repeated_bundle_is_skipped_whole() -> None:
    run = Run()
    first = bundle(0, END, [window()], [group(4, 4)])
    run.take(first, bundle(0, END + MINUTE))
    again = first._replace(windows=(window(revision=7),))
    assert run.take(again, bundle(0, END + MINUTE, [window(revision=7)])) == []
    assert told(run.rows(bundle(1, END + MINUTE))) == [(PRELIMINARY, 1, 10)]


def test_rows_are_published_by_time_and_region() -> None:
    run = Run(1)
    next_one = NOON + QUARTER
    entries = [window("b", next_one), window("a", next_one), window("b"), window("a")]
    rows = run.rows(bundle(0, END + QUARTER, entries))
    assert [(row.start, row.region) for row in rows] == [
        (NOON, "a"), (NOON, "b"), (next_one, "a"), (next_one, "b"),
    ]  # fmt: skip


# -- sources that are out


def test_a_row_without_a_source_that_is_out_is_incomplete_and_counts_its_last_meters() -> None:
    run = Run()
    run.take(bundle(0, END, [window()]), bundle(1, END, [window(active=4, uncovered=2)]))
    start = END
    run.take(bundle(0, END + QUARTER, [window(start=start)]))
    [row] = run.rows(out(1))
    assert (row.state, row.complete, row.revision) == (PRELIMINARY, False, 1)
    assert (row.active, row.uncovered, row.completeness) == (14, 2, 7143)
    assert run.state.sources_out == ["smartmeter/1"]


def test_the_meters_of_a_source_alone_make_no_row() -> None:
    run = Run()
    run.take(bundle(0, END, [window()]), bundle(1, END, [window()]))
    run.take(bundle(0, END + QUARTER))
    assert run.rows(out(1)) == []


def test_a_source_that_comes_back_completes_the_row() -> None:
    run = Run()
    run.take(bundle(1, NOON), bundle(0, END, [window()]), out(1))
    assert run.rows(bundle(1, END - MINUTE)) == []
    assert run.state.sources_out == []
    [row] = run.rows(bundle(1, END, [window()]))
    assert (row.state, row.complete, row.revision, row.energy) == (PRELIMINARY, True, 3, 20 * 10**9)
    assert told(run.rows(bundle(0, END + HOUR), bundle(1, END + HOUR))) == [(FINAL, 4, 20)]


def test_a_source_that_comes_back_with_nothing_completes_the_row() -> None:
    run = Run()
    run.take(bundle(1, NOON), bundle(0, END, [window()]), out(1))
    [row] = run.rows(bundle(1, END))
    assert (row.state, row.complete, row.revision) == (PRELIMINARY, True, 2)


def test_a_row_waits_for_its_end_with_a_source_that_is_out_but_was_heard() -> None:
    run = Run()
    run.take(bundle(1, NOON), bundle(0, END, [window()]), out(1))
    assert run.rows(bundle(0, END + DAY)) == []
    assert told(run.rows(bundle(1, END + DAY))) == [(PRELIMINARY, 2, 10), (FINAL, 3, 10)]


def test_a_source_that_was_never_heard_and_is_out_is_not_waited_for() -> None:
    run = Run()
    run.take(bundle(0, END, [window()]))
    [row] = run.rows(out(1))
    assert (row.state, row.complete) == (PRELIMINARY, False)
    [row] = run.rows(bundle(0, END + HOUR))
    assert (row.state, row.complete) == (FINAL, False)


def test_a_source_may_be_put_out_before_anything_was_heard() -> None:
    run = Run()
    assert run.rows(out(1)) == []
    assert told(run.rows(bundle(0, END, [window()]))) == [(PRELIMINARY, 1, 10)]


def test_a_source_that_holds_nothing_up_stays_in() -> None:
    run = Run()
    run.take(bundle(0, END, [window()]), bundle(1, END))
    assert run.rows(out(0), out(1)) == []
    assert run.state.sources_out == []
    run.take(bundle(0, END + MINUTE), out(0), out(1))
    assert run.state.sources_out == ["smartmeter/1"]


def test_with_all_sources_out_what_the_fastest_has_passed_is_published() -> None:
    run = Run(3)
    run.take(bundle(0, NOON), bundle(1, END, [window()]), bundle(2, END + QUARTER, [window(start=END)]))
    run.take(out(0), out(1))
    assert run.state.sources_out == ["smartmeter/0", "smartmeter/1"]
    assert run.state.oldest_unpublished is None


# -- capacity


def limit(version: int, kw: float, valid_from: int | None = None, region: str = "north") -> RegionLimit:
    return RegionLimit(region, version, kw, valid_from)


def capacities(run: Run, *starts: int) -> list[int | None]:
    """What rows say of windows of one source; each is published as its watermark passes the end."""
    found = []
    for start in starts:
        found += [row.capacity for row in run.rows(bundle(0, start + QUARTER, [window(start=start)]))]
    return found


def test_a_capacity_holds_from_the_window_that_is_not_over_yet() -> None:
    run = Run(1)
    run.take(bundle(0, NOON + MINUTE, limits=[limit(1, 50.0)]))
    assert capacities(run, NOON, END) == [50_000_000] * 2


def test_a_capacity_does_not_change_windows_that_were_over() -> None:
    run = Run(1)
    run.take(bundle(0, NOON, limits=[limit(1, 50.0)]))
    assert capacities(run, NOON) == [50_000_000]
    run.take(bundle(0, END + 1, limits=[limit(2, 60.0)]))
    revised = run.rows(bundle(0, END + MINUTE, [window(revision=2, initial=False)]))
    assert [row.capacity for row in revised] == [50_000_000]
    assert capacities(run, END) == [60_000_000]


def test_a_capacity_that_is_valid_later_holds_from_the_first_window_after() -> None:
    run = Run(1)
    run.take(bundle(0, NOON, limits=[limit(1, 50.0), limit(2, 60.0, END + 1)]))
    assert capacities(run, NOON, END, END + QUARTER) == [50_000_000, 50_000_000, 60_000_000]


def test_a_newer_version_takes_the_place_of_one_that_is_valid_later() -> None:
    run = Run(1)
    run.take(bundle(0, NOON, limits=[limit(1, 50.0, END), limit(2, 60.0), limit(3, 70.0)]))
    assert [one.version for one in run.state.regions["north"].limits] == [3]
    assert capacities(run, NOON, END) == [70_000_000] * 2


@pytest.mark.parametrize("version", [1, 2])
def test_an_older_version_changes_nothing(version: int) -> None:
    run = Run(1)
    run.take(bundle(0, NOON, limits=[limit(2, 50.0), limit(version, 60.0)]))
    assert capacities(run, NOON) == [50_000_000]


def test_without_a_capacity_above_zero_there_is_no_percentage() -> None:
    run = Run(1)
    run.take(bundle(0, NOON, limits=[limit(1, 0.0)]))
    [row] = run.rows(bundle(0, END, [window()]))
    assert (row.capacity, row.percentage, row.load) == (None, None, 40_000_000)


def test_capacities_of_the_past_are_forgotten_with_their_windows() -> None:
    run = Run(1)
    for version in range(1, 20):
        run.take(bundle(0, NOON + version * HOUR, limits=[limit(version, 1.0 * version)]))
    kept = run.state.regions["north"].limits
    assert [one.version for one in kept] == [17, 18, 19]


# -- what is no bundle


def test_a_source_that_takes_no_part_is_a_dead_letter_and_changes_nothing() -> None:
    run = Run()
    first, second = run.take(bundle(2, END, [window()]), out(7))
    assert isinstance(first, DeadLetter)
    assert isinstance(second, DeadLetter)
    assert (first.reasons, first.offset, second.offset) == (("UNKNOWN_SOURCE",), 0, 1)
    assert "smartmeter/2 takes no part; those that do: smartmeter/0, smartmeter/1" in first.message
    assert (run.state.windows, run.state.slowest) == ({}, UNHEARD)


def test_what_was_refused_is_a_dead_letter() -> None:
    run = Run()
    [letter] = run.take(Refused(("NEWER_VERSION",), "version 2", "version"))
    assert isinstance(letter, DeadLetter)
    assert (letter.reasons, letter.message, letter.field, letter.raw) == (
        ("NEWER_VERSION",),
        "version 2",
        "version",
        b"?",
    )
    assert (run.outcome.good, run.outcome.run, run.state.next_offset) == (0, 1, 1)


# -- for metrics


def test_what_waits_is_seen_from_outside() -> None:
    run = Run()
    assert (run.state.oldest_unpublished, run.state.known_regions, run.state.open_incidents) == (None, 0, 0)
    run.take(bundle(0, END + QUARTER, [window(), window(start=END), window("south")], [group(4, 4)]))
    assert (run.state.oldest_unpublished, run.state.known_regions) == (NOON, 2)
    run.take(bundle(1, END))
    assert run.state.oldest_unpublished == END
    run.take(bundle(1, END + QUARTER))
    assert (run.state.oldest_unpublished, run.state.open_incidents) == (None, 1)


# -- other sources than before


def test_what_a_source_sent_that_takes_no_part_any_more_stays_in_its_windows() -> None:
    run = Run(3)
    run.take(*(bundle(number, END, [window()], [group(4, 4)]) for number in range(3)))
    run.state.limit_to(names(2))
    assert [list(one.parts) for one in run.state.groups["north"].values()] == [names(2)]
    rows = run.rows(*(bundle(number, END + HOUR) for number in range(2)))
    assert told(rows) == [(FINAL, 4, 30)]


def test_a_source_that_is_new_is_waited_for() -> None:
    run = Run(1)
    run.take(bundle(0, END, [window()]))
    run.state.limit_to(names(2))
    assert run.rows(bundle(0, END + DAY)) == []
    assert told(run.rows(bundle(1, END + DAY))) == [(PRELIMINARY, 2, 10), (FINAL, 3, 10)]
