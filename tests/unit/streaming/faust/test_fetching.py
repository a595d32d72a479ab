"""Fetches: the records aiokafka would give, as the application makes them, and the same position."""

from __future__ import annotations

import asyncio
import gc
import weakref
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import READ_COMMITTED, READ_UNCOMMITTED, FetchResult, PartitionRecords
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c
from aiokafka.structs import TopicPartition

from gridwatch.backoff import BackOff
from gridwatch.streaming.faust.fetching import Fetches

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

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False


def fetched(
    log: bytes, start: int = 0, isolation: int = READ_UNCOMMITTED
) -> tuple[FetchResult, Assignment, PartitionRecords]:
    assignment = Assignment(start)
    source = PartitionRecords(PARTITION, fetcher.MemoryRecords(log), [], start, None, None, True, isolation)
    result = FetchResult(PARTITION, assignment=assignment, partition_records=source, backoff=0)
    return result, assignment, source


def bare(log: bytes, start: int = 0, **more: Any) -> tuple[Any, Assignment]:
    result, assignment, _ = fetched(log, start, **more)
    fetches = Fetches({"raw": list})
    fetches[PARTITION] = result
    return fetches[PARTITION], assignment


@pytest.mark.parametrize("start", [0, 2, 7])
@pytest.mark.parametrize("most", [1, 3, 4, 100, None])
def test_it_returns_the_records_of_aiokafka_and_has_the_same_position(start: int, most: int | None) -> None:
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


def test_other_topics_are_left_to_aiokafka_and_its_records_can_be_requested() -> None:
    result, _, _ = fetched(log_of(2))
    Fetches({"other": list})[PARTITION] = result
    assert result.getall()[0].topic == "raw"
    result, _, _ = fetched(log_of(2))
    Fetches({"raw": None})[PARTITION] = result
    taken: Any = result.getall()
    assert (taken[0].topic, taken.start, taken.end) == ("raw", 0, 2)


@pytest.mark.parametrize("most", [1, 3, None])
def test_ranges_are_contiguous_and_cover_the_log(most: int | None) -> None:
    ours, _ = bare(log_of(4, 1, 5), start=2)
    reached = 2
    while ours.has_more():
        taken = ours.getall(most)
        assert taken.start == reached
        assert [record.offset for record in taken] == list(range(taken.start, taken.end))
        reached = taken.end
    assert reached == 10


def test_a_fetch_has_the_number_of_seeks_before_it() -> None:
    fetches = Fetches({"raw": list})
    sought: list[tuple[Any, int]] = []
    seek = fetches.counting(lambda partition, offset: sought.append((partition, offset)))
    seek(PARTITION, 3)
    seek(PARTITION, 5)
    result, _, _ = fetched(log_of(2))
    fetches[PARTITION] = result
    assert sought == [(PARTITION, 3), (PARTITION, 5)]
    assert fetches[PARTITION].getall().seeks == 2


PRODUCER, OTHER = 7, 8


def transactions(*parts: tuple[str, int], isolation: int = READ_COMMITTED) -> tuple[Any, Assignment]:
    """A log of batches of two records (of the producer named) and of markers, as a fetch brings it."""
    log = b""
    aborted: list[tuple[int, int]] = []
    began: dict[int, int] = {}
    base = 0
    for what, producer in parts:
        marker = what in ("commit", "abort")
        builder = DefaultRecordBatchBuilder(2, 0, int(producer >= 0), producer, 0, 0, 1_000_000)
        if marker:
            key = b"\0\0\0" + (b"\1" if what == "commit" else b"\0")
            builder.append(0, 1_000, key, b"\0\0\0\0\0\0", [])
            first = began.pop(producer)
            aborted += [(producer, first)] if what == "abort" else []
        else:
            began.setdefault(producer, base)
            for number in range(2):
                builder.append(number, 1_000, b"key", what.encode(), [])
        one = bytearray(builder.build())
        one[:8] = base.to_bytes(8, "big")
        one[22] |= 0x20 * marker  # a control batch
        one[17:21] = calc_crc32c(bytes(one[21:])).to_bytes(4, "big")
        log += bytes(one)
        base += 1 if marker else 2
    assignment = Assignment(0)
    source = PartitionRecords(PARTITION, fetcher.MemoryRecords(log), aborted, 0, None, None, True, isolation)
    result = FetchResult(PARTITION, assignment=assignment, partition_records=source, backoff=0)
    fetches = Fetches({"raw": list})
    fetches[PARTITION] = result
    return fetches[PARTITION], assignment


@pytest.mark.parametrize(
    ("parts", "read"),
    [
        ([("a", PRODUCER), ("commit", PRODUCER)], ["a", "a"]),
        ([("a", PRODUCER), ("abort", PRODUCER)], []),
        ([("a", PRODUCER), ("plain", -1), ("abort", PRODUCER)], ["plain", "plain"]),
        (
            [
                *(("a", PRODUCER), ("b", OTHER), ("abort", PRODUCER), ("commit", OTHER)),
                *(("c", PRODUCER), ("commit", PRODUCER)),
            ],
            ["b", "b", "c", "c"],
        ),
        ([("a", PRODUCER), ("abort", PRODUCER), ("b", PRODUCER), ("abort", PRODUCER)], []),
    ],
)
def test_what_is_read_is_committed_and_markers_are_in_the_range(
    parts: list[tuple[str, int]], read: list[str]
) -> None:
    ours, at = transactions(*parts)
    taken = ours.getall()
    assert [record.value.decode() for record in taken] == read
    end = sum(1 if what in ("commit", "abort") else 2 for what, _ in parts)
    assert (bool(taken), taken.start, taken.end, at.position) == (True, 0, end, end)


