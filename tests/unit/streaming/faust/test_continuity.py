"""What Faust drops is read again, wherever it drops it; what the log does not have is skipped."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

import pytest

from gridwatch.streaming.faust.batches import RecordBatch
from gridwatch.streaming.faust.continuity import CAUSES, BatchOrder, Continuity, ContinuityPolicy, Rereads
from gridwatch.streaming.stage.partition_queues import PartitionQueues
from tests.batches import FakeLog, batch_of
from tests.unit.streaming.stage.test_partition_queues import no_crash, settle

IDLE = ContinuityPolicy().idle_seconds


def ranged(start: int, end: int, seeks: int = 1) -> RecordBatch:
    return batch_of("t", 0, [], start, end, seeks)


def test_a_batch_is_contiguous_or_stale_or_leaves_a_gap() -> None:
    partition = Continuity(ContinuityPolicy())
    assert partition.classify(ranged(0, 5, 0)) is BatchOrder.STALE  # nothing has been sought yet
    partition.begin(10, 1)
    assert partition.classify(ranged(10, 12)) is BatchOrder.CONTIGUOUS
    assert partition.classify(ranged(10, 12, 0)) is BatchOrder.STALE
    assert partition.classify(ranged(11, 12)) is BatchOrder.GAP
    assert (
        partition.classify(ranged(3, 9)) is BatchOrder.CONTIGUOUS
    )  # the log was cut back: its owner decides
    partition.accept(ranged(10, 12))
    assert partition.classify(ranged(12, 13)) is BatchOrder.CONTIGUOUS
    partition.end()
    assert partition.classify(ranged(12, 13)) is BatchOrder.STALE


def test_a_partition_is_starved_once_it_has_been_idle_for_long_enough_with_something_to_read() -> None:
    partition = Continuity(ContinuityPolicy())
    assert not partition.is_starved(0.0, 5)  # not begun
    partition.begin(0, 1)
    assert [partition.is_starved(now, 5) for now in (0.0, IDLE - 0.1, IDLE)] == [False, False, True]
    partition.accept(ranged(0, 3))
    assert not partition.is_starved(IDLE + 0.1, 5)
    partition.busy()
    assert not partition.is_starved(2 * IDLE, 5)
    assert not partition.is_starved(2 * IDLE + 0.1, None)  # nobody knows whether there is more
    assert [partition.is_starved(10 * IDLE + wait, 3) for wait in (0, IDLE)] == [False, False]  # caught up


def test_re_reads_are_counted_by_cause_and_warned_of_once_a_partition(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rereads = Rereads()
    with caplog.at_level(logging.INFO):
        for partition in (0, 0, 1):
            rereads.note("t", partition, 7, "gap")
    assert rereads.counts == {**dict.fromkeys(CAUSES, 0), "gap": 3}
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO", "WARNING"]


class Reader:
    """PartitionQueues over a log in memory, fetching as Faust does and dropping batches on request."""

    def __init__(self, log: FakeLog, work: Callable[[RecordBatch], Awaitable[int | None]]) -> None:
        self.log = log
        self.rereads = Rereads()
        self.queues = PartitionQueues(work, no_crash, log, self.rereads, most=3)
        self.now = 0.0

    async def fetch(self, partition: int, most: int = 2, *, dropped: bool = False) -> None:
        """Fetch once; what is dropped is gone, and the position has moved all the same."""
        if self.log.positions[partition] < self.log.ends[partition]:
            event = self.log.fetch(partition, most)
            if not dropped:
                await self.queues.put(event)
                await settle()

    async def wait(self) -> None:
        """Let the time of an idle partition pass."""
        for _ in range(2):
            await self.queues.check(self.now)
            self.now += IDLE
        await self.queues.check(self.now)
        await settle()


def run(
    dropping: Callable[[int], bool], log: FakeLog, partitions: tuple[int, ...] = (0,), fetches: int = 12
) -> tuple[dict[int, list[int]], Reader]:
    """Read a log to its end while the fetches for which `dropping` says so are dropped; what was worked."""
    worked: dict[int, list[int]] = {number: [] for number in partitions}

    async def work(batch: RecordBatch) -> int:
        worked[batch.partition] += [record.offset for record in batch.records]
        return batch.end

    async def scenario() -> Reader:
        reader = Reader(log, work)
        reader.queues.begin(log.begin())
        for number in range(fetches):
            for partition in partitions:
                await reader.fetch(partition, dropped=dropping(number))
        for _ in range(3):
            await reader.wait()
            for partition in partitions:
                for _ in range(fetches):
                    await reader.fetch(partition)
        await reader.queues.stop()
        return reader

    reader = asyncio.run(scenario())
    return worked, reader


@pytest.mark.parametrize("which", range(6))
def test_a_dropped_batch_is_read_again_first_middle_or_last(which: int) -> None:
    worked, reader = run(lambda number: number == which, FakeLog(p0=range(12)))
    assert worked[0] == list(range(12))
    cause = "gap" if which < 5 else "idle"
    assert reader.rereads.counts[cause] == sum(reader.rereads.counts.values()) == 1


def test_whatever_is_dropped_everything_is_processed_once_and_in_order() -> None:
    for seed in range(200):
        chance = random.Random(seed)
        offsets = sorted(chance.sample(range(40), chance.randrange(1, 30)))
        log = FakeLog(p0=offsets, p1=range(7))
        log.ends[0] += chance.randrange(4)  # markers behind the last record
        worked, _ = run(lambda _: chance.random() < 0.4, log, (0, 1), fetches=30)  # noqa: B023
        assert worked == {0: offsets, 1: list(range(7))}, seed


def test_offsets_without_records_are_no_gap_and_nothing_is_read_again_for_them() -> None:
    log = FakeLog(p0=[0, 1, 5, 6, 20])
    log.ends[0] = 23
    worked, reader = run(lambda _: False, log)
    assert worked[0] == [0, 1, 5, 6, 20]
    assert log.sought == []
    assert sum(reader.rereads.counts.values()) == 0


def test_offsets_deleted_by_retention_are_skipped_and_committed() -> None:
    worked: list[tuple[int, int]] = []

    async def work(batch: RecordBatch) -> int:
        worked.append((batch.start, batch.end))
        return batch.end

    async def scenario() -> FakeLog:
        log = FakeLog(p0=range(10))
        reader = Reader(log, work)
        reader.queues.begin(log.begin())
        await reader.fetch(0, 3)
        log.starts[0] = 6  # retention, while nobody looked: aiokafka goes on at the start of the log
        await reader.fetch(0, 3)
        await reader.fetch(0, 3)
        await reader.queues.stop()
        return log

    log = asyncio.run(scenario())
    assert worked == [(0, 3), (3, 9), (9, 10)]  # the gap and the batch after it, as one
    assert log.committed == {0: 6}
    assert log.sought == []


def test_a_log_without_any_records_left_is_skipped_once() -> None:
    async def work(batch: RecordBatch) -> int:
        return batch.end

    async def scenario() -> FakeLog:
        log = FakeLog(p0=range(10))
        reader = Reader(log, work)
        reader.queues.begin(log.begin())
        log.starts[0] = log.positions[0] = 10
        for _ in range(5):
            await reader.wait()
        await reader.queues.stop()
        return log

    log = asyncio.run(scenario())
    assert log.committed == {0: 10}
    assert len(log.sought) == 1


def test_a_partition_that_is_not_fetched_any_more_is_read_again() -> None:
    async def work(batch: RecordBatch) -> int:
        return batch.end

    async def scenario() -> Reader:
        log = FakeLog(p0=range(4))
        reader = Reader(log, work)
        reader.queues.begin(log.begin())
        log.asleep.add(0)
        await reader.wait()
        await reader.queues.stop()
        return reader

    reader = asyncio.run(scenario())
    assert reader.log.asleep == set()
    assert reader.rereads.counts["asleep"] == 1


@pytest.mark.parametrize(
    "why", ["a fetch is on its way", "it cannot be decoded", "it is not ours", "a partition queue is full"]
)
def test_a_partition_that_waits_for_a_reason_is_left_alone(why: str) -> None:
    gate = asyncio.Event()

    async def work(batch: RecordBatch) -> int:
        if batch.partition == 1:
            await gate.wait()
        return batch.end

    async def scenario() -> FakeLog:
        log = FakeLog(p0=range(4), p1=range(40))
        reader = Reader(log, work)
        reader.queues.begin(log.begin())
        if why == "it cannot be decoded":
            log.stopped, log.positions[0] = {0}, 4
        elif why == "it is not ours":
            log.gone, log.positions[0] = {0}, 4
        elif why == "a partition queue is full":
            # Nothing of partition 0 can come while a batch of partition 1 waits for room.
            full = asyncio.ensure_future(feed_all(reader))
            for _ in range(10):
                await settle()
            log.positions[0] = 4
            assert not full.done()
        log.positions[1] = 40
        log.stopped.add(1)
        for _ in range(3):
            await reader.wait()
        gate.set()
        await settle()
        await reader.queues.stop()
        return log

    assert asyncio.run(scenario()).sought == []


async def feed_all(reader: Reader) -> None:
    for _ in range(20):
        await reader.fetch(1)


def test_batches_dropped_around_a_rebalance_are_read_by_the_owner() -> None:
    worked: list[int] = []
    position = 0

    async def work(batch: RecordBatch) -> int:
        nonlocal position
        worked.extend(record.offset for record in batch.records if record.offset >= position)
        position = max(position, batch.end)
        return position

    async def scenario() -> Reader:
        log = FakeLog(p0=range(12))
        reader = Reader(log, work)
        reader.queues.begin(log.begin())
        await reader.fetch(0)
        await reader.fetch(0, dropped=True)
        left_over = log.fetch(0, 2)
        await reader.queues.empty()
        await reader.queues.put(left_over)
        reader.queues.reopen()
        reader.queues.begin(log.begin(p0=position))
        await reader.queues.put(left_over)  # from before the seek
        await reader.fetch(0, dropped=True)
        for _ in range(3):
            for _ in range(8):
                await reader.fetch(0)
            await reader.wait()
        await reader.queues.stop()
        return reader

    reader = asyncio.run(scenario())
    assert worked == list(range(12))
    assert reader.rereads.counts["gap"] == 1
