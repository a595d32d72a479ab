"""Rows: what the deadline index reads off a row is what the whole row says."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridwatch.domain.meter import MeterState
from gridwatch.domain.policy import NEVER
from gridwatch.domain.timeliness import recent_of
from gridwatch.errors import GridwatchError
from gridwatch.tables import rows


@given(
    due=st.integers(-(2**62), 2**62) | st.just(NEVER) | st.integers(0, 70_000),
    region=st.none() | st.text(max_size=40),
)
def test_the_deadline_read_alone_is_the_deadline_of_the_whole_row(due: int, region: str | None) -> None:
    meter = MeterState(1_704_103_200_000_000, 1_800_000_000, region=region)
    meter.due = due
    row = rows.encode_meter(meter)
    assert rows.due_of(row) == due == rows.decode_meter(row).due


def test_a_row_of_the_first_version_is_read_and_rewritten() -> None:
    meter = MeterState(1_704_103_200_000_000, 1_800_000_000)
    meter.recent = recent_of([(1_704_103_200_000_000, 1.5), (1_704_105_000_000_000, 0.25)])
    before = list(meter.to_row())
    before[before.index(meter.recent)] = [1_704_103_200_000_000, 1.5, 1_704_105_000_000_000, 0.25]
    old = b"\x01" + msgspec.msgpack.encode(before)
    assert rows.is_ours(b"M1", old)
    assert rows.due_of(old) == meter.due
    assert rows.encode_meter(rows.decode_meter(old)) == rows.encode_meter(meter)


def test_a_row_of_another_length_is_read_whole() -> None:
    due = 1_704_103_200_000_000
    assert rows.due_of(bytes([rows.VERSION]) + msgspec.msgpack.encode((due, 2, 3))) == due


def test_the_deadline_of_a_newer_row_is_refused() -> None:
    row = rows.encode_meter(MeterState(1_704_103_200_000_000, 1_800_000_000))
    with pytest.raises(GridwatchError, match="newer gridwatch") as refusal:
        rows.due_of(bytes([rows.VERSION + 1]) + row[1:])
    assert refusal.value.remedy
