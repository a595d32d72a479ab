"""Rows: the deadline that the index reads from a row is that of the whole row."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridwatch.domain.meter.gaps import Gap
from gridwatch.domain.meter.grid import Grid
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.meter.timeliness import readings_of, recent_of
from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.partition.windows import Window
from gridwatch.domain.policy import NEVER
from gridwatch.domain.reading import HeldReading
from gridwatch.errors import GridwatchError
from gridwatch.tables.meter_rows import METER, due_of
from gridwatch.tables.partition_rows import PARTITION, plain_state
from gridwatch.tables.readings import METERS


@given(
    due=st.integers(-(2**62), 2**62) | st.just(NEVER) | st.integers(0, 70_000),
    region=st.none() | st.text(max_size=40),
)
def test_the_deadline_read_alone_is_the_deadline_of_the_whole_row(due: int, region: str | None) -> None:
    meter = MeterState(1_704_103_200_000_000, 1_800_000_000)
    meter.region = region
    meter.due = due
    row = METER.encode(meter)
    assert due_of(row) == due == METER.decode(row).due


def test_a_row_of_the_first_version_is_read_and_rewritten() -> None:
    meter = MeterState(1_704_103_200_000_000, 1_800_000_000)
    meter.recent = recent_of([(1_704_103_200_000_000, 1.5), (1_704_105_000_000_000, 0.25)])
    before = msgspec.msgpack.decode(METER.encode(meter)[1:])
    before[before.index(meter.recent)] = [1_704_103_200_000_000, 1.5, 1_704_105_000_000_000, 0.25]
    old = b"\x01" + msgspec.msgpack.encode(before)
    assert METERS.is_ours(b"M1", old)
    assert due_of(old) == meter.due
    assert METER.encode(METER.decode(old)) == METER.encode(meter)


def test_a_row_of_another_length_is_read_whole() -> None:
    due = 1_704_103_200_000_000
    assert due_of(bytes([METER.version]) + msgspec.msgpack.encode((due, 2, 3))) == due


def test_the_deadline_of_a_newer_row_is_refused() -> None:
    row = METER.encode(MeterState(1_704_103_200_000_000, 1_800_000_000))
    with pytest.raises(GridwatchError, match="newer gridwatch") as refusal:
        due_of(bytes([METER.version + 1]) + row[1:])
    assert refusal.value.remedy


def fields_of(thing: Any) -> dict[str, Any]:
    """Everything that an object holds, by name."""
    of = type(thing)
    names = getattr(of, "__slots__", None) or getattr(of, "__mypyc_attrs__", None) or vars(thing)
    return {name: getattr(thing, name) for name in names}


#: Rows as version 2 wrote them: whatever changes, workers find such rows in their changelogs.
METER_2 = (
    "02dc0011cf00060ddf71e58800cd03e9cd03e83ccd049ccd03ea91cd04d8c42010000000000003e83ff8000000000000"
    "10000000000003eb3fd00000000000009197cd0424cd04603ccd04b092cd0424cd0460a75041525449414c029195cd02bc"
    "1ecd038ecd03e891cd03ac925acd03ec91cd03ed0607a56e6f727468c3cd03f0"
)
PARTITION_2 = (
    "029209dc0010030b0c0dc20e0f9195a14110cb3ff800000000000011a5736f7574689192cd012c9d14c3161718191a1b1c"
    "1d1e1f20292a2b2cc32d2e"
)
#: The same as version 3 writes it: an array of three, the name of the stage first.
PARTITION_3 = "0393a872656164696e6773" + PARTITION_2.removeprefix("0292")


def test_a_meter_of_version_2_is_read_field_by_field() -> None:
    meter = METER.decode(bytes.fromhex(METER_2))
    assert (meter.due, meter.last_seen) == (1_704_103_200_000_000, 1_001)
    assert (meter.start, meter.interval, meter.cursor, meter.ahead) == (1_000, 60, 1_180, (1_240,))
    assert meter.last_slot == 1_002
    assert readings_of(meter.recent) == [(1_000, 1.5), (1_003, 0.25)]
    gap = Gap(1_060, 1_120, 60, 1_200, missing=(1_060, 1_120), state="PARTIAL", revision=2)
    assert [fields_of(one) for one in meter.gaps] == [fields_of(gap)]
    assert [fields_of(one) for one in meter.older] == [fields_of(Grid(700, 30, 910, 1_000, (940,)))]
    assert (meter.run, meter.off_run) == ((90, 1_004), (1_005,))
    assert (meter.gap_count, meter.late_count, meter.forgotten) == (6, 7, 1_008)
    assert (meter.region, meter.given, meter.calm) == ("north", True, False)
    assert METER.version != 2 or METER.encode(meter).hex() == METER_2


def test_a_partition_of_version_2_is_read_field_by_field() -> None:
    state, generation = METERS.decode_partition(bytes.fromhex(PARTITION_2))
    assert generation == 9
    assert (state.partition, state.watermark) == (3, 11)
    assert (state.offset, state.index, state.done, state.next_offset) == (12, 13, False, 12)
    assert (state.emitted_until, state.invalid_before) == (14, 15)
    assert state.held == (HeldReading("A", 16, 1.5, 17, "south", 1.5),)
    assert list(state.windows) == [300]
    window = state.windows[300]
    assert (window.active, window.changed, window.closed, window.duplicate) == (20, True, 22, 23)
    assert (window.invalid, window.late, window.micro_kwh, window.missing) == (24, 25, 26, 27)
    assert (window.on_time, window.opened, window.revised) == (28, 29, 30)
    assert (window.revision, window.too_late) == (31, 32)
    assert (state.highest, state.record_time, state.reading_time, state.tick) == (41, 42, 43, 44)
    assert (state.replayed, state.meters, state.open_gaps) == (True, 45, 46)
    assert PARTITION.version != 3 or METERS.encode_partition(state, generation).hex() == PARTITION_3


def test_a_partition_of_version_3_is_the_same_with_the_name_of_its_stage() -> None:
    state, generation = METERS.decode_partition(bytes.fromhex(PARTITION_3))
    before, _ = METERS.decode_partition(bytes.fromhex(PARTITION_2))
    assert plain_state(state) == plain_state(before)
    assert generation == 9


def test_a_new_partition_begins_at_its_first_offset_with_nothing_known() -> None:
    state = PartitionState(3)
    assert (state.next_offset, state.index, state.done) == (0, 0, True)
    assert (state.watermark, state.highest, state.tick, state.held, state.windows) == (
        None,
        None,
        None,
        (),
        {},
    )
    assert (state.meters, state.open_gaps, state.invalid_before, state.replayed) == (0, 0, 0, False)


def test_a_new_window_counts_from_zero() -> None:
    assert set(fields_of(Window()).values()) == {0}
