"""Packing: what is put into a batch comes out of it, and nothing is put into one that does not fit."""

from __future__ import annotations

from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from gridwatch.streaming.packing import RECORD_OVERHEAD, Row, pack

ROWS: list[Row] = [(b"a", b"1"), (None, b"22"), (b"c", None), (b"d", b"4" * 50)]


def packed(
    rows: list[Row], start: int = 0, most: int = 1_000_000, batch_bytes: int = 1_000_000
) -> tuple[int, list[Row]]:
    batch = BatchBuilder(batch_bytes, 0)
    end = pack(batch, rows, start, 123, most)
    assert batch.record_count() == end - start
    records = MemoryRecords(bytes(batch._build())).next_batch()
    assert records is not None
    read = [(record.offset, record.timestamp, record.key, record.value) for record in records]
    assert [(offset, stamp) for offset, stamp, _, _ in read] == [(n, 123) for n in range(end - start)]
    return end, [(key, value) for _, _, key, value in read]


def test_rows_are_packed_as_they_are_from_where_one_says() -> None:
    assert packed(ROWS) == (4, ROWS)
    assert packed(ROWS, start=2) == (4, ROWS[2:])


def test_a_batch_is_cut_before_it_weighs_too_much() -> None:
    two = 2 * RECORD_OVERHEAD + 4
    assert packed(ROWS, most=two) == (2, ROWS[:2])
    assert packed(ROWS, most=two - 1) == (1, ROWS[:1])


def test_a_first_row_is_taken_whatever_it_weighs() -> None:
    assert packed(ROWS, start=3, most=1) == (4, ROWS[3:])


def test_a_row_that_the_batch_has_no_room_for_stays_out() -> None:
    assert packed([(b"k", b"v" * 500)], batch_bytes=200) == (1, [(b"k", b"v" * 500)])
    assert packed([(b"k", b"v"), (b"k", b"v" * 500)], batch_bytes=200) == (1, [(b"k", b"v")])
