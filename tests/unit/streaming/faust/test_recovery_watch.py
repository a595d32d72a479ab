"""Recovery reads all of the changelog: a last batch that did not arrive is read again, a gap is no state."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import IllegalStateError
from faust.types import TP

from gridwatch.domain.meter.state import MeterState
from gridwatch.streaming.faust.continuity import ContinuityPolicy, Rereads
from gridwatch.streaming.faust.recovery import RecoveryWatch
from gridwatch.tables.meter_rows import METER
from gridwatch.tables.store import DamagedError, Store, TopicIdentity
from tests.batches import batch_of
from tests.stores import store_in

POLICY = ContinuityPolicy(idle_seconds=2.0)
PLACE = TP("log", 2)
OTHER = TP("log", 3)
A_METER = METER.encode(MeterState(0, 60))


class Recovery:
    """Faust in the middle of a recovery: how far each changelog is read, and where its consumer stands."""

    def __init__(self) -> None:
        self.active_highwaters: dict[Any, int | None] = {PLACE: 9}
        self.active_offsets: dict[Any, int | None] = {PLACE: 4}
        self.waits_in_queue = False
        self.positions: dict[Any, int | None] = {PLACE: 10}
        self.sought: list[tuple[Any, int]] = []
        self.ours = True
        self.rereads = Rereads()
        tables = SimpleNamespace(
            recovery=self, changelog_queue=SimpleNamespace(empty=lambda: not self.waits_in_queue)
        )
        self.watch = RecoveryWatch(SimpleNamespace(tables=tables, consumer=self), self.rereads, POLICY)

    def state_of(self, tp: Any) -> Any:
        if tp not in self.positions:
            return None
        position = self.positions[tp]
        return SimpleNamespace(position=position, has_valid_position=position is not None)

    async def seek_wait(self, positions: dict[Any, int]) -> None:
        self.sought += positions.items()
        if not self.ours:
            raise IllegalStateError("not assigned")
        self.positions.update(positions)

    def check(self, *times: float) -> list[tuple[Any, int]]:
        """Look at each of these times; what has been sought since the start."""

        async def scenario() -> None:
            for now in times:
                await self.watch.check(now)

        asyncio.run(scenario())
        return self.sought

    def counted(self) -> int:
        return self.rereads.counts["changelog"]


@pytest.fixture
def recovery() -> Recovery:
    return Recovery()


def test_a_last_batch_that_did_not_arrive_is_read_again_after_so_many_idle_seconds(
    recovery: Recovery,
) -> None:
    assert recovery.check(100.0, 101.9) == []
    assert recovery.check(102.0) == [(PLACE, 5)]
    assert recovery.counted() == 1


def test_it_is_read_again_as_often_as_it_is_dropped_and_each_time_is_counted(recovery: Recovery) -> None:
    recovery.check(100.0, 102.0)
    assert recovery.check(103.0, 104.0, 106.0) == [(PLACE, 5)]  # the fetch is on its way
    recovery.positions[PLACE] = 10  # it came, and was dropped again
    assert recovery.check(106.1) == [(PLACE, 5)] * 2
    assert recovery.counted() == 2


def test_what_was_read_again_is_given_the_same_time_to_arrive(recovery: Recovery) -> None:
    recovery.check(100.0, 102.0)
    recovery.positions[PLACE] = 10  # fetched at once, and not arrived yet
    assert recovery.check(102.5, 104.4) == [(PLACE, 5)]
    assert recovery.check(104.5) == [(PLACE, 5)] * 2


def test_nothing_is_read_again_while_something_waits_to_be_applied(recovery: Recovery) -> None:
    recovery.waits_in_queue = True
    assert recovery.check(100.0, 102.0, 200.0) == []
    recovery.waits_in_queue = False
    assert recovery.check(200.1, 202.0) == []  # idle only since the queue was seen empty
    assert recovery.check(202.1) == [(PLACE, 5)]


@pytest.mark.parametrize("position", [4, 5, None])
def test_nothing_is_read_again_while_the_fetch_is_merely_pending(
    recovery: Recovery, position: int | None
) -> None:
    recovery.positions[PLACE] = position
    assert recovery.check(100.0, 102.0, 200.0) == []
    assert recovery.counted() == 0


def test_progress_restarts_the_idle_time(recovery: Recovery) -> None:
    recovery.check(100.0, 101.9)
    recovery.active_offsets[PLACE] = 6
    assert recovery.check(102.0, 103.9) == []
    assert recovery.check(104.0) == [(PLACE, 7)]


def test_a_changelog_that_is_read_to_its_end_is_left_alone(recovery: Recovery) -> None:
    recovery.active_offsets[PLACE] = 9
    assert recovery.check(100.0, 102.0, 200.0) == []
    recovery.active_highwaters[PLACE] = None  # its end is not known yet
    recovery.active_offsets[PLACE] = 4
    assert recovery.check(300.0, 400.0) == []
    recovery.active_highwaters[PLACE] = 9
    recovery.active_offsets[PLACE] = None  # nor where it is read from
    assert recovery.check(500.0, 600.0) == []


def test_a_changelog_of_which_nothing_has_come_is_read_from_its_first_offset(recovery: Recovery) -> None:
    recovery.active_offsets[PLACE] = -1
    assert recovery.check(100.0, 102.0) == [(PLACE, 0)]


def test_partitions_are_watched_apart(recovery: Recovery) -> None:
    recovery.active_highwaters[OTHER], recovery.active_offsets[OTHER] = 20, 7
    recovery.positions[OTHER] = 21
    recovery.check(100.0)
    recovery.active_offsets[OTHER] = 8
    assert recovery.check(102.0) == [(PLACE, 5)]
    assert recovery.check(104.0) == [(PLACE, 5), (OTHER, 9)]


def test_a_partition_that_is_not_ours_any_more_hurts_nobody(recovery: Recovery) -> None:
    recovery.ours = False
    assert recovery.check(100.0, 102.0) == [(PLACE, 5)]
    del recovery.positions[PLACE]
    assert recovery.check(104.0, 106.0) == [(PLACE, 5)]


# -- what the store makes of a gap in the middle


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    yield store_in(tmp_path)
    gc.collect()


def apply(store: Store, start: int, end: int, *offsets: int) -> None:
    """A fetch of the changelog that answers for [start, end), with a meter's row at each of those offsets."""
    records = [
        SimpleNamespace(offset=offset, key=b"M%d" % offset, value=A_METER, timestamp=0) for offset in offsets
    ]
    fetched = batch_of("log", 2, records, start, end)
    store.apply_changelog_batch([SimpleNamespace(value=fetched)], None, None)


