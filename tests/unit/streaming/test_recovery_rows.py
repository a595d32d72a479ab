"""Recovery takes the rows that a gridwatch wrote and leaves out whatever else is in the changelog."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridwatch.domain.meter import MeterState
from gridwatch.domain.partition import PartitionState
from gridwatch.streaming.recovery import Recovered, progress_words
from gridwatch.tables import rows
from gridwatch.tables.store import Store
from tests.batches import batch_of

NEWER = bytes([rows.VERSION + 1])
METER = rows.encode_meter(MeterState(1_704_103_200_000_000, 1_800_000_000))
PARTITION = rows.encode_partition(PartitionState(0), 3)

OURS = {
    "a meter": (b"M1", METER),
    "a meter of another alphabet": ("計".encode(), METER),
    "a meter removed": (b"M1", None),
    "a partition": (rows.PARTITION_KEY, PARTITION),
    "a fence": (rows.FENCE_KEY, b""),
    "a meter of a newer version": (b"M1", NEWER + b"what only the future knows"),
    "a key of a newer version": (b"\x00new", NEWER),
    "an unknown key removed": (b"\x00new", None),
}
FOREIGN = {
    "no key": (None, METER),
    "an empty key": (b"", METER),
    "text": (b"M1", b'{"meter_id": "M1"}'),
    "nothing": (b"M1", b""),
    "a row cut short": (b"M1", METER[:-1]),
    "a row with something after it": (b"M1", METER + b"x"),
    "a version and garbage": (b"M1", bytes([rows.VERSION]) + b"\xc1\xff"),
    "a partition's row under a meter's key": (b"M1", PARTITION),
    "bytes that are no text as key": (b"\xff\xfe", METER),
    "a key that nobody knows": (b"\x00what", METER),
    "a partition removed": (rows.PARTITION_KEY, None),
    "a partition in text": (rows.PARTITION_KEY, b"{}"),
    "a fence that says something": (rows.FENCE_KEY, b"x"),
}


@pytest.mark.parametrize("kind", OURS)
def test_a_row_of_ours_is_taken(kind: str) -> None:
    assert rows.is_ours(*OURS[kind])


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_foreign_record_is_not(kind: str) -> None:
    assert not rows.is_ours(*FOREIGN[kind])


@given(st.text(min_size=1), st.binary(min_size=1))
def test_text_and_random_bytes_never_hurt(text: str, noise: bytes) -> None:
    key = b"M1"
    assert not rows.is_ours(key, text.lstrip("".join(map(chr, range(32)))).encode())
    if rows.is_ours(key, noise):  # a version byte of the future is believed, and refused when it is read
        assert rows.VERSION < noise[0] < 32


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    conf = SimpleNamespace(tabledir=tmp_path, table_key_index_size=100)
    app: Any = SimpleNamespace(conf=conf)
    yield Store("gridwatch://", app, SimpleNamespace(name="meters"), table_name="meters")


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


def test_foreign_records_change_nothing_and_are_said_and_counted(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    read(store, [(b"M1", METER), (rows.PARTITION_KEY, PARTITION)])
    with caplog.at_level(logging.ERROR):
        read(store, list(FOREIGN.values()), first=2)
    assert dict(store.rows(2)) == {b"M1": METER, rows.PARTITION_KEY: PARTITION}
    assert store.persisted_offset(SimpleNamespace(partition=2)) == 1 + len(FOREIGN)  # type: ignore[arg-type]
    assert store.foreign_rows == len(FOREIGN)
    assert store.foreign_keys[2] == {key for key, _ in FOREIGN.values() if key}
    (record,) = caplog.records
    said = record.getMessage()
    assert "log[2]" in said
    assert "offset 2" in said
    assert "remedy" in said


def test_a_fetch_of_foreign_records_alone_is_done_with(store: Store) -> None:
    read(store, [(None, None), (None, b"x")])
    assert store.persisted_offset(SimpleNamespace(partition=2)) == 1  # type: ignore[arg-type]


def test_progress_says_how_much_is_read_and_who_is_last() -> None:
    said = progress_words([Recovered(0, 90, 100), Recovered(1, 20, 100), Recovered(2, 0, 0)])
    assert said == "55% read, 90 rows to come; partition 1 is at 20%"


def test_progress_of_a_recovery_that_is_done_says_nothing() -> None:
    assert progress_words([Recovered(0, 100, 100)]) == ""
    assert progress_words([]) == ""
