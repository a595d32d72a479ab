"""Lanes: order within a partition, overlap between partitions, nothing in flight after a hand-over."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from gridwatch.streaming.batches import RecordBatch
from gridwatch.streaming.changelog import FencedError
from gridwatch.streaming.lanes import Lanes
from gridwatch.tables.store import DamagedError


class Event:
    """What Faust hands over: a batch and a way to ack it."""

    def __init__(self, partition: int, offset: int) -> None:
        record = SimpleNamespace(offset=offset, timestamp=0)
        self.value = RecordBatch("t", partition, [record])
        self.acked = False

    def ack(self) -> None:
        self.acked = True


async def no_crash(error: BaseException) -> None:
    raise AssertionError(error)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_batches_of_a_partition_are_done_in_order_and_acked_when_done() -> None:
    done: list[int] = []

    async def work(batch: RecordBatch) -> bool:
        await asyncio.sleep(0)
        done.append(batch.offset)
        return True

    async def scenario() -> list[Event]:
        lanes = Lanes(work, no_crash)
        events = [Event(0, offset) for offset in range(5)]
        for event in events:
            await lanes.put(event)
        for _ in range(10):
            await settle()
        await lanes.stop()
        return events

    events = asyncio.run(scenario())
    assert done == [0, 1, 2, 3, 4]
    assert all(event.acked and event.value.done for event in events)


def test_a_waiting_partition_does_not_hold_up_another() -> None:
    done: list[int] = []
    gate = asyncio.Event()

    async def work(batch: RecordBatch) -> bool:
        if batch.partition == 0:
            await gate.wait()
        done.append(batch.partition)
        return True

    async def scenario() -> None:
        lanes = Lanes(work, no_crash)
        await lanes.put(Event(0, 0))
        await lanes.put(Event(1, 0))
        await settle()
        assert done == [1]
        gate.set()
        await settle()
        assert done == [1, 0]
        await lanes.stop()

    asyncio.run(scenario())


def test_emptying_waits_for_work_begun_and_drops_the_rest_undone() -> None:
    gate = asyncio.Event()
    done: list[int] = []

    async def work(batch: RecordBatch) -> bool:
        await gate.wait()
        done.append(batch.offset)
        return True

    async def scenario() -> list[Event]:
        lanes = Lanes(work, no_crash)
        events = [Event(0, offset) for offset in range(3)]
        for event in events:
            await lanes.put(event)
        await settle()
        emptying = asyncio.ensure_future(lanes.empty())
        await settle()
        assert not emptying.done()
        gate.set()
        await emptying
        late = Event(0, 9)
        await lanes.put(late)
        lanes.reopen()
        await settle()
        await lanes.stop()
        return [*events, late]

    events = asyncio.run(scenario())
    assert done == [0]
    assert all(event.acked for event in events)
    assert [event.value.done for event in events] == [True, False, False, False]


def test_work_that_raises_crashes_the_worker_and_nothing_after_it_is_done() -> None:
    crashed: list[BaseException] = []
    done: list[int] = []

    async def work(batch: RecordBatch) -> bool:
        if batch.offset == 1:
            raise RuntimeError("broken")
        done.append(batch.offset)
        return True

    async def crash(error: BaseException) -> None:
        crashed.append(error)

    async def scenario() -> list[Event]:
        lanes = Lanes(work, crash)
        events = [Event(0, offset) for offset in range(3)]
        for event in events:
            await lanes.put(event)
        await settle()
        await lanes.stop()
        return events

    events = asyncio.run(scenario())
    assert [str(error) for error in crashed] == ["broken"]
    assert done == [0]
    assert not events[1].value.done


@pytest.mark.parametrize("unread", [FencedError("by another"), DamagedError("on disk")])
def test_a_partition_whose_state_is_not_what_was_read_is_assigned_and_recovered_anew(
    unread: Exception,
) -> None:
    joined: list[bool] = []
    done: list[int] = []

    async def work(batch: RecordBatch) -> bool:
        if not joined:
            raise unread
        done.append(batch.offset)
        return True

    async def scenario() -> list[Event]:
        lanes = Lanes(work, no_crash, lambda: joined.append(True))
        events = [Event(0, offset) for offset in range(3)]
        await lanes.put(events[0])
        await settle()
        await lanes.put(events[1])  # from before the new assignment: dropped, to be read again
        await settle()
        lanes.reopen()
        await lanes.put(events[2])
        await settle()
        await lanes.stop()
        return events

    events = asyncio.run(scenario())
    assert joined == [True]
    assert done == [2]
    assert all(event.acked for event in events)
    assert [event.value.done for event in events] == [False, False, True]


@pytest.mark.parametrize(
    ("offsets", "together"),
    [
        ([0, 1, 2, 3, 4, 5], [[0], [1, 2, 3], [4, 5]]),  # no more than three at once
        ([0, 1, 2, 4, 5], [[0], [1, 2], [4, 5]]),  # whoever works looks what a hole is
        ([0, 1, 1, 2, 3], [[0], [1], [1, 2, 3]]),  # read again after a seek back
    ],
)
def test_what_gathers_in_a_lane_is_worked_as_one_batch(offsets: list[int], together: list[list[int]]) -> None:
    gate = asyncio.Event()
    worked: list[list[int]] = []

    async def work(batch: RecordBatch) -> bool:
        await gate.wait()
        worked.append([record.offset for record in batch.records])
        return 4 not in worked[-1]

    async def scenario() -> list[Event]:
        lanes = Lanes(work, no_crash, most=3)
        events = [Event(0, offset) for offset in offsets]
        await lanes.put(events[0])
        await settle()
        for event in events[1:]:
            await lanes.put(event)
        gate.set()
        await settle()
        await lanes.stop()
        return events

    events = asyncio.run(scenario())
    assert worked == together
    assert all(event.acked for event in events)
    given_up = {offset for batch in together if 4 in batch for offset in batch}
    assert [event.value.done for event in events] == [offset not in given_up for offset in offsets]


def test_a_lane_takes_in_twice_what_is_worked_at_once() -> None:
    gate = asyncio.Event()

    async def work(_batch: RecordBatch) -> bool:
        await gate.wait()
        return True

    async def scenario() -> list[bool]:
        lanes = Lanes(work, no_crash, most=3)
        await lanes.put(Event(0, 0))
        await settle()
        putting = [asyncio.ensure_future(lanes.put(Event(0, offset))) for offset in range(1, 8)]
        await settle()
        full = [one.done() for one in putting]
        gate.set()
        await asyncio.gather(*putting)
        await settle()
        assert lanes.is_idle(("t", 0))
        await lanes.stop()
        return full

    assert asyncio.run(scenario()) == [True] * 6 + [False]
