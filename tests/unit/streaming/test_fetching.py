"""Fetches: the records aiokafka would give, as the application makes them, and the same position."""

from __future__ import annotations

import gc
import weakref
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.consumer.fetcher import READ_COMMITTED, READ_UNCOMMITTED, FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition

from gridwatch.streaming.fetching import Fetches

PARTITION = TopicPartition("raw", 3)


def log_of(*sizes: int) -> bytes:
    """A log of record batches with so many records each, from offset 0 on."""
    log = b""
    base = 0
    for size in sizes:
        builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1_000_000)
        for number in range(size):
            name = b"%d" % (base + number)
            assert builder.append(number, 1_000 + base + number, b"key" + name, name, [("mark", name)])
        log += base.to_bytes(8, "big") + bytes(builder.build())[8:]  # what a broker does at its append
        base += size
    return log


class Assignment:
    """aiokafka's book of where a partition stands."""

    active = True

    def __init__(self, position: int) -> None:
        self.paused = False
        self.position = position

    def state_value(self, _partition: Any) -> Assignment:
        return self

    def consumed_to(self, position: int) -> None:
        self.position = position


def fetched(
    log: bytes, start: int = 0, isolation: int = READ_UNCOMMITTED
) -> tuple[FetchResult, Assignment, PartitionRecords]:
    assignment = Assignment(start)
    source = PartitionRecords(PARTITION, MemoryRecords(log), [], start, None, None, True, isolation)
    result = FetchResult(PARTITION, assignment=assignment, partition_records=source, backoff=0)
    return result, assignment, source


def bare(log: bytes, start: int = 0, **more: Any) -> tuple[Any, Assignment]:
    result, assignment, _ = fetched(log, start, **more)
    fetches = Fetches({"raw": list})
    fetches[PARTITION] = result
    return fetches[PARTITION], assignment


@pytest.mark.parametrize("start", [0, 2, 7])
@pytest.mark.parametrize("most", [1, 3, 4, 100, None])
def test_it_gives_what_aiokafka_gives_and_stands_where_it_stands(start: int, most: int | None) -> None:
    log = log_of(4, 1, 5)
    plain, plain_at, _ = fetched(log, start)
    ours, ours_at = bare(log, start)
    while ours.has_more():
        theirs = plain.getall(most)
        got = ours.getall(most)
        assert [(r.offset, r.timestamp, r.key, r.value, tuple(r.headers)) for r in got] == [
            (r.offset, r.timestamp, r.key, r.value, r.headers) for r in theirs
        ]
        assert ours_at.position == plain_at.position
    # aiokafka may find out about the end one call later.
    assert not plain.has_more() or plain.getall(most) == []
    assert ours_at.position == 10


def test_other_topics_and_transactions_are_left_to_aiokafka() -> None:
    result, _, _ = fetched(log_of(2))
    Fetches({"other": list})[PARTITION] = result
    assert result.getall()[0].topic == "raw"
    assert bare(log_of(2), isolation=READ_COMMITTED)[0].getall()[0].topic == "raw"


def test_the_application_says_what_becomes_of_the_records() -> None:
    result, _, _ = fetched(log_of(2, 2), start=1)
    Fetches({"raw": lambda batch: [SimpleNamespace(offset=one.offset, said=one.value) for one in batch]})[
        PARTITION
    ] = result
    assert [(one.offset, one.said) for one in result.getall()] == [(1, b"1"), (2, b"2"), (3, b"3")]


def test_errors_stay_as_they_are() -> None:
    fetches = Fetches({"raw": list})
    error = SimpleNamespace()
    fetches[PARTITION] = error
    assert fetches[PARTITION] is error


def test_a_position_that_moved_in_the_meantime_gives_nothing() -> None:
    ours, at = bare(log_of(3))
    at.position = 2
    assert ours.getall() == []
    assert not ours.has_more()


def test_a_damaged_batch_is_refused_and_fetched_again_from_the_last_good_one() -> None:
    log = bytearray(log_of(2, 2, 2))
    batch = len(log) // 3
    log[batch + 70] ^= 1
    ours, at = bare(bytes(log))
    assert [record.offset for record in ours.getall(1)] == [0]
    for _ in range(2):
        with pytest.raises(CorruptRecordException):
            ours.getall()
        assert at.position == 1
        ours, at = bare(bytes(log), start=1)  # fetched again


def test_nothing_after_a_damaged_batch_is_handed_on() -> None:
    log = bytearray(log_of(2, 2))
    log[70] ^= 1
    ours, at = bare(bytes(log))
    with pytest.raises(CorruptRecordException):
        ours.getall()
    assert ours.getall() == []
    assert not ours.has_more()
    assert at.position == 0


def test_nothing_of_a_fetch_is_kept_once_it_is_handed_on() -> None:
    ours, _ = bare(log_of(3))
    gone = weakref.ref(ours)
    gc.collect()
    gc.disable()
    try:
        ours.getall()
        del ours
        assert gone() is None
    finally:
        gc.enable()
