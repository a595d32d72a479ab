"""One ordered queue a partition.

Batches of one partition are processed strictly one after the other; those of different partitions overlap, so
that one is decoded while another waits for the broker's ack. When partitions are revoked the queues are
emptied: queued batches are dropped (the next owner reads them again), and the ones in progress are awaited,
so that nothing is in flight when another worker takes over. The queues stay closed until the tables are
recovered: an old batch must not be applied to partly recovered state.

A queue accepts only contiguous batches (`faust/continuity.py`). After an offset gap, or when nothing arrives
although there is more to read, the partition is read again from the expected offset; offsets that retention
has deleted are skipped as a batch without records.

Batches that have queued up are processed as one: the cost of a commit hardly depends on its size, so a single
reading is committed at once, and many are committed together. That keeps the queues short under any load.

When a partition is fenced (`changelog.py`) or its database damaged (`tables/store.py`), the queues are closed
and the worker rejoins the group: recovery then reads the missing rows. Any other exception crashes the
worker: nothing after a failed batch may be processed first.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Protocol

from gridwatch.streaming.faust.batches import RecordBatch, SkippedOffsets, TakeOverEvent, follows, joined
from gridwatch.streaming.faust.continuity import BatchOrder, Continuity, ContinuityPolicy, Rereads
from gridwatch.streaming.faust.fetching import Fetched
from gridwatch.streaming.stage.changelog import FencedError
from gridwatch.tables.store import DamagedError

logger = logging.getLogger(__name__)

#: Capacity of a queue, in largest batches: enough to never idle, little enough to be dropped cheaply.
DEPTH = 2

TopicPartition = tuple[str, int]
Work = Callable[[Any], Awaitable["int | None"]]
"""Processes a batch. Returns the offset to continue from: the end of the batch once all of it is committed,
less if it was dropped; None if the partition cannot be processed until it is assigned again."""


class Reader(Protocol):
    """The consumer that reads the partitions. None: the partition is not assigned now, or the broker does not
    answer; the caller tries again later."""

    async def first_offset(self, tp: TopicPartition) -> int | None:
        """The start offset of the log."""

    async def seek(self, tp: TopicPartition, offset: int) -> int | None:
        """Seek to an offset, and resume fetching the partition; returns the number of the seek."""

    def readable_end(self, tp: TopicPartition) -> int | None:
        """The offset up to which records can be read, from the last fetch."""

    def position(self, tp: TopicPartition) -> int | None:
        """The offset of the next fetch."""

    def is_fetched(self, tp: TopicPartition) -> bool:
        """Whether the partition is being fetched."""

    def is_stopped(self, tp: TopicPartition) -> bool:
        """Whether the partition has stopped at a batch that cannot be decoded."""

    def commit(self, batch: RecordBatch) -> None:
        """Have the offsets of an artificial batch committed."""


class PartitionQueues:
    """Runs `work` on batches, in order within each partition.

    Args:
        work: see `Work`.
        crash: called with the exception when work fails.
        reader: reads the partitions.
        rereads: counts the re-reads.
        rejoin: requests a new assignment, when a partition is fenced or its database damaged.
        most: records processed as one batch, unless a single batch has more.
    """

    def __init__(
        self,
        work: Work,
        crash: Callable[[BaseException], Awaitable[None]],
        reader: Reader,
        rereads: Rereads,
        *,
        rejoin: Callable[[], None] = lambda: None,
        most: int = 1,
        policy: ContinuityPolicy = ContinuityPolicy(),  # noqa: B008  frozen
    ) -> None:
        self._work = work
        self._crash = crash
        self._reader = reader
        self._rereads = rereads
        self._rejoin = rejoin
        self._most = most
        self._policy = policy
        self._queues: dict[TopicPartition, _Queue] = {}
        self._busy: set[TopicPartition] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._failed = False
        #: Batches that wait for room in a full queue, and block those of all other queues.
        self._blocked_puts = 0
        self.open = True

    # -- batches in

    async def feed(self, app: Any, stream: Any) -> None:
        """Put the batches of an agent's stream into their queues, except those from before a rebalance."""
        async for event in stream.noack().events():
            if event.message.generation_id == app.consumer_generation_id:
                await self.put(event)
            else:
                event.ack()

    async def put(self, event: Any) -> None:
        """Queue an event whose value is a batch, if it is contiguous; waits while its queue is full."""
        batch: RecordBatch | TakeOverEvent = event.value
        tp = (batch.topic, batch.partition)
        queue = self._queues.get(tp)
        if queue is not None:
            self._blocked_puts += 1
            try:
                await queue.events.wait_for_room()
                if isinstance(batch, RecordBatch) and queue.continuity.classify(batch) is BatchOrder.GAP:
                    await self._read_again(tp, queue, "gap", batch.start)
            finally:
                self._blocked_puts -= 1
            # No await from here on: the classified batch is the one that is queued.
            if self.open and not self._failed and queue.enqueue(event):
                return
        event.ack()  # its batch is not done, so no offset is committed; Faust only stops waiting for it

    def is_idle(self, tp: TopicPartition) -> bool:
        """Whether nothing of a partition is queued or in progress."""
        queue = self._queues.get(tp)
        return tp not in self._busy and not (queue and queue.events)

    # -- re-reads

    def begin(self, positions: Mapping[TopicPartition, tuple[int, int]]) -> None:
        """Accept batches of partitions from the offsets that they were sought to: (offset, number of the
        seek)."""
        for tp, (offset, seeks) in positions.items():
            queue = self._queues.get(tp)
            if queue is None:
                queue = self._queues[tp] = _Queue(DEPTH * self._most, self._policy)
                queue.task = asyncio.ensure_future(self._run(tp, queue))
            _ack(queue.events.drain())
            queue.continuity.begin(offset, seeks)

    async def check(self, now: float) -> None:
        """Read partitions again that are idle and have more to read; call this often. `now`: monotonic,
        seconds."""
        for tp, queue in list(self._queues.items()):
            if self._blocked_puts or not self.is_idle(tp) or self._reader.is_stopped(tp):
                queue.continuity.busy()
            elif self.open and queue.continuity.is_starved(now, self._reader.readable_end(tp)):
                asleep = not self._reader.is_fetched(tp)
                if asleep or self._reader.position(tp) != queue.continuity.expected:
                    await self._read_again(tp, queue, "asleep" if asleep else "idle")

    async def _read_again(
        self, tp: TopicPartition, queue: _Queue, cause: str, fetched_from: int | None = None
    ) -> None:
        """Read a partition again from the expected offset, or from the start of its log if that is later.

        fetched_from: the start of a batch that is already fetched; it is not read again if nothing is before
        it.
        """
        continuity, seeks = queue.continuity, queue.continuity.seeks
        first = await self._reader.first_offset(tp)
        if first is None or not self.open or continuity.seeks != seeks:
            return  # superseded by another assignment or another seek
        expected = continuity.expected
        available = first if fetched_from is None else min(first, fetched_from)
        if available > expected:
            logger.warning(
                "%s[%d]: offsets %d to %d are deleted from the log: skipped", *tp, expected, available - 1
            )
            deleted = RecordBatch(*tp, Fetched([], expected, available, seeks))
            queue.enqueue(SkippedOffsets(deleted, self._reader.commit))
            if fetched_from is not None and available == fetched_from:
                return
        self._rereads.note(*tp, continuity.expected, cause)
        sought = await self._reader.seek(tp, continuity.expected)
        if sought is not None and continuity.seeks == seeks:
            continuity.begin(continuity.expected, sought)

    # -- work

    async def _run(self, tp: TopicPartition, queue: _Queue) -> None:
        while True:
            events = await queue.events.next_run(self._most)
            if not self.open:
                _ack(events)
                continue
            self._busy.add(tp)
            self._idle.clear()
            try:
                batch = joined([event.value for event in events])
                self._note(queue, events, batch, await self._work(batch))
            except asyncio.CancelledError:
                raise
            except (FencedError, DamagedError) as unread:
                logger.warning("%s; rejoining the group", unread)
                self.open = False
                _ack(events)
                self._rejoin()
            except BaseException as error:  # an exit request must stop the worker as well
                self._failed = True
                logger.critical("%s[%d]: %s: %s", *tp, type(error).__name__, error)
                await self._crash(error)
                return
            finally:
                self._busy.discard(tp)
                if not self._busy:
                    self._idle.set()

    @staticmethod
    def _note(
        queue: _Queue, events: list[Any], batch: RecordBatch | TakeOverEvent, position: int | None
    ) -> None:
        """Note the new position. If the batch was dropped, the queued ones after it are dropped too."""
        done = isinstance(batch, RecordBatch) and position is not None and position >= batch.end
        _ack(events, done=done)
        if position is None:
            queue.continuity.end()
            _ack(queue.events.drain())
        elif not done and (isinstance(batch, RecordBatch) or not queue.events):
            _ack(queue.events.drain())
            queue.continuity.reset_to(position)

    # -- revocation

    async def empty(self) -> None:
        """Drop queued batches, finish those in progress. The queues stay closed until `reopen`, and accept
        nothing before `begin`."""
        self.open = False
        for queue in self._queues.values():
            queue.continuity.end()
            _ack(queue.events.drain())
        await self._idle.wait()

    def reopen(self) -> None:
        """Accept batches again: partitions are assigned and their state is recovered."""
        self.open = True

    async def stop(self) -> None:
        """Empty the partition queues and end their tasks."""
        await self.empty()
        tasks = [queue.task for queue in self._queues.values() if queue.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._queues.clear()


class _Queue:
    """The queue of one partition: its events, its expected offset, and its task."""

    def __init__(self, room: int, policy: ContinuityPolicy) -> None:
        self.events = EventBuffer(room)
        self.continuity = Continuity(policy)
        self.task: asyncio.Task[None] | None = None

    def enqueue(self, event: Any) -> bool:
        """Queue an event, unless it is a batch that is not contiguous."""
        batch: RecordBatch | TakeOverEvent = event.value
        if isinstance(batch, RecordBatch):
            if self.continuity.classify(batch) is not BatchOrder.CONTIGUOUS:
                return False
            self.continuity.accept(batch)
        self.events.put(event)
        return True


class EventBuffer:
    """The queued events of one partition, in order.

    Args:
        room: its capacity in records.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._events: deque[Any] = deque()
        self._records = 0
        self._change = asyncio.Event()

    def __len__(self) -> int:
        return len(self._events)

    async def wait_for_room(self) -> None:
        """Wait until there is room."""
        while self._records >= self._room:
            await self._changed()

    def put(self, event: Any) -> None:
        """Add an event."""
        self._events.append(event)
        self._records += event.value.count
        self._change.set()

    async def next_run(self, most: int) -> list[Any]:
        """Wait for an event; remove and return it with those that directly follow it, up to `most`
        records."""
        while not self._events:
            await self._changed()
        run = [self._pop()]
        count = run[0].value.count
        while self._events and follows(run[-1].value, self._events[0].value):
            count += self._events[0].value.count
            if count > most:
                break
            run.append(self._pop())
        return run

    def drain(self) -> list[Any]:
        """Remove and return all events."""
        return [self._pop() for _ in range(len(self._events))]

    def _pop(self) -> Any:
        event = self._events.popleft()
        self._records -= event.value.count
        self._change.set()
        return event

    async def _changed(self) -> None:
        self._change.clear()
        await self._change.wait()


def _ack(events: Iterable[Any], *, done: bool = False) -> None:
    for event in events:
        event.value.done = done
        event.ack()
