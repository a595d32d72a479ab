"""The last day of every region: the newest revision stands, and what was not read is said."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gridwatch.models.regional_aggregate import RegionalAggregate
from gridwatch.views.log_tail import Record
from gridwatch.views.regional.rows import QUARTER, WINDOWS, RegionalRows
from tests.unit.views.regional.kinds import row
from tests.unit.views.test_state import TEN


def record(one: RegionalAggregate, offset: int = 0) -> Record:
    return Record(0, offset, 0, one.region.encode(), msgspec.json.encode(one))


def read(*rows: RegionalAggregate, most: int = 10_000, first: int = 0) -> RegionalRows:
    known = RegionalRows(most)
    if rows:
        known.begin_at(record(rows[0], first))
    for one in rows:
        known.take(record(one))
    known.settle()
    return known


@given(st.permutations([(quarter, revision) for quarter in range(3) for revision in range(1, 4)]))
def test_the_newest_revision_stands_in_whatever_order_they_come(order: list[tuple[int, int]]) -> None:
    known = read(
        *(row(quarter=quarter, load=10.0 * revision, revision=revision) for quarter, revision in order)
    )
    assert [(at, one.revision, one.load_percentage) for at, one in known.windows("R01")] == [
        (TEN + quarter * QUARTER, 3, 30.0) for quarter in range(3)
    ]
    assert [one.window_start for one in known.newest()] == ["2024-01-01T10:30:00Z"]


def test_the_day_ends_with_the_newest_window_of_all() -> None:
    known = read(row("A", 0), row("A", 1), row("B", WINDOWS), row("C", 0))
    assert [at for at, _ in known.windows("A")] == [TEN + QUARTER]
    assert (known.start, known.end) == (TEN + QUARTER, TEN + (WINDOWS + 1) * QUARTER)
    assert known.windows("C") == []
    assert len(known) == 2
    known.take(record(row("C", 0, revision=9)))
    assert known.windows("C") == []


def test_of_too_many_rows_the_oldest_windows_give_way_and_that_is_said() -> None:
    rows = [row(f"R{region}", quarter) for quarter in range(4) for region in range(10)]
    known = read(*rows, most=25)
    assert {at for region in range(10) for at, _ in known.windows(f"R{region}")} == {
        TEN + 2 * QUARTER,
        TEN + 3 * QUARTER,
    }
    assert known.complete_from == TEN + 2 * QUARTER
    # The newest window stays whole, whatever the bound.
    assert len(read(*rows, most=5)) == 10


def test_before_the_first_record_that_was_read_windows_may_be_missing() -> None:
    assert read(row(quarter=0), row(quarter=1), first=5).complete_from == TEN + QUARTER
    assert read(row(quarter=0), row(quarter=1), first=0).complete_from is None
    assert read().complete_from is None


def test_the_highest_load_is_one_of_now() -> None:
    known = read(row("old", 0, 99.0), row("A", 8, 50.0), row("B", 8, 70.0), row("C", 8, None))
    highest = known.highest()
    assert highest is not None
    assert (highest.region, highest.load_percentage) == ("B", 70.0)
    assert read(row("A", 0, None)).highest() is None


def test_what_is_no_row_is_left_out() -> None:
    known = read(row())
    for value in (b"", b"{}", b"[1]", msgspec.json.encode(row(window_start="soon"))):
        known.begin_at(Record(0, 3, 0, None, value))
        known.take(Record(0, 3, 0, None, value))
    known.settle()
    assert (len(known), known.complete_from) == (1, None)
