"""One ordered lane a partition.

Batches of one partition are worked on strictly one after the other; those of different partitions
overlap, so that while one waits for the broker's ack another decodes. When partitions are taken away
the lanes are emptied: what has not been started is dropped (the next owner reads it again), what has
been started is waited for, so that nothing of ours is in flight once somebody else takes over. They
stay closed until the tables are recovered: a batch left over from before must meet no half-read state.

Work that finds its partition fenced (`changelog.py`) or its database damaged (`tables/store.py`) closes the
lanes and joins the group anew: recovery then reads what it had not. Whatever else work raises crashes the
worker: nothing after a batch that failed may be done first.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from gridwatch.streaming.batches import RecordBatch, Wake
from gridwatch.streaming.changelog import FencedError
from gridwatch.tables.store import DamagedError

logger = logging.getLogger(__name__)

#: Batches waiting in a lane beside the one in work: enough to never idle, few enough to drop lightly.
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
    """

    def __init__(
        self,
        work: Work,
        crash: Callable[[BaseException], Awaitable[None]],
        rejoin: Callable[[], None] = lambda: None,
    ) -> None:
        self._work = work
        self._crash = crash
        self._rejoin = rejoin
        self._queues: dict[TopicPartition, asyncio.Queue[Any]] = {}
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
        if lane not in self._queues:
            self._queues[lane] = asyncio.Queue(DEPTH)
            self._tasks[lane] = asyncio.ensure_future(self._run(lane))
        await self._queues[lane].put(event)

    def is_idle(self, lane: TopicPartition) -> bool:
        """Whether nothing of a lane waits or is in work."""
        return lane not in self._busy and (lane not in self._queues or self._queues[lane].empty())

    async def _run(self, lane: TopicPartition) -> None:
        queue = self._queues[lane]
        while True:
            event = await queue.get()
            if not self.open:
                event.ack()
                continue
            self._busy.add(lane)
            self._idle.clear()
            try:
                event.value.done = await self._work(event.value)
                event.ack()
            except asyncio.CancelledError:
                raise
            except (FencedError, DamagedError) as unread:
                logger.warning("%s; joining the group anew", unread)
                self.open = False
                event.ack()
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
        for queue in self._queues.values():
            while not queue.empty():
                queue.get_nowait().ack()
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
        self._queues.clear()
