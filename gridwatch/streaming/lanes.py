"""One ordered lane a partition.

Batches of one partition are worked on strictly one after the other; those of different partitions
overlap, so that while one waits for the broker's ack another decodes. When partitions are taken away
the lanes are emptied: what has not been started is dropped (the next owner reads it again), what has
been started is waited for, so that nothing of ours is in flight once somebody else takes over. They
stay closed until the tables are recovered: a batch left over from before must meet no half-read state.

What has gathered in a lane meanwhile is worked as one batch: a commit costs much the same whatever is in it,
so one reading is done at once, and many are done together. That keeps the lanes short under any load.

Work that finds its partition fenced (`changelog.py`) or its database damaged (`tables/store.py`) closes the
lanes and joins the group anew: recovery then reads what it had not. Whatever else work raises crashes the
worker: nothing after a batch that failed may be done first.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from gridwatch.streaming.batches import RecordBatch, Wake, follows, joined
from gridwatch.streaming.changelog import FencedError
from gridwatch.tables.store import DamagedError

logger = logging.getLogger(__name__)

#: So many times what is worked at once waits in a lane at most: enough to never idle, little enough to drop
#: lightly.
DEPTH = 2

TopicPartition = tuple[str, int]
Work = Callable[[Any], Awaitable[bool]]


class Lanes:
    """Runs `work` on batches, in order within each partition.

    Args:
        work: does a batch; True when its offsets may be committed, False when it was given up because
            the partition is no longer ours.
        crash: called with the exception when work fails.
        rejoin: asks for a new assignment, when a partition is fenced or its database damaged.
        most: records worked as one batch, unless a single batch has more.
    """

    def __init__(
        self,
        work: Work,
        crash: Callable[[BaseException], Awaitable[None]],
        rejoin: Callable[[], None] = lambda: None,
        most: int = 1,
    ) -> None:
        self._work = work
        self._crash = crash
        self._rejoin = rejoin
        self._most = most
        self._waiting: dict[TopicPartition, Waiting] = {}
        self._tasks: dict[TopicPartition, asyncio.Task[None]] = {}
        self._busy: set[TopicPartition] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._failed = False
        self.open = True

    async def feed(self, app: Any, stream: Any) -> None:
        """Put the batches of an agent's stream into their lanes, less those from before a rebalance."""
        async for event in stream.noack().events():
            if event.message.generation_id == app.consumer_generation_id:
                await self.put(event)
            else:
                event.ack()

    async def put(self, event: Any) -> None:
        """Queue an event whose value is a batch; waits while its lane is full."""
        batch: RecordBatch | Wake = event.value
        lane = (batch.topic, batch.partition)
        if not self.open or self._failed:
            event.ack()  # its batch is not done, so this commits nothing: Faust only stops waiting for it
            return
        waiting = self._waiting.get(lane)
        if waiting is None:
            waiting = self._waiting[lane] = Waiting(DEPTH * self._most)
            self._tasks[lane] = asyncio.ensure_future(self._run(lane))
        await waiting.put(event)

    def is_idle(self, lane: TopicPartition) -> bool:
        """Whether nothing of a lane waits or is in work."""
        return lane not in self._busy and not self._waiting.get(lane)

    async def _run(self, lane: TopicPartition) -> None:
        waiting = self._waiting[lane]
        while True:
            events = await waiting.take(self._most)
            if not self.open:
                _ack(events)
                continue
            self._busy.add(lane)
            self._idle.clear()
            try:
                _ack(events, done=await self._work(joined([event.value for event in events])))
            except asyncio.CancelledError:
                raise
            except (FencedError, DamagedError) as unread:
                logger.warning("%s; joining the group anew", unread)
                self.open = False
                _ack(events)
                self._rejoin()
            except BaseException as error:  # an exit request in here must stop the worker as well
                self._failed = True
                logger.critical("%s[%d]: %s: %s", *lane, type(error).__name__, error)
                await self._crash(error)
                return
            finally:
                self._busy.discard(lane)
                if not self._busy:
                    self._idle.set()

    async def empty(self) -> None:
        """Drop what waits, finish what is in work. Lanes stay closed until `reopen`."""
        self.open = False
        for waiting in self._waiting.values():
            _ack(waiting.take_all())
        await self._idle.wait()

    def reopen(self) -> None:
        """Take batches again: partitions are assigned and their state is recovered."""
        self.open = True

    async def stop(self) -> None:
        """Empty the lanes and end their tasks."""
        await self.empty()
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()
        self._waiting.clear()


class Waiting:
    """Events of one lane that wait to be worked, in order.

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

    async def put(self, event: Any) -> None:
        """Add an event, once there is room."""
        while self._records >= self._room:
            await self._changed()
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
