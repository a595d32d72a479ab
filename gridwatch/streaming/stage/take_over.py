"""Takes over a partition: fences its changelog, so that no other worker writes, then loads its state.

A partition is taken over at its first event after an assignment, when its table is recovered.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Generic

from gridwatch.settings import Settings
from gridwatch.streaming.stage.changelog import ChangelogWriter, FencedError
from gridwatch.streaming.stage.declaration import P, Processor, Stage
from gridwatch.tables.layout import FENCE_KEY, PARTITION_KEY
from gridwatch.tables.row_kind import Row
from gridwatch.tables.states import StoredStates
from gridwatch.tables.store import Store

logger = logging.getLogger(__name__)

#: Rows read in one slice when a partition is taken over: some 20 ms.
SLICE_ROWS = 10_000
#: Rows appended in one batch when foreign records in the changelog are overwritten.
REWRITTEN_ROWS = 500
_UNASSIGNED_PAUSE_SECONDS = 1.0


@dataclass
class OwnedPartition(Generic[P]):
    """A partition that this worker owns: its processor and state, and figures for pages and metrics."""

    partition: int
    generation: int
    processor: Processor[P]
    states: StoredStates[Any]
    changelog: ChangelogWriter
    #: Why the partition cannot be processed; empty if it can.
    lost: str = ""
    batch_seconds: float = 0.0
    batch_records: int = 0
    #: Wall time of the last commit, 0 before the first, and of the take-over, seconds.
    last_commit: float = 0.0
    taken_over_at: float = field(default_factory=time.time)

    @property
    def state(self) -> P:
        """The partition's state."""
        return self.processor.partition


async def take_over(
    stage: Stage[P], partition: int, app: Any, settings: Settings, table: Any
) -> OwnedPartition[P]:
    """Become the writer of a partition's state, and load it.

    FencedError if its changelog has new rows; GridwatchError if its rows cannot be read.
    """
    started = time.monotonic()
    generation = app.consumer_generation_id
    store: Store = table.data
    changelog = await _fence_changelog(stage, partition, app, settings, table)
    try:
        await _rewrite_foreign_keys(store, partition, changelog)
        row = stored_partition(store, partition)
        state = stage.new(partition) if row is None else stage.layout.decode_partition(row)[0]
        count, index = await _index(stage, store, partition)
        store.require_count(partition, count, state.row_count)
    except BaseException:
        await changelog.close()
        raise
    states: StoredStates[Any] = StoredStates(
        store, stage.layout, partition, settings.meters_in_memory // settings.partitions
    )
    processor = stage.open(settings, state, states, index)
    logger.info(
        "%s, partition %d: resuming at offset %d with %d %s (%.2f s)",
        *(stage.name, partition, state.next_offset, count, stage.table, time.monotonic() - started),
    )
    return OwnedPartition(partition, generation, processor, states, changelog)


def stored_partition(store: Store, partition: int) -> bytes | None:
    """The partition's row, None if there is none, or none with a fence before it.

    Every owner starts with a fence. A changelog that was deleted and created again under an owner gets its
    next commit before that is noticed: rows without the state that they are based on.
    """
    if store.row(partition, FENCE_KEY) is None:
        return None
    return store.row(partition, PARTITION_KEY)


async def _rewrite_foreign_keys(store: Store, partition: int, changelog: ChangelogWriter) -> None:
    """Append our own rows again for keys with foreign records: compaction retains the last record of a
    key."""
    keys = sorted(store.foreign_keys.pop(partition, ()))
    ours = [(key, store.row(partition, key)) for key in keys]
    ours = [(key, row) for key, row in ours if store.layout.is_ours(key, row)]
    for start in range(0, len(ours), REWRITTEN_ROWS):
        rewritten = ours[start : start + REWRITTEN_ROWS]
        store.write(partition, rewritten, await changelog.append(rewritten, time.time_ns() // 1_000_000))


async def _index(stage: Stage[P], store: Store, partition: int) -> tuple[int, list[Any]]:
    """The number of stored states, and the stage's index of them. Reads in slices: heartbeats and pages share
    this loop."""
    layout = stage.layout
    count, index = 0, []
    start = b""
    while True:
        rows = list(islice(store.rows_from(partition, start), SLICE_ROWS))
        states = sum(map(layout.is_counted, (key for key, _ in rows)))
        if states < len(rows):
            layout.require_known(key for key, _ in rows)
        count += states
        index += stage.index(rows)
        if len(rows) < SLICE_ROWS:
            return count, index
        start = rows[-1][0] + b"\x00"
        await asyncio.sleep(0)


async def _fence_changelog(
    stage: Stage[P], partition: int, app: Any, settings: Settings, table: Any
) -> ChangelogWriter:
    topic = table.changelog_topic_name
    consumer = app.consumer
    source = next((tp for tp in consumer.assignment() if tp == (topic, partition)), None)
    if source is None:
        # Revoked at this moment; or the topic is missing, as health reports, and may be back any time.
        await asyncio.sleep(_UNASSIGNED_PAUSE_SECONDS)
        raise FencedError(f"{topic}[{partition}] is not assigned with {stage.source.name}[{partition}]")
    earliest = (await consumer.earliest_offsets(source))[source]
    read_up_to = max(earliest, table.data.applied_offset(partition) + 1)
    writer = ChangelogWriter(settings, topic, topic, partition, read_up_to)
    first: list[Row] = []
    if stored_partition(table.data, partition) is None:
        first = _reset_rows(stage, table.data, partition)
    last = await writer.fence(first)
    table.data.write(partition, [*first, (FENCE_KEY, b"")], last)
    return writer


def _reset_rows(stage: Stage[P], store: Store, partition: int) -> list[Row]:
    """The rows that reset a partition's changelog to an empty state."""
    stale: list[Row] = [(key, None) for key, _ in store.rows(partition) if not key.startswith(b"\x00")]
    if store.row(partition, PARTITION_KEY) is not None:
        logger.error(
            "%s, partition %d: its changelog has lost its beginning; state is rebuilt",
            stage.name,
            partition,
        )
        stale.append((PARTITION_KEY, stage.layout.encode_partition(stage.new(partition), 0)))
    return stale