def asked(store: Store) -> int:
    """What a recovery that begins is found."""
    return store.persisted_offset(PLACE)


def names(store: Store) -> list[bytes]:
    return [key for key, _ in store.rows(2)]


@pytest.fixture
def gaps(store: Store) -> list[tuple[str, int, int]]:
    found: list[tuple[str, int, int]] = []
    store.on_gap = lambda *gap: found.append(gap)
    return found


def test_contiguous_ranges_are_applied_with_or_without_records(
    store: Store, gaps: list[tuple[str, int, int]]
) -> None:
    asked(store)
    apply(store, 0, 10, 0, 7)  # thinned out by compaction
    apply(store, 10, 14)  # nothing left of it
    apply(store, 14, 15, 14)
    assert names(store) == [b"M0", b"M14", b"M7"]
    assert gaps == []
    assert asked(store) == 14


def test_a_gap_marks_the_partition_incomplete_and_applies_no_more_rows(
    store: Store, gaps: list[tuple[str, int, int]]
) -> None:
    asked(store)
    apply(store, 0, 3, 0, 1, 2)
    apply(store, 5, 6, 5)
    apply(store, 6, 7, 6)  # this one joins on to what was not taken in
    apply(store, 3, 5, 3, 4)  # and this one comes too late
    assert gaps == [("log", 2, 3)]
    for question in (lambda: store.row(2, b"M0"), lambda: names(store), lambda: store.applied_offset(2)):
        with pytest.raises(DamagedError, match="has an offset gap in its changelog"):
            question()
    with pytest.raises(DamagedError):
        store.buffer(2, [(b"M9", A_METER)], 9)


