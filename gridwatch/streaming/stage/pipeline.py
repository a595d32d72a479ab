"""What a stage does with a batch: decide, send, append, write, and only then let the offset go.

    processor on the batch (pure, in memory)
      → outputs sent, every ack awaited
      → changed states and the partition row appended to the changelog as one record batch
      → the same rows kept as the local state, which RocksDB gets some commits at a time
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
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Generic

from gridwatch.errors import GridwatchError
from gridwatch.kafka.emission import Emitter
from gridwatch.kafka.packing import Packed, pack
from gridwatch.kafka.topic_identity import describe_topic, source_truncation
from gridwatch.settings import Settings
from gridwatch.streaming.faust.batches import RecordBatch, Wake
from gridwatch.streaming.stage.dead_letter_limit import DeadLetterLimit, DeadLetterPolicy
from gridwatch.streaming.stage.declaration import Outcome, P, Stage
from gridwatch.streaming.stage.take_over import Owned, stored_partition, take_over
from gridwatch.tables.layout import PARTITION_KEY
from gridwatch.tables.row_kind import Row
from gridwatch.tables.store import DamagedError, Store
from gridwatch.topics import CHANGELOG_BATCH_BYTES

logger = logging.getLogger(__name__)

Messages = dict[str, list[Packed]]
"""Outputs, packed, by topic name."""

#: Estimated bytes of changed state a commit aims at: rows with long keys take several times the estimate,
#: and all of a commit has to fit one record batch.
COMMIT_BYTES = CHANGELOG_BATCH_BYTES // 8

#: Records that are worked and encoded together.
PORTION = 256

#: The steps of a commit, in order. A batch whose state is too large for one commit is "cut": inside an array,
#: or inside a long settlement. After "taken" a partition's state is in memory and its changelog ours.
STEPS = ("taken", "cut", "decided", "outputs acked", "changelog acked", "written")


class Pipeline(Generic[P]):
    """Works on the batches of a stage's source, one queue a partition.

    Args:
        app: the Faust application (its consumer says what is ours).
        table: the Faust table that holds the state.
    """

    def __init__(self, app: Any, settings: Settings, stage: Stage[P], emitter: Emitter, table: Any) -> None:
        self.stage = stage
        self._source = stage.source.name
        self._app = app
        self._settings = settings
        self._emitter = emitter
        self._table = table
        self.owned: dict[int, Owned[P]] = {}
        #: What has come of each partition lately: good records or dead letters.
        self.feeds: defaultdict[int, DeadLetterLimit] = defaultdict(
            lambda: DeadLetterLimit(DeadLetterPolicy.of(settings))
        )
        #: Where the partitions of the source ended at the last assignment, as far as known.
        self._source_ends: Mapping[int, int] = {}
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

    # -- partitions coming and going

    async def look_at_logs(self) -> None:
        """Find out which changelog and how much of the source there is, before state is relied on."""
        names = (self.stage.changelog(self._settings.app_id).name, self._source)
        looks = (describe_topic(self._settings, name) for name in names)
        self.store.changelog, source = await asyncio.gather(*looks)
        self.store.on_gap = partial(self._app.rereads.note, cause="changelog")
        self._source_ends = {} if source is None else source.ends

    async def release(self) -> None:
        """Forget what is in memory of every partition: it may be another worker's next."""
        released = list(self.owned.values())
        self.owned.clear()
        await asyncio.gather(*(owned.changelog.close() for owned in released))

    def resume_offsets(self, partitions: set[Any]) -> Mapping[Any, int]:
        """Where the source's partitions among `partitions` are to be read on, by their rows."""
        offsets = {}
        for tp in partitions:
            if tp.topic == self._source:
                try:
                    row = stored_partition(self.store, tp.partition)
                    # Without any state from the start, even if the group has committed something.
                    offsets[tp] = 0 if row is None else self.stage.layout.decode_partition(row)[0].next_offset
                except DamagedError:
                    continue  # taking over finds it again, and has all of it recovered anew
                except GridwatchError:
                    offsets[tp] = 0  # taking over says so, and ends the worker
        return offsets

    def not_taken_over(self) -> list[int]:
        """Partitions that are ours but that no batch has come of since."""
        assigned = {tp.partition for tp in self._app.consumer.assignment() if tp.topic == self._source}
        return sorted(assigned - self.owned.keys())

    def lag(self, partition: int) -> int:
        """Records of the source that the broker holds beyond what is committed here; 0 when caught up."""
        end = self._end_offset(partition)
        owned = self.owned.get(partition)
        return max(0, end - owned.state.next_offset) if owned and end is not None else 0

    def _end_offset(self, partition: int) -> int | None:
        for tp in self._app.consumer.assignment():
            if tp == (self._source, partition):
                end: int | None = self._app.consumer.highwater(tp)
                return end
        return None

    async def _take_over(self, partition: int) -> Owned[P]:
        owned = await take_over(self.stage, partition, self._app, self._settings, self._table)
        position = owned.state.next_offset
        if position > self._source_ends.get(partition, position):
            owned.lost = await source_truncation(self._settings, self._source, partition, position)
        self.owned[partition] = owned
        self.watch("taken")
        return owned

    def _is_ours(self, owned: Owned[P]) -> bool:
        return (
            self.owned.get(owned.partition) is owned and owned.generation == self._app.consumer_generation_id
        )

    # -- one batch

    async def work(self, batch: RecordBatch | Wake) -> int | None:
        """Do a batch; returns the position then. None if nothing of the partition can be worked."""
        owned = self.owned.get(batch.partition) or await self._take_over(batch.partition)
        position = owned.state.next_offset
        if isinstance(batch, RecordBatch):
            if batch.start > position:  # what lies between is read first
                return position
            if batch.end <= position:  # read again after a seek back; or the topic was made anew
                owned.lost = await source_truncation(self._settings, self._source, owned.partition, position)
        if owned.lost:
            return None
        started = time.monotonic()
        portions = Portions(batch)
        complete = False
        while not complete:
            position = owned.state.next_offset
            outcome, messages = self._decide(owned, portions)
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
        await asyncio.sleep(0)  # the pages and heartbeats share this loop
        return owned.state.next_offset

    def _decide(self, owned: Owned[P], portions: Portions) -> tuple[Outcome, Messages]:
        """What the records give, as far as one commit holds it, with the outputs packed, by topic."""
        encoder = self.stage.encoder()
        outcome = encoder.outcome
        messages: Messages = {}
        while True:
            owned.processor.process(portions.current, budget=self.commit_bytes, onto=outcome)
            encoded = encoder.drain()
            for topic, some in encoded.messages.items():
                if some:
                    messages[topic] = pack(some, messages.get(topic))
            feed = encoded.feed
            if feed.good or feed.bad:
                self.feeds[owned.partition].observe(feed.good, feed.bad, feed.run, feed.example)
            if not outcome.complete:
                return outcome, messages
            if not portions.advance():
                # Behind the last record there may be offsets without any.
                owned.state.skip_to(portions.end)
                return outcome, messages

    async def _commit(self, owned: Owned[P], outcome: Outcome, messages: Messages) -> bool:
        partition = owned.partition
        timestamp = (owned.state.record_time or 0) // 1000
        await asyncio.gather(
            *(
                self._emitter.deliver(topic, partition, packed, timestamp)
                for topic, packed in messages.items()
            )
        )
        self.watch("outputs acked")
        if not self._is_ours(owned):
            logger.info(
                "%s, partition %d was taken away before its commit; the new owner does it again",
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

    def _rows(self, owned: Owned[P], outcome: Outcome) -> list[Row]:
        layout = self.stage.layout
        changed = layout.rows(outcome.changed)
        # Last, so that the changelog's newest offset is always of a row that compaction keeps.
        changed.append((PARTITION_KEY, layout.encode_partition(owned.state, owned.generation)))
        return changed


class Portions:
    """The records of a batch a portion at a time.

    A portion and all that comes of it fit into a processor's cache together, which a whole batch does not:
    that alone saves a tenth of the work. So it is let go of, too, while it is still there.

    Args:
        batch: its records are taken out of it.
    """

    def __init__(self, batch: RecordBatch | Wake) -> None:
        self._records: list[Any] = batch.records
        #: The offsets [start, end) of the batch; of a wake-up there are none.
        self.start, self.end = (batch.start, batch.end) if isinstance(batch, RecordBatch) else (0, 0)
        self.current: list[Any] = []
        self.advance()

    def advance(self) -> bool:
        """On to the next portion; whether there is one."""
        self.current = self._records[:PORTION]
        del self._records[:PORTION]
        return bool(self.current)
