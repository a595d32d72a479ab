"""What a partition adds up comes back from its rows as it was; rows of older versions are read."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from gridwatch.domain.meter.archive import Block
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.meter.usage import Place
from gridwatch.domain.partials.group import QUARTER, Group
from gridwatch.domain.partials.quarter import Quarter
from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.partition.sums.regions import Silent
from gridwatch.domain.partition.windows import window_at
from gridwatch.domain.reading import HeldReading
from gridwatch.domain.registry.registration import Registration
from gridwatch.tables.meter_rows import BLOCK, METER, due_and_seen
from gridwatch.tables.partition_rows import PARTITION, plain_state
from gridwatch.tables.readings import METERS, due_times
from gridwatch.tables.registry_rows import REGISTRATION
from gridwatch.tables.row_kind import RowKind
from gridwatch.tables.sum_rows import SUMS

PLACE = Place("north", "f1", None, True)
FIRST = 1_704_103_200_000_000


def again(kind: RowKind[Any], state: Any) -> Any:
    return kind.decode(kind.encode(state))


def test_windows_that_changed_after_their_end() -> None:
    ended = {(0, 60): (2, True), (900, 900): (0, False)}
    assert METERS.decode("\x06M", METERS.encode("\x06M", ended)) == ended


def test_the_sums_of_a_quarter() -> None:
    quarter = Quarter("north", QUARTER)
    quarter.flat, quarter.minutes[3], quarter.received, quarter.extra = 7, -2, 900, 30
    quarter.reporting, quarter.prorated, quarter.revision, quarter.changed = 3, 1, 2, True
    found = METERS.decode("\x07x", METERS.encode("\x07x", quarter))
    assert SUMS.plain(found) == SUMS.plain(quarter)
    assert (found.flat, found.minutes[3], found.extra, found.changed, found.waits) == (7, -2, 30, True, False)


def test_a_group_and_a_silent_meter() -> None:
    group = Group(PLACE)
    group.step(QUARTER + 5, 1, 0)
    group.step(3 * QUARTER, -1, 0)
    group.base, group.changed = 4, True
    found = METERS.decode("\x08x", METERS.encode("\x08x", group))
    assert (found.place, found.base, found.steps, found.changed) == (PLACE, 4, group.steps, True)
    assert METERS.decode("\x0bM", METERS.encode("\x0bM", Silent(PLACE, 60))) == Silent(PLACE, 60)


def test_what_windows_and_regions_know_of_a_meter() -> None:
    meter = MeterState(FIRST, 10_000_000)
    usage = meter.use()
    usage.measures, usage.spans, usage.place = b"m" * 28, ((1, 2, 3, 4),), PLACE
    usage.reported_last, usage.reported, usage.joined = 77, (1 << 700) + 5, FIRST
    found = again(METER, meter)
    assert found.usage.joined == FIRST
    assert (found.usage.measures, found.usage.spans, found.usage.place) == (b"m" * 28, ((1, 2, 3, 4),), PLACE)
    assert (found.usage.reported_last, found.usage.reported) == (77, (1 << 700) + 5)
    assert found.given == meter.given


def test_what_readings_cover_and_since_when() -> None:
    meter = MeterState(FIRST, 60_000_000)
    meter.use().lag, meter.use().lag_since = 60_000_000, FIRST
    found = again(METER, meter)
    assert (found.usage.lag, found.usage.lag_since) == (60_000_000, FIRST)


def test_a_meter_that_nothing_is_added_up_of_has_a_row_as_before() -> None:
    meter = MeterState(FIRST, 10_000_000)
    plain = METER.plain(meter)
    meter.use()
    assert METER.plain(meter) == plain


def test_places_of_many_meters_are_one_object() -> None:
    meter = MeterState(FIRST, 10_000_000)
    meter.use().place = PLACE
    assert again(METER, meter).usage.place is again(METER, meter).usage.place


@pytest.mark.parametrize("measures", [b"", b"m" * 28])
def test_a_block_with_and_without_measures(measures: bytes) -> None:
    block = Block(b"r", b"e", measures)
    assert again(BLOCK, block) == block
    older = b"\x01" + msgspec.msgpack.encode((b"r", b"e"))
    assert BLOCK.decode(older) == Block(b"r", b"e", b"")


def test_a_partition_within_a_crossing() -> None:
    state = PartitionState(3, watermark=FIRST)
    state.crossed, state.crossing, state.new_regions = FIRST, (FIRST, 60, "M"), ("a", "b")
    state.held = (HeldReading("M", FIRST, 1.0, None, None, 1.0, None, b"m" * 20),)
    window_at(state.windows, FIRST, 300_000_000).unplaced = 9
    found = PARTITION.decode(PARTITION.encode(state))
    assert plain_state(found) == plain_state(state)
    assert found.held == state.held


def test_rows_from_before_there_were_sums() -> None:
    state = PartitionState(3, watermark=FIRST)
    window_at(state.windows, FIRST, 300_000_000).on_time = 4
    plain = list(plain_state(state)[:19])
    plain[8] = [[start, list(counts)[:-1]] for start, counts in plain[8]]
    found = PARTITION.decode(b"\x05" + msgspec.msgpack.encode(plain))
    assert (found.crossed, found.crossing, found.new_regions) == (None, None, ())
    assert [window.on_time for window in found.windows.values()] == [4]
    known = Registration()
    older = list(REGISTRATION.plain(known))[:-2]
    assert REGISTRATION.decode(b"\x01" + msgspec.msgpack.encode(older)).place is None


def test_a_registered_meter_without_a_state_keeps_its_place() -> None:
    known = Registration()
    known.place, known.joined = PLACE, FIRST
    found = again(REGISTRATION, known)
    assert (found.place, found.joined) == (PLACE, FIRST)


def test_the_index_has_deadlines_with_the_last_reading_and_what_is_held_in_memory() -> None:
    meter = MeterState(FIRST, 10_000_000)
    meter.due = FIRST + 5
    older = b"\x04" + METER.encode(meter)[1:]
    assert due_and_seen(METER.encode(meter)) == due_and_seen(older) == (FIRST + 5, FIRST)
    group = METERS.encode("\x08x", Group(PLACE))
    index = due_times([(b"\x08x", group), (b"M", METER.encode(meter))])
    assert [(name, due == FIRST + 5) for due, name, _ in index] == [("\x08x", False), ("M", True)]


def test_rows_that_are_held_in_memory_are_counted_so_that_none_too_many_is_taken_for_true() -> None:
    counted = {key: METERS.is_counted(key.encode()) for key in ("M", "\x06M", "\x07x", "\x08x", "\x0bM")}
    assert set(counted.values()) == {True}
    assert not any(METERS.is_counted(key) for key in (b"\x01M", b"\x02M", b"\x03M", b"\x00partition"))
    state = PartitionState(0, meters=4)
    state.resident = 3
    assert PARTITION.decode(PARTITION.encode(state)).row_count == 7