def test_after_a_gap_recovery_restarts_from_the_applied_offset_and_loses_nothing(
    store: Store, gaps: list[tuple[str, int, int]]
) -> None:
    asked(store)
    apply(store, 0, 3, 0, 1, 2)
    apply(store, 5, 6, 5)
    assert asked(store) == 2
    assert names(store) == [b"M0", b"M1", b"M2"]
    apply(store, 2, 6, 2, 3, 4, 5)  # Faust reads the last one again
    assert names(store) == [b"M0", b"M1", b"M2", b"M3", b"M4", b"M5"]
    assert asked(store) == 5
    assert len(gaps) == 1


def test_a_gap_in_the_next_recovery_is_reported_again(store: Store, gaps: list[tuple[str, int, int]]) -> None:
    store.changelog = TopicIdentity(b"one", {2: 0}, {2: 99})
    asked(store)
    apply(store, 0, 3, 0, 1, 2)
    apply(store, 5, 6, 5)
    asked(store)
    apply(store, 4, 6, 4, 5)
    assert gaps == [("log", 2, 3)] * 2
    assert asked(store) == 2


def test_a_gap_is_detected_also_in_a_full_recovery_after_a_database_was_deleted(
    store: Store, gaps: list[tuple[str, int, int]]
) -> None:
    store.changelog = TopicIdentity(b"one", {2: 0}, {2: 99})
    asked(store)
    apply(store, 0, 9, 0, 8)
    store.changelog = TopicIdentity(b"another", {2: 0}, {2: 99})
    assert asked(store) == -1
    apply(store, 0, 2, 0)
    apply(store, 5, 6, 5)
    assert gaps == [("log", 2, 2)]


def test_a_range_read_again_is_no_gap_and_does_not_move_the_offset_back(
    store: Store, gaps: list[tuple[str, int, int]]
) -> None:
    asked(store)
    apply(store, 0, 6, 0, 5)
    apply(store, 0, 3, 0)
    apply(store, 6, 7, 6)
    assert gaps == []
    assert names(store) == [b"M0", b"M5", b"M6"]


@pytest.mark.parametrize(
    ("reached", "begins", "first", "is_gap"),
    [
        (-1, 0, 0, False),
        (-1, 0, 1, True),
        (-1, 40, 40, False),  # trimmed: there is nothing before
        (-1, 40, 41, True),
        (3, 0, 4, False),
        (3, 0, 3, False),
        (3, 0, 5, True),
        (3, 40, 40, False),  # what was between is gone from the log
        (3, 40, 41, True),
    ],
)
def test_the_first_range_may_start_after_the_applied_offset_or_at_the_start_of_the_changelog(
    store: Store, gaps: list[tuple[str, int, int]], reached: int, begins: int, first: int, is_gap: bool
) -> None:
    store.changelog = TopicIdentity(b"one", {2: begins}, {2: 99})
    asked(store)
    if reached >= 0:
        store.write(2, [(b"M0", A_METER)], reached)
    assert asked(store) == reached
    apply(store, first, first + 1, first)
    expected = max(reached + 1, begins)
    assert gaps == ([("log", 2, expected)] if is_gap else [])
    assert asked(store) == (reached if is_gap else first)


def test_while_the_start_of_the_changelog_is_unknown_a_later_first_range_is_a_gap(
    store: Store, gaps: list[tuple[str, int, int]]
) -> None:
    asked(store)
    apply(store, 40, 41, 40)
    assert gaps == [("log", 2, 0)]
    with pytest.raises(DamagedError):
        store.row(2, b"M40")


def test_a_gap_in_one_partition_is_none_in_another(store: Store, gaps: list[tuple[str, int, int]]) -> None:
    asked(store)
    apply(store, 0, 1, 0)
    apply(store, 5, 6, 5)
    store.write(3, [(b"M1", A_METER)], 1)
    assert store.row(3, b"M1") == A_METER
    assert store.applied_offset(3) == 1
