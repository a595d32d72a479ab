"""Faust's aiokafka transport, changed in eight places.

1. **Acks.** Stock Faust keeps a list of every acked offset and commits up to the first gap in it. A batch is
   one event here, so an offset is committed when the batch that ends before it is done.
2. **Resuming.** Where a table stores its own source offset (the worker), reading resumes there, whatever the
   group has committed: state and position are one. Every partition that is delivered in batches is sought
   explicitly, also one without a committed offset (aiokafka leaves its position after batches that Faust
   dropped), and its queue gets the start offset.
3. **Fetching.** A broker with no new records answers after 100 ms instead of 1.5 s, and while every queue is
   full the fetcher retries after 10 ms instead of a second.
4. **Revocation.** Before partitions are revoked, their queues are emptied. Before the state of assigned ones
   is recovered, the application may check its local state.
5. **Leaving.** A static member that is stopped leaves the group, and the others take over at once. One that
   is killed does not; if it returns within the session it gets its partitions back without a rebalance.
6. **Seeking.** Stock Faust silently drops records below the last offset that it read. It notes that offset
   after a delivery, so a seek back during one is overwritten, and all re-read records are dropped. Here none
   is dropped: the consumer of a batch knows its own position.
7. **Unpacking.** Records of topics that are delivered in batches are converted as they are parsed
   (`fetching.py`).
8. **Isolation.** Only committed records are read: those of aborted transactions are skipped, and an open
   transaction blocks the records after it.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from faust.transport.drivers import aiokafka as driver

from gridwatch.streaming.faust.fetching import Fetches, Undecodable, Unpack

logger = logging.getLogger(__name__)

FETCH_WAIT_MS = 100
FULL_BUFFERS_WAIT_SECONDS = 0.01


async def _nothing() -> None:
    """A hook that does nothing."""


@dataclass
class Hooks:
    """Callbacks of an application for assigned and revoked partitions."""

    #: The offsets to resume from; partitions without one resume from the committed offset.
    resume_offsets: Callable[[set[Any]], Mapping[Any, int]] = lambda partitions: {}
    #: Called when partitions have been assigned, before their tables are recovered.
    before_recovery: Callable[[], Awaitable[None]] = _nothing
    #: Called before partitions are revoked: finish the work in progress, drop the rest.
    before_revoked: Callable[[], Awaitable[None]] = _nothing
    #: Called when partitions are assigned and tables recovered, before their first record is delivered.
    after_recovered: Callable[[], None] = lambda: None
    #: Called after seeks, with (offset, number of the seek) of each partition.
    after_seek: Callable[[Mapping[Any, tuple[int, int]]], None] = lambda positions: None


class ConsumerThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc, unused-ignore]
    """The thread that talks to the brokers."""

    fetches: Fetches

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        consumer._isolation_level = "read_committed"
        return consumer

    async def on_start(self) -> None:
        """Start, with a fetcher that unpacks records for the application."""
        await super().on_start()
        fetcher = self._ensure_consumer()._fetcher
        fetches = fetcher._records = self.fetches = Fetches(self.transport.unpacked)
        fetcher.seek_to = fetches.counting(fetcher.seek_to)

    async def seek_counted(self, positions: Mapping[Any, int]) -> dict[Any, int]:
        """Seek partitions; returns the number of the seek of each. IllegalStateError if one is not
        assigned."""
        numbers: dict[Any, int] = await self.call_thread(self._seek_counted, positions)
        return numbers

    async def _seek_counted(self, positions: Mapping[Any, int]) -> dict[Any, int]:
        await self._seek_wait(self._ensure_consumer(), positions)
        return {tp: self.fetches.seeks[tp] for tp in positions}

    def state_of(self, tp: Any) -> Any | None:
        """aiokafka's state of a partition, read-only; None unless it is assigned."""
        subscription = self._ensure_consumer()._subscription.subscription
        assignment = None if subscription is None else subscription.assignment
        if assignment is None or tp not in assignment.tps:
            return None
        return assignment.state_value(tp)

    def rejoin(self) -> None:
        """Rejoin the group; may be called from any thread."""
        self.thread_loop.call_soon_threadsafe(self._ensure_consumer()._coordinator.request_rejoin)

    async def on_thread_stop(self) -> None:
        """Leave the group: aiokafka does so only for a member without an instance id."""
        if self._consumer is not None and self._consumer._coordinator is not None:
            self._consumer._coordinator._group_instance_id = None
        await super().on_thread_stop()


