"""Queues: order within a partition, overlap between partitions, nothing in flight after a hand-over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from gridwatch.streaming.faust.batches import RecordBatch, TakeOverEvent
from gridwatch.streaming.faust.continuity import Rereads
from gridwatch.streaming.stage.changelog import FencedError
from gridwatch.streaming.stage.partition_queues import PartitionQueues
from gridwatch.tables.store import DamagedError
from tests.batches import Event, FakeLog


async def no_crash(error: BaseException) -> None:
    raise AssertionError(error)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def queues_of(
    log: FakeLog, work: Callable[[Any], Awaitable[int | None]], crash: Any = no_crash, **more: Any
) -> PartitionQueues:
    """PartitionQueues that read the log from its start."""
    queues = PartitionQueues(work, crash, log, Rereads(), **more)
    queues.begin(log.begin())
    return queues


def test_batches_of_a_partition_are_done_in_order_and_acked_when_done() -> None:
    done: list[int] = []

    async def work(batch: RecordBatch) -> int:
        await asyncio.sleep(0)
        done.append(batch.offset)
        return batch.end

    async def scenario() -> list[Event]:
        log = FakeLog(p0=range(5))
        queues = queues_of(log, work)
        events = [log.fetch(0, 1) for _ in range(5)]
        for event in events:
            await queues.put(event)
        for _ in range(10):
            await settle()
        await queues.stop()
        return events

    events = asyncio.run(scenario())
    assert done == [0, 1, 2, 3, 4]
    assert all(event.acked and event.value.done for event in events)


def test_a_waiting_partition_does_not_hold_up_another() -> None:
    done: list[int] = []
    gate = asyncio.Event()

    async def work(batch: RecordBatch) -> int:
        if batch.partition == 0:
            await gate.wait()
        done.append(batch.partition)
        return batch.end

    async def scenario() -> None:
        log = FakeLog(p0=[0], p1=[0])
        queues = queues_of(log, work)
        await queues.put(log.fetch(0))
        await queues.put(log.fetch(1))
        await settle()
        assert done == [1]
        gate.set()
        await settle()
        assert done == [1, 0]
        await queues.stop()

    asyncio.run(scenario())


def test_emptying_awaits_batches_in_progress_and_drops_queued_ones() -> None:
    gate = asyncio.Event()
    done: list[int] = []

    async def work(batch: RecordBatch) -> int:
        await gate.wait()
        done.append(batch.offset)
        return batch.end

    async def scenario() -> list[Event]:
        log = FakeLog(p0=range(10))
        queues = queues_of(log, work)
        events = [log.fetch(0, 1) for _ in range(3)]
        for event in events:
            await queues.put(event)
        await settle()
        emptying = asyncio.ensure_future(queues.empty())
        await settle()
        assert not emptying.done()
        gate.set()
        await emptying
        late = [log.fetch(0, 1) for _ in range(2)]
        await queues.put(late[0])
        queues.reopen()
        await queues.put(late[1])  # not before the partition has been sought
        await settle()
        await queues.stop()
        return [*events, *late]

    events = asyncio.run(scenario())
    assert done == [0]
    assert all(event.acked for event in events)
    assert [event.value.done for event in events] == [True, False, False, False, False]


def test_a_batch_that_waits_for_room_during_a_revocation_is_dropped() -> None:
    gate = asyncio.Event()
    done: list[int] = []

    async def work(batch: RecordBatch) -> int:
        await gate.wait()
        done.append(batch.offset)
        return batch.end

    async def scenario() -> tuple[list[Event], Event]:
        log = FakeLog(p0=range(10))
        queues = queues_of(log, work)
        events = [log.fetch(0, 1) for _ in range(4)]
        for event in events[:3]:
            await queues.put(event)
            await settle()
        held_up = asyncio.ensure_future(queues.put(events[3]))
        await settle()
        assert not held_up.done()
        emptied = asyncio.ensure_future(queues.empty())
        await asyncio.sleep(0)
        gate.set()
        await emptied
        queues.reopen()
        queues.begin(log.begin(p0=1))
        again = log.fetch(0, 1)
        await held_up
        await queues.put(again)
        await settle()
        await queues.stop()
        return events, again

    events, again = asyncio.run(scenario())
    assert done == [0, 1]
    assert [event.value.done for event in events] == [True, False, False, False]
    assert again.value.done


def test_work_that_raises_crashes_the_worker_and_nothing_after_it_is_done() -> None:
    crashed: list[BaseException] = []
    done: list[int] = []

    async def work(batch: RecordBatch) -> int:
        if batch.offset == 1:
            raise RuntimeError("broken")
        done.append(batch.offset)
        return batch.end

    async def crash(error: BaseException) -> None:
        crashed.append(error)

    async def scenario() -> list[Event]:
        log = FakeLog(p0=range(3))
        queues = queues_of(log, work, crash)
        events = [log.fetch(0, 1) for _ in range(3)]
        for event in events:
            await queues.put(event)
            await settle()
        await queues.stop()
        return events

    events = asyncio.run(scenario())
    assert [str(error) for error in crashed] == ["broken"]
    assert done == [0]
    assert not events[1].value.done


@pytest.mark.parametrize("unread", [FencedError("by another"), DamagedError("on disk")])
def test_a_fenced_or_damaged_partition_is_assigned_and_recovered_again(
    unread: Exception,
) -> None:
    joined: list[bool] = []
    done: list[int] = []

    async def work(batch: RecordBatch) -> int:
        if not joined:
            raise unread
        done.append(batch.offset)
        return batch.end

    async def scenario() -> list[Event]:
        log = FakeLog(p0=range(3))
        queues = queues_of(log, work, rejoin=lambda: joined.append(True))
        events = [log.fetch(0, 1) for _ in range(2)]
        await queues.put(events[0])
        await settle()
        await queues.put(events[1])  # from before the new assignment: dropped, to be read again
        await settle()
        queues.reopen()
        queues.begin(log.begin())
        events.append(log.fetch(0))
        await queues.put(events[2])
        await settle()
        await queues.stop()
        return events

    events = asyncio.run(scenario())
    assert joined == [True]
    assert done == [2]
    assert all(event.acked for event in events)
    assert [event.value.done for event in events] == [False, False, True]


@pytest.mark.parametrize("given_up", [None, 4])
def test_queued_batches_are_processed_as_one_and_those_after_a_dropped_one_are_dropped_too(
    given_up: int | None,
) -> None:
    gate = asyncio.Event()
    worked: list[list[int]] = []

    async def work(batch: RecordBatch) -> int:
        await gate.wait()
        offsets = [record.offset for record in batch.records]
        worked.append(offsets)
        return batch.start if given_up in offsets else batch.end

    async def scenario() -> list[Event]:
        log = FakeLog(p0=range(10))
        queues = queues_of(log, work, most=3)
        events = [log.fetch(0, 1) for _ in range(7)]
        await queues.put(events[0])
        await settle()
        for event in events[1:]:
            await queues.put(event)
        gate.set()
        await settle()
        await queues.stop()
        return events

    events = asyncio.run(scenario())
    assert worked == [[0], [1, 2, 3], [4, 5, 6]]
    assert all(event.acked for event in events)
    undone = 3 if given_up else 0
    assert [event.value.done for event in events] == [True] * (7 - undone) + [False] * undone


def test_a_queue_holds_twice_what_is_processed_at_once() -> None:
    gate = asyncio.Event()

    async def work(batch: RecordBatch) -> int:
        await gate.wait()
        return batch.end

    async def scenario() -> list[bool]:
        log = FakeLog(p0=range(8))
        queues = queues_of(log, work, most=3)
        await queues.put(log.fetch(0, 1))
        await settle()
        putting = [asyncio.ensure_future(queues.put(log.fetch(0, 1))) for _ in range(1, 8)]
        await settle()
        full = [one.done() for one in putting]
        gate.set()
        await asyncio.gather(*putting)
        await settle()
        assert queues.is_idle(("t", 0))
        await queues.stop()
        return full

    assert asyncio.run(scenario()) == [True] * 6 + [False]


def test_a_partition_that_cannot_be_processed_is_left_alone_until_it_is_assigned_again() -> None:
    seen: list[int] = []

    async def work(batch: RecordBatch) -> int | None:
        seen.append(batch.start)
        return None if len(seen) == 1 else batch.end

    async def scenario() -> None:
        log = FakeLog(p0=range(3))
        queues = queues_of(log, work)
        for _ in range(2):
            await queues.put(log.fetch(0, 1))
            await settle()
        for second in range(10):
            await queues.check(float(second))
        assert (seen, log.sought) == ([0], [])
        queues.begin(log.begin())
        await queues.put(log.fetch(0))
        await settle()
        assert seen == [0, 0]
        await queues.stop()

    asyncio.run(scenario())


def test_a_take_over_event_gives_the_queue_the_position_of_the_owner() -> None:
    worked: list[int] = []

    async def work(batch: RecordBatch | TakeOverEvent) -> int:
        if isinstance(batch, TakeOverEvent):
            return 2
        worked.append(batch.start)
        return batch.end

    async def scenario() -> FakeLog:
        log = FakeLog(p0=range(6))
        queues = queues_of(log, work)
        log.positions[0] = 4  # what Faust sought, and the state that was recovered, differ
        queues.begin({("t", 0): (4, log.seeks[0])})
        await queues.put(TakeOverEvent("t", 0))
        await settle()
        await queues.put(log.fetch(0))
        await queues.put(log.fetch(0))
        await settle()
        await queues.stop()
        return log

    log = asyncio.run(scenario())
    assert (log.sought, worked) == ([(0, 2)], [2])
