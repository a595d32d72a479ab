"""Recovery takes the rows that a gridwatch wrote and leaves out whatever else is in the changelog."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.partition.state import PartitionState
from gridwatch.streaming.faust.recovery import Recovered, progress_words
from gridwatch.tables.layout import FENCE_KEY, PARTITION_KEY
from gridwatch.tables.meter_rows import METER
from gridwatch.tables.partition_rows import PARTITION
from gridwatch.tables.readings import METERS
from gridwatch.tables.store import Store
from tests.batches import batch_of
from tests.stores import store_in

NEWER = bytes([PARTITION.version + 1])
A_METER = METER.encode(MeterState(1_704_103_200_000_000, 1_800_000_000))
A_PARTITION = METERS.encode_partition(PartitionState(0), 3)

OURS = {
    "a meter": (b"M1", A_METER),
    "a meter of another alphabet": ("計".encode(), A_METER),
    "a meter removed": (b"M1", None),
    "a partition": (PARTITION_KEY, A_PARTITION),
    "a fence": (FENCE_KEY, b""),
    "a meter of a newer version": (b"M1", NEWER + b"what only the future knows"),
    "a row of a kind that a newer version has": (b"\x01new", A_METER),
    "an unknown key removed": (b"\x00new", None),
}
FOREIGN = {
    "no key": (None, A_METER),
    "an empty key": (b"", A_METER),
    "text": (b"M1", b'{"meter_id": "M1"}'),
    "nothing": (b"M1", b""),
    "a row cut short": (b"M1", A_METER[:-1]),
    "a row with something after it": (b"M1", A_METER + b"x"),
    "a version and garbage": (b"M1", bytes([METER.version]) + b"\xc1\xff"),
    "a partition's row under a meter's key": (b"M1", bytes([METER.version]) + A_PARTITION[1:]),
    "bytes that are no text as key": (b"\xff\xfe", A_METER),
    "text under a key that nobody knows": (b"\x00what", b"{}"),
    "a version and garbage under such a key": (b"\x0fwhat", bytes([METER.version]) + b"\xc1\xff"),
    "a partition removed": (PARTITION_KEY, None),
    "a partition in text": (PARTITION_KEY, b"{}"),
    "a fence that says something": (FENCE_KEY, b"x"),
}


@pytest.mark.parametrize("kind", OURS)
def test_a_row_of_ours_is_applied(kind: str) -> None:
    assert METERS.is_ours(*OURS[kind])


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_foreign_record_is_not(kind: str) -> None:
    assert not METERS.is_ours(*FOREIGN[kind])


@given(st.text(min_size=1), st.binary(min_size=1))
def test_text_and_random_bytes_never_hurt(text: str, noise: bytes) -> None:
    key = b"M1"
    assert not METERS.is_ours(key, text.lstrip("".join(map(chr, range(32)))).encode())
    if METERS.is_ours(key, noise):  # a version byte of the future is believed, and refused when it is read
        assert METER.version < noise[0] < 32


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    yield store_in(tmp_path)


def read(store: Store, records: Sequence[tuple[bytes | None, bytes | None]], first: int = 0) -> None:
    """What Faust does with a fetch of the changelog."""
    fetched = batch_of(
        "log",
        2,
        [
            SimpleNamespace(offset=offset, timestamp=0, key=key, value=value)
            for offset, (key, value) in enumerate(records, first)
        ],
    )
    store.apply_changelog_batch([SimpleNamespace(value=fetched)], None, None)


def test_foreign_records_change_nothing_and_are_logged_and_counted(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    read(store, [(b"M1", A_METER), (PARTITION_KEY, A_PARTITION)])
    with caplog.at_level(logging.ERROR):
        read(store, list(FOREIGN.values()), first=2)
    assert dict(store.rows(2)) == {b"M1": A_METER, PARTITION_KEY: A_PARTITION}
    assert store.persisted_offset(SimpleNamespace(partition=2)) == 1 + len(FOREIGN)  # type: ignore[arg-type]
    assert store.foreign_rows == len(FOREIGN)
    assert store.foreign_keys[2] == {key for key, _ in FOREIGN.values() if key}
    (record,) = caplog.records
    message = record.getMessage()
    assert "log[2]" in message
    assert "offset 2" in message
    assert "remedy" in message


def test_a_fetch_of_foreign_records_alone_moves_the_offset(store: Store) -> None:
    read(store, [(None, None), (None, b"x")])
    assert store.persisted_offset(SimpleNamespace(partition=2)) == 1  # type: ignore[arg-type]


def recovered(partition: int, read: int, end: int) -> Recovered:
    return Recovered("log", partition, read, end)


def test_progress_says_how_much_is_read_and_who_is_last() -> None:
    message = progress_words([recovered(0, 90, 100), recovered(1, 20, 100), recovered(2, 0, 0)])
    assert message == "55% read, 90 rows to come; partition 1 is at 20%"


def test_progress_of_several_changelogs_is_that_of_all_and_names_the_topic_that_is_last() -> None:
    other = Recovered("other", 0, 10, 100)
    assert progress_words([recovered(0, 90, 100), other]) == (
        "50% read, 100 rows to come; other[0] is at 10%"
    )


def test_progress_of_a_recovery_that_is_done_says_nothing() -> None:
    assert progress_words([recovered(0, 100, 100)]) == ""
    assert progress_words([]) == ""