def test_a_reader_of_everything_reads_what_was_aborted() -> None:
    ours, _ = transactions(("a", PRODUCER), ("abort", PRODUCER), isolation=READ_UNCOMMITTED)
    assert len(ours.getall()) == 2


def test_the_application_converts_the_records() -> None:
    result, _, _ = fetched(log_of(2, 2), start=1)
    Fetches(
        {"raw": lambda batch: [SimpleNamespace(offset=one.offset, converted=one.value) for one in batch]}
    )[PARTITION] = result
    assert [(one.offset, one.converted) for one in result.getall()] == [(1, b"1"), (2, b"2"), (3, b"3")]


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


def damaged(*sizes: int, batch: int, compressed: bool = False) -> bytes:
    """A log of which one batch has a wrong checksum; or a right one, and bytes that are not what its header
    says they are compressed with."""
    log = bytearray(log_of(*sizes))
    begin = 0
    for _ in range(batch):
        begin += 12 + int.from_bytes(log[begin + 8 : begin + 12], "big")
    end = begin + 12 + int.from_bytes(log[begin + 8 : begin + 12], "big")
    log[begin + 70] ^= 1
    if compressed:
        log[begin + 22] |= 4  # zstd
        log[begin + 17 : begin + 21] = calc_crc32c(bytes(log[begin + 21 : end])).to_bytes(4, "big")
    return bytes(log)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("most", [1, None])
def test_an_undecodable_batch_stops_its_partition_after_the_records_before_it(
    compressed: bool, most: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    log = damaged(2, 2, 2, batch=1, compressed=compressed)
    fetches = Fetches({"raw": list})

    async def read(start: int) -> tuple[list[int], Assignment]:
        result, at, _ = fetched(log, start)
        fetches[PARTITION] = result
        offsets: list[int] = []
        while result.has_more():
            offsets += [record.offset for record in result.getall(most)]
        return offsets, at

    async def scenario() -> None:
        offsets, at = await read(0)
        assert (offsets, at.position, at.paused) == ([0, 1], 2, True)
        for _ in range(3):  # fetched again, later and later
            offsets, at = await read(2)
            assert (offsets, at.position, at.paused) == ([], 2, True)

    asyncio.run(scenario())
    found = fetches.undecodable[PARTITION]
    assert (found.offset, found.end, found.tries) == (2, 4, 4)
    (message,) = [record.getMessage() for record in caplog.records]
    assert "partition 3: the batch at offset 2 of raw cannot be decoded" in message
    assert "before offset 4" in message
    assert ("CRC" in message) is not compressed


def test_a_partition_that_was_read_beyond_its_undecodable_batch_has_recovered() -> None:
    async def scenario() -> None:
        fetches = Fetches({"raw": list})
        result, _, _ = fetched(damaged(2, 2, 2, batch=1))
        fetches[PARTITION] = result
        result.getall()
        assert fetches.undecodable
        again, _, _ = fetched(log_of(2, 2, 2), start=0)  # a seek back reads what was good once more
        fetches[PARTITION] = again
        again.getall(2)
        assert fetches.undecodable
        again.getall()
        assert not fetches.undecodable

    asyncio.run(scenario())


def test_an_undecodable_batch_is_fetched_again_after_a_pause() -> None:
    async def scenario() -> None:
        fetches = Fetches({"raw": list}, BackOff(first=0.01))
        result, at, _ = fetched(damaged(2, batch=0))
        fetches[PARTITION] = result
        result.getall()
        assert at.paused
        await asyncio.sleep(0.1)
        assert not at.paused

    asyncio.run(scenario())


def test_nothing_of_a_fetch_is_retained_once_it_is_delivered() -> None:
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


def named(name: bytes) -> bytes:
    """A log of one batch, whose records have a header of that name."""
    stand_in = "N" * len(name)
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1_000_000)
    for number in range(3):
        builder.append(number, 1_000, b"key", b"%d" % number, [(stand_in, b"what it says")])
    batch = bytearray(builder.build()).replace(stand_in.encode(), name)
    batch[17:21] = calc_crc32c(bytes(batch[21:])).to_bytes(4, "big")
    return bytes(batch)


@pytest.mark.parametrize("before", [0, 2])
def test_a_header_name_that_is_no_utf8_stops_nothing(before: int) -> None:
    log = log_of(*[1] * before)
    batch = bytearray(named(b"caf\xe9"))
    batch[:8] = before.to_bytes(8, "big")
    ours, at = bare(log + bytes(batch))
    taken = ours.getall()
    assert [record.value for record in taken][before:] == [b"0", b"1", b"2"]
    assert taken[-1].headers == [("caf\ufffd", b"what it says")]
    assert (at.position, at.paused) == (before + 3, False)
