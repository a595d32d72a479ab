"""Packing: what is put into a batch comes out of it, and nothing is put into one that does not fit."""

from __future__ import annotations

import pytest
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from gridwatch.kafka.packing import Packed, Row, Sending, pack

ROWS: list[Row] = [(b"a", b"1"), (None, b"22"), (b"c", None), (b"d", b"4" * 50), (b"", b""), (None, None)]


def unpacked(packed: Packed, timestamp: int = 123) -> list[Row]:
    built = b"".join(Sending(packed, timestamp)._build())
    assert len(built) == packed.size
    records = MemoryRecords(built).next_batch()
    assert records is not None
    assert records.validate_crc()
    read = list(records)
    places = [(record.offset, record.timestamp, list(record.headers)) for record in read]
    assert places == [(number, timestamp, []) for number in range(packed.count)]
    return [(record.key, record.value) for record in read]


def test_rows_are_packed_as_they_are() -> None:
    packed = Packed()
    assert packed.add(ROWS) == len(ROWS)
    assert unpacked(packed) == ROWS


def test_rows_go_on_where_others_ended() -> None:
    packed = Packed()
    assert packed.add(ROWS[:2]) == 2
    assert packed.add(ROWS, start=2) == len(ROWS)
    assert unpacked(packed) == ROWS


def test_a_batch_is_what_aiokafka_would_make_of_it() -> None:
    rows: list[Row] = [(b"k" * (n % 200), b"v" * (n * 37 % 9000)) for n in range(9000)]
    packed = Packed()
    assert packed.add(rows, most_bytes=1 << 30) == len(rows)
    theirs = BatchBuilder(1 << 30, 0, is_transactional=0, key_serializer=None, value_serializer=None)
    for key, value in rows:
        theirs.append(timestamp=7, key=key, value=value)
    ours = Sending(packed, 7)
    for batch in (ours, theirs):
        batch._set_producer_state(12345678901, 3, 42)
    assert b"".join(ours._build()) == bytes(theirs._build())


def test_a_batch_ends_before_it_is_too_large() -> None:
    two = Packed()
    two.add(ROWS[:2])
    packed = Packed()
    assert packed.add(ROWS, most_bytes=two.size) == 2
    assert unpacked(packed) == ROWS[:2]
    assert Packed().add(ROWS, most_bytes=two.size - 1) == 1


def test_a_first_row_is_added_whatever_its_size() -> None:
    packed = Packed()
    assert packed.add(ROWS, start=3, most_bytes=1) == 4
    assert unpacked(packed) == ROWS[3:4]


@pytest.mark.parametrize("most", [1, 100, 150, 1000])
def test_rows_fill_as_many_batches_as_they_need(most: int) -> None:
    batches = pack(ROWS[:3], most_bytes=most)
    assert pack(ROWS[3:], batches, most_bytes=most) is batches
    assert [row for packed in batches for row in unpacked(packed)] == ROWS
    assert all(packed.size <= most or packed.count == 1 for packed in batches)


def test_a_batch_can_be_sent_again_by_another_producer() -> None:
    packed = Packed()
    packed.add(ROWS)
    first, second = Sending(packed, 5), Sending(packed, 5)
    first._set_producer_state(1, 0, 0)
    second._set_producer_state(2, 0, 0)
    assert first._build() != second._build()
    assert first.record_count() == second.record_count() == len(ROWS)
