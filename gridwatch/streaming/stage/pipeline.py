"""Processes a batch: rules, outputs, changelog, store, and only then the offset.

    the processor runs on the batch (pure, in memory)
      → outputs are sent, every ack is awaited
      → changed states and the partition row are appended to the changelog as one record batch
      → the same rows are buffered in the store, which writes some commits at a time to RocksDB
      → the batch's offset may be committed

A crash at any point leaves the changelog at the state of one source position, which is in the partition row.
Reading resumes there, and outputs that were already sent are sent again with the same ids. A batch whose
partition was revoked meanwhile is dropped before the append, or the append is fenced (`changelog.py`): the
new owner processes it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Generic

from gridwatch.errors import GridwatchError
from gridwatch.kafka.emission import Emitter
from gridwatch.kafka.packing import Packed, pack
from gridwatch.kafka.topic_identity import describe_topic, source_truncation
from gridwatch.settings import Settings
from gridwatch.streaming.faust.batches import RecordBatch, TakeOverEvent
from gridwatch.streaming.stage.dead_letter_limit import DeadLetterLimit, DeadLetterPolicy
from gridwatch.streaming.stage.declaration import Outcome, P, Stage
from gridwatch.streaming.stage.take_over import OwnedPartition, stored_partition, take_over
from gridwatch.tables.layout import PARTITION_KEY
from gridwatch.tables.row_kind import Row
from gridwatch.tables.store import DamagedError, Store
from gridwatch.topics import CHANGELOG_BATCH_BYTES

logger = logging.getLogger(__name__)

Messages = dict[tuple[str, int], list[Packed]]
"""Outputs, packed, by topic name and partition."""

#: Target size of a commit, in estimated bytes of changed state. Rows with long keys take several times the
#: estimate, and a commit has to fit into one record batch.
COMMIT_BYTES = CHANGELOG_BATCH_BYTES // 8

#: Records that are processed and encoded together.
PORTION = 256

#: The steps of a commit, in order. "cut": a batch with too many changed states for one commit is split,
#: inside an array or inside a long settlement. "taken": a partition's state is loaded and its changelog
#: fenced.
STEPS = ("taken", "cut", "decided", "outputs acked", "changelog acked", "written")


class Pipeline(Generic[P]):
    """Processes the batches of a stage's source.

    Args:
        app: the Faust application (its consumer has the assignment).
        table: the Faust table of the state.
    """

    def __init__(self, app: Any, settings: Settings, stage: Stage[P], emitter: Emitter, table: Any) -> None:
        self.stage = stage
        self._source = stage.source.name
        self._app = app
        self._settings = settings
        self._emitter = emitter
        self._table = table
        self.owned: dict[int, OwnedPartition[P]] = {}
        #: The recent valid records and dead letters of each partition.
        self.feeds: defaultdict[int, DeadLetterLimit] = defaultdict(
            lambda: DeadLetterLimit(DeadLetterPolicy.of(settings))
        )
        #: Outputs of each partition of the source that were acked, by topic; for metrics.
        self.emitted: defaultdict[int, Counter[str]] = defaultdict(Counter)
        #: End offsets of the source's partitions at the last assignment, as far as known.
        self._source_ends: Mapping[int, int] = {}
        #: Called with the name of each step of a commit (STEPS): fault injection hooks in here.
        self.watch: Callable[[str], None] = lambda step: None
        #: See COMMIT_BYTES.
        self.commit_bytes = COMMIT_BYTES

    @property
    def store(self) -> Store:
        """The RocksDB store of the table."""
        store: Store = self._table.data
        return store

    # -- assignment and revocation

    async def describe_topics(self) -> None:
        """Get the identity of the changelog and the ends of the source, before state is recovered."""
        names = (self.stage.changelog(self._settings.app_id).name, self._source)
        answers = (describe_topic(self._settings, name) for name in names)
        self.store.changelog, source = await asyncio.gather(*answers)
        self.store.on_gap = partial(self._app.rereads.note, cause="changelog")
        self._source_ends = {} if source is None else source.ends

    async def release(self) -> None:
        """Drop the in-memory state of every partition: another worker may own it next."""
        released = list(self.owned.values())
        self.owned.clear()
        await asyncio.gather(*(owned.changelog.close() for owned in released))

    def resume_offsets(self, partitions: set[Any]) -> Mapping[Any, int]:
        """The offsets to resume the source's partitions among `partitions` from, by their partition rows."""
        offsets = {}
        for tp in partitions:
            if tp.topic == self._source:
                try:
                    row = stored_partition(self.store, tp.partition)
                    # Without state: from the start, even if the group has committed offsets.
                    offsets[tp] = 0 if row is None else self.stage.layout.decode_partition(row)[0].next_offset
                except DamagedError:
                    continue  # the take-over finds the damage again and has the partition recovered
                except GridwatchError:
                    offsets[tp] = 0  # the take-over raises the same error and ends the worker
        return offsets

    def not_taken_over(self) -> list[int]:
        """Assigned partitions that are not taken over yet."""
        assigned = {tp.partition for tp in self._app.consumer.assignment() if tp.topic == self._source}
        return sorted(assigned - self.owned.keys())

    def lag(self, partition: int) -> int:
        """Records of the source on the broker beyond the committed position; 0 when caught up."""
        end = self._end_offset(partition)
        owned = self.owned.get(partition)
        return max(0, end - owned.state.next_offset) if owned and end is not None else 0

    def _end_offset(self, partition: int) -> int | None:
        for tp in self._app.consumer.assignment():
            if tp == (self._source, partition):
                end: int | None = self._app.consumer.highwater(tp)
                return end
        return None

    async def _take_over(self, partition: int) -> OwnedPartition[P]:
        owned = await take_over(self.stage, partition, self._app, self._settings, self._table)
        position = owned.state.next_offset
        if position > self._source_ends.get(partition, position):
            owned.lost = await source_truncation(self._settings, self._source, partition, position)
        self.owned[partition] = owned
        self.watch("taken")
        return owned

    def _still_owned(self, owned: OwnedPartition[P]) -> bool:
        return (
            self.owned.get(owned.partition) is owned and owned.generation == self._app.consumer_generation_id
        )

    # -- one batch

    async def work(self, batch: RecordBatch | TakeOverEvent) -> int | None:
        """Process a batch; returns the new position. None if the partition cannot be processed."""
        owned = self.owned.get(batch.partition) or await self._take_over(batch.partition)
        position = owned.state.next_offset
        if isinstance(batch, RecordBatch):
            if batch.start > position:  # the offsets in between are read first
                return position
            if batch.end <= position:  # read again after a seek back; or the topic was created again
                owned.lost = await source_truncation(self._settings, self._source, owned.partition, position)
        if owned.lost:
            return None
        started = time.monotonic()
        portions = Portions(batch)
        complete = False
        while not complete:
            position = owned.state.next_offset
            outcome, messages = self._process(owned, portions)
            owned.processor.seal(outcome)
            complete = outcome.complete
            self.watch("decided" if complete else "cut")
            moved = not complete or messages or outcome.changed or owned.state.next_offset != position
            if moved and not await self._commit(owned, outcome, messages):
                self.owned.pop(batch.partition, None)
                return portions.start
        owned.states.trim()
        if batch.count:
            owned.batch_records = batch.count
            owned.batch_seconds = time.monotonic() - started
        await asyncio.sleep(0)  # pages and heartbeats share this loop
        return owned.state.next_offset

    def _process(self, owned: OwnedPartition[P], portions: Portions) -> tuple[Outcome, Messages]:
        """The results of the records, up to the size of one commit, and the packed outputs."""
        encoder = self.stage.encoder()
        outcome = encoder.outcome
        messages: Messages = {}
        while True:
            owned.processor.process(portions.current, budget=self.commit_bytes, onto=outcome)
            encoded = encoder.drain()
            own = {(topic, owned.partition): some for topic, some in encoded.messages.items()}
            for place, some in (*own.items(), *encoded.targeted.items()):
                if some:
                    messages[place] = pack(some, messages.get(place))
            feed = encoded.feed
            if feed.good or feed.bad:
                self.feeds[owned.partition].observe(feed.good, feed.bad, feed.run, feed.example)
            if not outcome.complete:
                return outcome, messages
            if not portions.advance():
                # There may be offsets without records after the last one.
                owned.state.skip_to(portions.end)
                return outcome, messages

    async def _commit(self, owned: OwnedPartition[P], outcome: Outcome, messages: Messages) -> bool:
        partition = owned.partition
        timestamp = (owned.state.record_time or 0) // 1000
        await asyncio.gather(
            *(
                self._emitter.deliver(topic, target, packed, timestamp)
                for (topic, target), packed in messages.items()
            )
        )
        for (topic, _), packed in messages.items():
            self.emitted[partition][topic] += sum(one.count for one in packed)
        self.watch("outputs acked")
        if not self._still_owned(owned):
            logger.info(
                "%s, partition %d was revoked before its commit; the new owner processes the batch again",
                self.stage.name,
                partition,
            )
            return False
        changed = self._rows(owned, outcome)
        last = await owned.changelog.append(changed, timestamp)
        self.watch("changelog acked")
        self.store.buffer(partition, changed, last)
        self.watch("written")
        owned.states.apply(outcome.changed)
        owned.last_commit = time.time()
        return True

    def _rows(self, owned: OwnedPartition[P], outcome: Outcome) -> list[Row]:
        layout = self.stage.layout
        changed = layout.rows(outcome.changed)
        # Last, so that the changelog's newest offset is always of a row that compaction retains.
        changed.append((PARTITION_KEY, layout.encode_partition(owned.state, owned.generation)))
        return changed


class Portions:
    """The records of a batch, a portion at a time.

    A portion and its results fit into the CPU's cache together, which a whole batch does not: that alone
    saves a tenth of the time. For the same reason a portion is freed before the next one.

    Args:
        batch: its records are removed from it.
    """

    def __init__(self, batch: RecordBatch | TakeOverEvent) -> None:
        self._records: list[Any] = batch.records
        #: The offsets [start, end) of the batch; a take-over event has none.
        self.start, self.end = (batch.start, batch.end) if isinstance(batch, RecordBatch) else (0, 0)
        self.current: list[Any] = []
        self.advance()

    def advance(self) -> bool:
        """Move to the next portion. Whether there is one."""
        self.current = self._records[:PORTION]
        del self._records[:PORTION]
        return bool(self.current)
