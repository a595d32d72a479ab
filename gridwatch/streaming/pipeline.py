"""What the worker does with a batch: decide, send, append, write, and only then let the offset go.

    domain on the batch (pure, in memory)
      → outputs sent, every ack awaited
      → changed meter rows and the partition row appended to the changelog as one record batch
      → the same rows written to RocksDB as one WriteBatch
      → the batch's offset may be committed

A crash anywhere leaves the changelog at the state of one source position, which the partition row
names; reading goes on there, and what had been sent already is sent again with the same ids. A batch
whose partition was taken away in the meantime is dropped before the append, or the append is refused
(`changelog.py`): the new owner does it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from gridwatch.domain.partition import PartitionState
from gridwatch.domain.processor import Outcome, Processor
from gridwatch.domain.reading import LogRecord
from gridwatch.models.decode import decode_readings
from gridwatch.models.wire import encode_outputs
from gridwatch.settings import Settings
from gridwatch.streaming.batches import RecordBatch, Wake
from gridwatch.streaming.changelog import ChangelogWriter
from gridwatch.streaming.emission import RECORD_OVERHEAD, Emitter
from gridwatch.tables import rows
from gridwatch.tables.meters import StoredMeters
from gridwatch.tables.store import DamagedError, Store
from gridwatch.topics import CHANGELOG_BATCH_BYTES, RAW, REPLAY_HEADER, TICK_HEADER

logger = logging.getLogger(__name__)

#: Estimated bytes of changed state a commit aims at: rows with long keys take several times the estimate,
#: and all of a commit has to fit one record batch.
COMMIT_BYTES = CHANGELOG_BATCH_BYTES // 8

#: Rows looked at in one go when a partition is taken over: some 20 ms.
SLICE_ROWS = 10_000
#: Rows appended in one go where somebody else wrote to the changelog.
PUT_RIGHT_ROWS = 500

#: The steps of a commit, in order. A batch whose state is too large for one commit is "cut": inside an array,
#: or inside a long settlement. After "taken" a partition's state is in memory and its changelog ours.
STEPS = ("taken", "cut", "decided", "outputs acked", "changelog acked", "written")


@dataclass
class Owned:
    """A partition that this worker owns: its rules at work, and what the pages and metrics ask about."""

    partition: int
    generation: int
    processor: Processor
    meters: StoredMeters
    changelog: ChangelogWriter
    #: A hole being looked into: the offset expected, the first one got, and when it was read again.
    hole: tuple[int, int] = (-1, -1)
    hole_read_again: float = 0.0
    batch_seconds: float = 0.0
    batch_records: int = 0
    #: Wall time of the last commit, 0 before the first, and of taking over, seconds.
    last_commit: float = 0.0
    taken: float = field(default_factory=time.time)

    @property
    def state(self) -> PartitionState:
        """The partition's state."""
        return self.processor.partition


