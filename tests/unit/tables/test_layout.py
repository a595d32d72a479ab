"""The layout of a table: a row is of a known kind and of the table's own stage, or refused with a remedy."""

from __future__ import annotations

from typing import Any

import pytest

from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.partition.state import PartitionState
from gridwatch.errors import GridwatchError
from gridwatch.tables.layout import FENCE_KEY, PARTITION_KEY, TableLayout
from gridwatch.tables.readings import METERS
from gridwatch.tables.row_kind import RowKind
from tests.sums.rules import Partition, Sum
from tests.sums.stage import LAYOUT as SUMS

BLOCK: RowKind[list[int]] = RowKind("block", 2, list, lambda plain, version: [version, *plain])


def two_kinds() -> TableLayout[Partition]:
    """Sums, and blocks under names that begin with a control character."""
    return TableLayout("sums", SUMS._partition, {"": SUMS._main, "\x01": BLOCK})


def test_each_state_has_the_row_of_its_kind() -> None:
    layout = two_kinds()
    changed: dict[str, Any] = {"M1": Sum(2, 3), "\x01M1": [5], "M2": None, "\x01M2": None}
    rows = dict(layout.rows(changed))
    assert rows == {b"M1": b"\x01\x92\x02\x03", b"\x01M1": b"\x02\x91\x05", b"M2": None, b"\x01M2": None}
    assert layout.decode("M1", rows[b"M1"] or b"") == Sum(2, 3)
    assert layout.decode("\x01M1", rows[b"\x01M1"] or b"") == [2, 5]
    assert layout.encode("\x01M1", [5]) == rows[b"\x01M1"]


def test_only_rows_without_a_control_character_are_counted() -> None:
    keys = (b"M1", "計".encode(), b"\x01M1", PARTITION_KEY, FENCE_KEY)
    assert [two_kinds().is_state(key) for key in keys] == [True, True, False, False, False]


def test_a_version_before_is_read_and_a_newer_one_refused() -> None:
    assert BLOCK.decode(b"\x01\x91\x05") == [1, 5]
    with pytest.raises(GridwatchError, match="row has version 3, this gridwatch reads 1 to 2") as refused:
        BLOCK.decode(b"\x03\x91\x05")
    assert "newer gridwatch" in refused.value.remedy


def test_versions_that_are_read_no_more_are_refused() -> None:
    with pytest.raises(GridwatchError, match="version 2, this gridwatch reads 3 to 3"):
        SUMS.decode_partition(b"\x02" + SUMS.encode_partition(Partition(0), 1)[1:])


def test_a_kind_that_only_a_newer_version_knows_is_stored_and_refused_when_it_is_read() -> None:
    row = BLOCK.encode([5])
    assert SUMS.is_ours(b"\x01M1", row)
    SUMS.require_known([PARTITION_KEY, FENCE_KEY])
    with pytest.raises(GridwatchError, match=r"unknown kind \(key b'\\x01M1'\)") as refusal:
        SUMS.require_known([PARTITION_KEY, b"\x01M1"])
    assert "newer gridwatch" in refusal.value.remedy
    two_kinds().require_known([PARTITION_KEY, b"\x01M1"])


def test_the_state_of_another_stage_is_refused() -> None:
    theirs = SUMS.encode_partition(Partition(0), 1)
    assert METERS.is_ours(PARTITION_KEY, theirs)
    with pytest.raises(GridwatchError, match="stage readings holds the state of stage sums") as refusal:
        METERS.decode_partition(theirs)
    assert "a table of its own" in refusal.value.remedy
    with pytest.raises(GridwatchError, match="stage sums holds the state of stage readings"):
        SUMS.decode_partition(METERS.encode_partition(PartitionState(0), 1))


def test_states_of_another_stage_are_no_rows_of_ours() -> None:
    assert not METERS.is_ours(b"M1", SUMS.encode("M1", Sum(1, 2)))
    meter = METERS.encode("M1", MeterState(0, 60))
    assert not SUMS.is_ours(b"M1", b"\x01" + meter[1:])
