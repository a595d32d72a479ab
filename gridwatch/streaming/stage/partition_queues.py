"""One ordered queue a partition.

Batches of one partition are worked on strictly one after the other; those of different partitions overlap,
so that while one waits for the broker's ack another decodes. When partitions are revoked the queues are
emptied: what has not been started is dropped (the next owner reads it again), what has been started is waited
for, so that nothing of ours is in flight once somebody else takes over. The queues stay closed until the
tables are recovered: a batch left over from before must meet no half-read state.

A queue takes only what joins on to what it has (`faust/continuity.py`). A batch that does not, and silence
where there is more to read, have the partition read again from where it stands; offsets that the log has
removed are passed over as a batch without records.

What has gathered in a queue meanwhile is worked as one batch: a commit costs much the same whatever is in it,
so one reading is done at once, and many are done together. That keeps the queues short under any load.

Work that finds its partition fenced (`changelog.py`) or its database damaged (`tables/store.py`) closes the
queues and joins the group again: recovery then reads what it had not. Whatever else work raises crashes the
worker: nothing after a batch that failed may be done first.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Protocol

from gridwatch.streaming.faust.batches import Passage, RecordBatch, Wake, follows, joined
from gridwatch.streaming.faust.continuity import Continuity, ContinuityPolicy, Rereads, Verdict
from gridwatch.streaming.faust.fetching import Fetched
from gridwatch.streaming.stage.changelog import FencedError
from gridwatch.tables.store import DamagedError

logger = logging.getLogger(__name__)

#: So many times what is worked at once waits in a queue at most: enough to never idle, little enough to drop
#: lightly.
DEPTH = 2

TopicPartition = tuple[str, int]
Work = Callable[[Any], Awaitable["int | None"]]
"""Does a batch. Returns the offset from which the partition is to be read on: the end of the batch once all
of it is safe, less if it was given up; None if nothing of the partition can be worked before it is assigned
again."""


class Reader(Protocol):
    """What queues ask of the consumer that reads their partitions. None: the partition is not ours now, or
    the broker does not answer; whoever asks tries again later."""

    async def first_offset(self, place: TopicPartition) -> int | None:
        """The offset at which the log begins."""

    async def seek(self, place: TopicPartition, offset: int) -> int | None:
        """Read on from an offset, and fetch the partition if it was not; returns the number of the seek."""

    def readable_end(self, place: TopicPartition) -> int | None:
        """The offset up to which there is something to read, as the last fetch said."""

    def position(self, place: TopicPartition) -> int | None:
        """The offset from which the next fetch begins."""

    def is_fetched(self, place: TopicPartition) -> bool:
        """Whether the partition is among those that are fetched."""

    def is_stopped(self, place: TopicPartition) -> bool:
        """Whether the partition has stopped at a batch that cannot be decoded."""

    def commit(self, batch: RecordBatch) -> None:
        """Have the offsets of a batch of our own making committed."""


class PartitionQueues:
    """Runs `work` on batches, in order within each partition.

    Args:
        work: see `Work`.
        crash: called with the exception when work fails.
        reader: what reads the partitions.
        rereads: keeps count of what was read again.
        rejoin: asks for a new assignment, when a partition is fenced or its database damaged.
        most: records worked as one batch, unless a single batch has more.
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
        #: Batches on their way into a full queue, behind which those of all other queues wait.
        self._held_up = 0
        self.open = True

    # -- batches in

    async def feed(self, app: Any, stream: Any) -> None:
        """Put the batches of an agent's stream into their queues, less those from before a rebalance."""
        async for event in stream.noack().events():
            if event.message.generation_id == app.consumer_generation_id:
                await self.put(event)
            else:
                event.ack()

    async def put(self, event: Any) -> None:
        """Queue an event whose value is a batch, if it joins on; waits while its queue is full."""
        batch: RecordBatch | Wake = event.value
        place = (batch.topic, batch.partition)
        queue = self._queues.get(place)
        if queue is not None:
            self._held_up += 1
            try:
                await queue.waiting.room()
                if isinstance(batch, RecordBatch) and queue.continuity.judge(batch) is Verdict.GAP:
                    await self._read_again(place, queue, "gap", batch.start)
            finally:
                self._held_up -= 1
            # Nothing is awaited from here on: what was judged is what is queued.
            if self.open and not self._failed and queue.take(event):
                return
        event.ack()  # its batch is not done, so this commits nothing: Faust only stops waiting for it

    def is_idle(self, place: TopicPartition) -> bool:
        """Whether nothing of a partition waits or is in work."""
        queue = self._queues.get(place)
        return place not in self._busy and not (queue and queue.waiting)

    # -- reading again

    def begin(self, positions: Mapping[TopicPartition, tuple[int, int]]) -> None:
        """Take what comes of partitions from where they have been sought: (offset, number of the seek)."""
        for place, (offset, seeks) in positions.items():
            queue = self._queues.get(place)
            if queue is None:
                queue = self._queues[place] = _Queue(DEPTH * self._most, self._policy)
                queue.task = asyncio.ensure_future(self._run(place, queue))
            _ack(queue.waiting.take_all())
            queue.continuity.begin(offset, seeks)

    async def check(self, now: float) -> None:
        """Read again what has more to read and is idle; to be called often. `now`: monotonic, seconds."""
        for place, queue in list(self._queues.items()):
            if self._held_up or not self.is_idle(place) or self._reader.is_stopped(place):
                queue.continuity.busy()
            elif self.open and queue.continuity.is_starved(now, self._reader.readable_end(place)):
                asleep = not self._reader.is_fetched(place)
                if asleep or self._reader.position(place) != queue.continuity.expected:
                    await self._read_again(place, queue, "asleep" if asleep else "idle")

    async def _read_again(
        self, place: TopicPartition, queue: _Queue, cause: str, there: int | None = None
    ) -> None:
        """Have a partition read from where it stands, or from where its log begins if that is later.

        there: where a batch that has come already begins; it need not be read again if nothing is before it.
        """
        continuity, seeks = queue.continuity, queue.continuity.seeks
        first = await self._reader.first_offset(place)
        if first is None or not self.open or continuity.seeks != seeks:
            return  # another assignment, or another seek, has the word
        expected = continuity.expected
        reached = first if there is None else min(first, there)
        if reached > expected:
            logger.warning(
                "%s[%d]: offsets %d to %d are gone from the log: passed over", *place, expected, reached - 1
            )
            gone = RecordBatch(*place, Fetched([], expected, reached, seeks))
            queue.take(Passage(gone, self._reader.commit))
            if there is not None and reached == there:
                return
        self._rereads.note(*place, continuity.expected, cause)
        sought = await self._reader.seek(place, continuity.expected)
        if sought is not None and continuity.seeks == seeks:
            continuity.begin(continuity.expected, sought)

    # -- work

    async def _run(self, place: TopicPartition, queue: _Queue) -> None:
        while True:
            events = await queue.waiting.take(self._most)
            if not self.open:
                _ack(events)
                continue
            self._busy.add(place)
            self._idle.clear()
            try:
                batch = joined([event.value for event in events])
                self._note(queue, events, batch, await self._work(batch))
            except asyncio.CancelledError:
                raise
            except (FencedError, DamagedError) as unread:
                logger.warning("%s; joining the group anew", unread)
                self.open = False
                _ack(events)
                self._rejoin()
            except BaseException as error:  # an exit request in here must stop the worker as well
                self._failed = True
                logger.critical("%s[%d]: %s: %s", *place, type(error).__name__, error)
                await self._crash(error)
                return
            finally:
                self._busy.discard(place)
                if not self._busy:
                    self._idle.set()

    @staticmethod
    def _note(queue: _Queue, events: list[Any], batch: RecordBatch | Wake, position: int | None) -> None:
        """Take note of how far work has come; what waits behind work that was given up is given up, too."""
        done = isinstance(batch, RecordBatch) and position is not None and position >= batch.end
        _ack(events, done=done)
        if position is None:
            queue.continuity.end()
            _ack(queue.waiting.take_all())
        elif not done and (isinstance(batch, RecordBatch) or not queue.waiting):
            _ack(queue.waiting.take_all())
            queue.continuity.stand_at(position)

    # -- partitions going away

    async def empty(self) -> None:
        """Drop what waits, finish what is in work. The queues stay closed until `reopen`, and take nothing
        before `begin`."""
        self.open = False
        for queue in self._queues.values():
            queue.continuity.end()
            _ack(queue.waiting.take_all())
        await self._idle.wait()

    def reopen(self) -> None:
        """Take batches again: partitions are assigned and their state is recovered."""
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
    """One partition: what waits, how far it has come, and who works it."""

    def __init__(self, room: int, policy: ContinuityPolicy) -> None:
        self.waiting = Waiting(room)
        self.continuity = Continuity(policy)
        self.task: asyncio.Task[None] | None = None

    def take(self, event: Any) -> bool:
        """Queue an event, unless it is a batch that does not join on."""
        batch: RecordBatch | Wake = event.value
        if isinstance(batch, RecordBatch):
            if self.continuity.judge(batch) is not Verdict.JOINS:
                return False
            self.continuity.take(batch)
        self.waiting.put(event)
        return True


class Waiting:
    """Events of one queue that wait to be worked, in order.

    Args:
        room: the records from which on no more are taken in.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._events: deque[Any] = deque()
        self._records = 0
        self._change = asyncio.Event()

    def __len__(self) -> int:
        return len(self._events)

    async def room(self) -> None:
        """Return once there is room."""
        while self._records >= self._room:
            await self._changed()

    def put(self, event: Any) -> None:
        """Add an event."""
        self._events.append(event)
        self._records += event.value.count
        self._change.set()

    async def take(self, most: int) -> list[Any]:
        """Take the first event, once there is one, and those whose batches go on where the one before ended,
        up to `most` records."""
        while not self._events:
            await self._changed()
        taken = [self._pop()]
        count = taken[0].value.count
        while self._events and follows(taken[-1].value, self._events[0].value):
            count += self._events[0].value.count
            if count > most:
                break
            taken.append(self._pop())
        return taken

    def take_all(self) -> list[Any]:
        """Take whatever waits."""
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