class ReadOffsets(defaultdict[Any, Any]):
    """Faust's last read offsets, disabled: by them Faust would drop re-read records."""

    def __getitem__(self, partition: Any) -> None:
        """None, as if nothing had been read yet."""


class Consumer(driver.Consumer):  # type: ignore[misc, unused-ignore]
    """The consumer that agents and recovery read from."""

    transport: Transport

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._read_offset = ReadOffsets()

    def _new_consumer_thread(self) -> Any:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    # -- acks

    def ack(self, message: Any) -> bool:
        """Ack a batch; its offsets are committed only if it is done."""
        if message.acked:
            return False
        message.acked = True
        self._unacked_messages.discard(message)
        done = getattr(message.value, "done", True)
        if done and self.app.topics.acks_enabled_for(message.topic):
            self._acked[message.tp] = [message.offset]
            self._n_acked += 1
        driver_notify(self._waiting_for_ack)
        return True

    def _new_offset(self, tp: Any) -> int | None:
        acked = self._acked.pop(tp, None)
        return acked[-1] + 1 if acked else None

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Any:
        pending = [tp for tp, acked in self._acked.items() if acked]
        return (tp for tp in pending if topics is None or tp in topics or tp.topic in topics)

    async def _add_gap(self, tp: Any, offset_from: int, offset_to: int) -> None:
        """Nothing: the queue of a partition detects gaps itself (`continuity.py`)."""

    # -- resuming

    async def seek_to_committed(self) -> Mapping[Any, int]:
        """Seek to the committed offsets, or to the position of the state where it has one."""
        committed = dict(await super().seek_to_committed())
        sources = {
            tp for tp in committed if tp.topic in self.transport.unpacked and not self._is_changelog_tp(tp)
        }
        resume = dict(self.transport.hooks.resume_offsets(sources))
        resume |= {tp: committed[tp] for tp in sources - resume.keys() if committed[tp]}
        if without := sources - resume.keys():
            resume |= await self.earliest_offsets(*without)
        if resume:
            numbers = await self._thread.seek_counted(resume)
            self.transport.hooks.after_seek({tp: (resume[tp], numbers[tp]) for tp in resume})
            committed.update(resume)
        return committed

    async def read_from(self, tp: Any, offset: int) -> int:
        """Seek one partition and resume it; returns the number of the seek."""
        numbers = await self._thread.seek_counted({tp: offset})
        self.resume_partitions({tp})
        return int(numbers[tp])

    def state_of(self, tp: Any) -> Any | None:
        """aiokafka's state of a partition, read-only; None unless it is assigned."""
        return self._thread.state_of(tp)

    @property
    def undecodable(self) -> Mapping[Any, Undecodable]:
        """The undecodable batch of each assigned partition that has stopped at one."""
        found = self._thread.fetches.undecodable
        if not found:
            return {}
        found = dict(found)  # the consumer's thread may change it meanwhile
        return {tp: stop for tp, stop in found.items() if self.state_of(tp) is not None}

    def is_active(self, tp: Any) -> bool:
        """Whether Faust fetches a partition."""
        return tp in self._get_active_partitions()

    def acknowledge(self, tp: Any, offset: int) -> None:
        """Have an offset committed that has no message, as if its message had been acked."""
        self._acked[tp] = [offset]

    # -- revocation and assignment

    async def on_partitions_revoked(self, revoked: set[Any]) -> None:
        """Finish the work in progress before another member can take over."""
        await self.transport.hooks.before_revoked()
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[Any], generation_id: int = 0) -> None:
        """Start with the assigned partitions."""
        await self.transport.hooks.before_recovery()
        await super().on_partitions_assigned(assigned, generation_id)

    def rejoin(self) -> None:
        """Rejoin the group: partitions are revoked and assigned, and their tables recovered again."""
        self._thread.rejoin()

    # -- fetching

    async def _wait_next_records(self, timeout: float) -> Any:  # noqa: ASYNC109  as Faust calls it
        if self.flow_active and not self.app.client_only and not self._get_active_partitions():
            await self.sleep(FULL_BUFFERS_WAIT_SECONDS)
            return {}, self._get_active_partitions()
        return await super()._wait_next_records(timeout)


def driver_notify(future: Any) -> None:
    """Notify the waiter for an ack."""
    if future is not None and not future.done():
        future.set_result(None)


class Transport(driver.Transport):  # type: ignore[misc, unused-ignore]
    """Faust's Kafka transport with the consumer above."""

    Consumer = Consumer

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.hooks = Hooks()
        #: The topics delivered in batches, and the conversion of their records; None: aiokafka's own.
        self.unpacked: Mapping[str, Unpack | None] = {}