class Pipeline:
    """Works on the batches of the raw topic, one lane a partition.

    Args:
        app: the Faust application (its consumer says what is ours).
        table: the Faust table that holds the state.
    """

    def __init__(self, app: Any, settings: Settings, emitter: Emitter, table: Any) -> None:
        self._app = app
        self._settings = settings
        self._policy = settings.policy()
        self._emitter = emitter
        self._table = table
        self.owned: dict[int, Owned] = {}
        #: Told at each step of a commit, of STEPS, by name: where failures are made to happen when it is
        #: proved that none of them matters.
        self.watch: Callable[[str], None] = lambda step: None
        #: See COMMIT_BYTES.
        self.commit_bytes = COMMIT_BYTES

    @property
    def store(self) -> Store:
        """The RocksDB behind the table."""
        store: Store = self._table.data
        return store

    def ack_wait(self) -> tuple[float, str]:
        """Seconds for which the oldest ack of an output has been waited for, and why one did not come."""
        since = self._emitter.waiting_since
        return (0.0, "") if since is None else (time.time() - since, self._emitter.last_error)

    # -- partitions coming and going

    async def release(self) -> None:
        """Forget what is in memory of every partition: it may be another worker's next."""
        released = list(self.owned.values())
        self.owned.clear()
        await asyncio.gather(*(owned.changelog.close() for owned in released))

    def resume_offsets(self, raw: str, partitions: set[Any]) -> Mapping[Any, int]:
        """Where the raw partitions among `partitions` are to be read on, by their rows."""
        offsets = {}
        for tp in partitions:
            if tp.topic == raw:
                try:
                    row = self.store.row(tp.partition, rows.PARTITION_KEY)
                except DamagedError:
                    continue  # taking over finds it again, and has all of it recovered anew
                if row is not None:
                    offsets[tp] = rows.decode_partition(row)[0].next_offset
        return offsets

    def not_taken_over(self) -> list[int]:
        """Partitions that are ours but that no batch has come of since."""
        assigned = {tp.partition for tp in self._app.consumer.assignment() if tp.topic == RAW.name}
        return sorted(assigned - self.owned.keys())

    def lag(self, partition: int) -> int:
        """Raw records that the broker holds beyond what is committed here; 0 when caught up."""
        end = self._end_offset(partition)
        owned = self.owned.get(partition)
        return max(0, end - owned.state.next_offset) if owned and end is not None else 0

    def _end_offset(self, partition: int) -> int | None:
        for tp in self._app.consumer.assignment():
            if tp == (RAW.name, partition):
                end: int | None = self._app.consumer.highwater(tp)
                return end
        return None

    async def _take_over(self, partition: int) -> Owned:
        started = time.monotonic()
        generation = self._app.consumer_generation_id
        changelog = await self._take_changelog(partition)
        await self._put_right(partition, changelog)
        row = self.store.row(partition, rows.PARTITION_KEY)
        state = PartitionState(partition) if row is None else rows.decode_partition(row)[0]
        due = await self._deadlines(partition)
        share = self._settings.meters_in_memory // self._settings.partitions
        meters = StoredMeters(self.store, partition, share)
        processor = Processor(self._policy, state, meters, due=due, decode=decode_readings)
        owned = self.owned[partition] = Owned(partition, generation, processor, meters, changelog)
        logger.info(
            "partition %d: on from offset %d with %d meters (%.2f s)",
            partition,
            state.next_offset,
            len(due),
            time.monotonic() - started,
        )
        self.watch("taken")
        return owned

    async def _put_right(self, partition: int, changelog: ChangelogWriter) -> None:
        """Append our own rows again for keys that somebody else wrote: compaction keeps the last of a key."""
        keys = sorted(self.store.foreign_keys.pop(partition, ()))
        ours = [(key, self.store.row(partition, key)) for key in keys]
        ours = [(key, row) for key, row in ours if rows.is_ours(key, row)]
        for start in range(0, len(ours), PUT_RIGHT_ROWS):
            again = ours[start : start + PUT_RIGHT_ROWS]
            self.store.write(partition, again, await changelog.append(again, time.time_ns() // 1_000_000))

    async def _deadlines(self, partition: int) -> list[tuple[int, str]]:
        """(due, meter) of every stored meter, a slice at a time: heartbeats and pages share this loop."""
        due: list[tuple[int, str]] = []
        start = b""
        while True:
            rows_read = list(islice(self.store.rows_from(partition, start), SLICE_ROWS))
            due += [(rows.due_of(row), key.decode()) for key, row in rows_read if rows.is_meter(key)]
            if len(rows_read) < SLICE_ROWS:
                return due
            start = rows_read[-1][0] + b"\x00"
            await asyncio.sleep(0)

    async def _take_changelog(self, partition: int) -> ChangelogWriter:
        topic = self._table.changelog_topic_name
        consumer = self._app.consumer
        source = next(tp for tp in consumer.assignment() if tp == (topic, partition))
        earliest = (await consumer.earliest_offsets(source))[source]
        read_up_to = max(earliest, self.store.reached(partition) + 1)
        writer = ChangelogWriter(self._settings, topic, topic, partition, read_up_to)
        fence = await writer.take()
        self.store.write(partition, [(rows.FENCE_KEY, b"")], fence)
        return writer

    def _is_ours(self, owned: Owned) -> bool:
        return (
            self.owned.get(owned.partition) is owned and owned.generation == self._app.consumer_generation_id
        )

    # -- one batch

    async def work(self, batch: RecordBatch | Wake) -> bool:
        """Do a batch; False when the partition went to somebody else before it was safe."""
        owned = self.owned.get(batch.partition) or await self._take_over(batch.partition)
        if batch.records and not await self._joins_on(owned, batch):
            return False
        started = time.monotonic()
        records = log_records(batch, owned.state.next_offset)
        while True:
            outcome = owned.processor.process(records, budget=self.commit_bytes)
            self.watch("decided" if outcome.complete else "cut")
            nothing = not records and outcome.complete and not outcome.outputs and not outcome.changed
            if not nothing and not await self._commit(owned, outcome):
                self.owned.pop(batch.partition, None)
                return False
            if outcome.complete:
                break
        owned.meters.trim()
        if records:
            owned.batch_records = len(records)
            owned.batch_seconds = time.monotonic() - started
        await asyncio.sleep(0)  # the pages and heartbeats share this loop
        return True

    async def _joins_on(self, owned: Owned, batch: RecordBatch | Wake) -> bool:
        """Make sure that nothing is missing between our position and the batch.

        Offsets that retention removed leave a hole that is real; a batch lost on its way inside this
        process would leave one that is not. So a hole is read again once before it is believed.
        """
        expected = owned.state.next_offset
        first = batch.records[0].offset
        if first <= expected or expected == 0 or owned.hole == (expected, first):
            return True
        now = time.monotonic()
        if owned.hole[0] != expected or first < owned.hole[1] or now > owned.hole_read_again + 1:
            logger.warning(
                "partition %d: expected offset %d, got %d; reading again", owned.partition, expected, first
            )
            owned.hole = (expected, first)
            owned.hole_read_again = now
            consumer = self._app.consumer
            source = next(tp for tp in consumer.assignment() if tp == (batch.topic, batch.partition))
            await consumer.seek_wait({source: expected})
        return False

    async def _commit(self, owned: Owned, outcome: Outcome) -> bool:
        partition = owned.partition
        timestamp = (owned.state.record_time or 0) // 1000
        await asyncio.gather(
            *(
                self._emitter.deliver(topic, partition, messages, timestamp)
                for topic, messages in encode_outputs(outcome.outputs).items()
            )
        )
        self.watch("outputs acked")
        if not self._is_ours(owned):
            logger.info(
                "partition %d was taken away before its commit; the new owner does it again", partition
            )
            return False
        changed = self._rows(owned, outcome)
        last = await owned.changelog.append(changed, timestamp)
        self.watch("changelog acked")
        self.store.write(partition, changed, last)
        self.watch("written")
        owned.meters.keep(outcome.changed)
        owned.last_commit = time.time()
        return True

    def _rows(self, owned: Owned, outcome: Outcome) -> list[tuple[bytes, bytes | None]]:
        changed: list[tuple[bytes, bytes | None]] = [
            (rows.meter_key(meter_id), None if state is None else rows.encode_meter(state))
            for meter_id, state in outcome.changed.items()
        ]
        # Last, so that the changelog's newest offset is always of a row that compaction keeps.
        changed.append((rows.PARTITION_KEY, rows.encode_partition(owned.state, owned.generation)))
        size = sum(len(key or b"") + len(row or b"") + RECORD_OVERHEAD for key, row in changed)
        if size > CHANGELOG_BATCH_BYTES:
            logger.error(
                "partition %d: a commit of %d bytes exceeds the changelog's limit", owned.partition, size
            )
        return changed


def log_records(batch: RecordBatch | Wake, position: int) -> list[LogRecord]:
    """The batch as the domain takes it, less what lies before the position (times in µs)."""
    taken = []
    for record in batch.records:
        if record.offset < position:
            continue
        tick = replayed = False
        for name, _value in record.headers:
            if name == TICK_HEADER:
                tick = True
            elif name == REPLAY_HEADER:
                replayed = True
        taken.append(LogRecord(record.offset, record.timestamp * 1000, record.value, tick, replayed))
    return taken
