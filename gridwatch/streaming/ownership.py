"""Taking over a partition: its changelog first, so that nobody else writes; then its state and deadlines.

A partition is taken over at the first event for it after an assignment, when its table is recovered.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from gridwatch.codecs.decode import decode_readings
from gridwatch.domain.partition import PartitionState
from gridwatch.domain.processor import Processor
from gridwatch.kafka.packing import Row
from gridwatch.settings import Settings
from gridwatch.streaming.changelog import ChangelogWriter, FencedError
from gridwatch.tables import rows
from gridwatch.tables.meters import StoredMeters
from gridwatch.tables.store import Store

logger = logging.getLogger(__name__)

#: Rows looked at in one go when a partition is taken over: some 20 ms.
SLICE_ROWS = 10_000
#: Rows appended in one go where somebody else wrote to the changelog.
PUT_RIGHT_ROWS = 500
_UNASSIGNED_PAUSE_SECONDS = 1.0


@dataclass
class Owned:
    """A partition that this worker owns: its rules at work, and what the pages and metrics ask about."""

    partition: int
    generation: int
    processor: Processor
    meters: StoredMeters
    changelog: ChangelogWriter
    #: Why nothing of the partition can be worked on; empty as long as it can.
    lost: str = ""
    batch_seconds: float = 0.0
    batch_records: int = 0
    #: Wall time of the last commit, 0 before the first, and of taking over, seconds.
    last_commit: float = 0.0
    taken: float = field(default_factory=time.time)

    @property
    def state(self) -> PartitionState:
        """The partition's state."""
        return self.processor.partition


async def take_over(partition: int, app: Any, settings: Settings, table: Any) -> Owned:
    """Become the one who writes a partition's state; FencedError if its changelog has gone on meanwhile."""
    started = time.monotonic()
    generation = app.consumer_generation_id
    store: Store = table.data
    changelog = await _take_changelog(partition, app, settings, table)
    try:
        await _put_right(store, partition, changelog)
        row = stored_partition(store, partition)
        state = PartitionState(partition) if row is None else rows.decode_partition(row)[0]
        due = await _deadlines(store, partition)
        store.require_meters(partition, len(due), state.meters)
    except BaseException:
        await changelog.close()
        raise
    meters = StoredMeters(store, partition, settings.meters_in_memory // settings.partitions)
    processor = Processor(settings.policy(), state, meters, due=due, decode=decode_readings)
    logger.info(
        "partition %d: on from offset %d with %d meters (%.2f s)",
        partition,
        state.next_offset,
        len(due),
        time.monotonic() - started,
    )
    return Owned(partition, generation, processor, meters, changelog)


def stored_partition(store: Store, partition: int) -> bytes | None:
    """The partition's row, None if there is none that everything before it is known of.

    Whoever owns a partition begins with a fence. A changelog that was deleted and made anew under an owner
    gets its next commit before that is noticed: rows without what they were built on.
    """
    if store.row(partition, rows.FENCE_KEY) is None:
        return None
    return store.row(partition, rows.PARTITION_KEY)


async def _put_right(store: Store, partition: int, changelog: ChangelogWriter) -> None:
    """Append our own rows again for keys that somebody else wrote: compaction keeps the last of a key."""
    keys = sorted(store.foreign_keys.pop(partition, ()))
    ours = [(key, store.row(partition, key)) for key in keys]
    ours = [(key, row) for key, row in ours if rows.is_ours(key, row)]
    for start in range(0, len(ours), PUT_RIGHT_ROWS):
        again = ours[start : start + PUT_RIGHT_ROWS]
        store.write(partition, again, await changelog.append(again, time.time_ns() // 1_000_000))


async def _deadlines(store: Store, partition: int) -> list[tuple[int, str]]:
    """(due, meter) of every stored meter, a slice at a time: heartbeats and pages share this loop."""
    due: list[tuple[int, str]] = []
    start = b""
    while True:
        rows_read = list(islice(store.rows_from(partition, start), SLICE_ROWS))
        due += [(rows.due_of(row), key.decode()) for key, row in rows_read if rows.is_meter(key)]
        if len(rows_read) < SLICE_ROWS:
            return due
        start = rows_read[-1][0] + b"\x00"
        await asyncio.sleep(0)


async def _take_changelog(partition: int, app: Any, settings: Settings, table: Any) -> ChangelogWriter:
    topic = table.changelog_topic_name
    consumer = app.consumer
    source = next((tp for tp in consumer.assignment() if tp == (topic, partition)), None)
    if source is None:
        # Taken away in this moment; or the topic is missing, as health says, and may be back any time.
        await asyncio.sleep(_UNASSIGNED_PAUSE_SECONDS)
        raise FencedError(f"{topic}[{partition}] is not assigned with its raw partition")
    earliest = (await consumer.earliest_offsets(source))[source]
    read_up_to = max(earliest, table.data.reached(partition) + 1)
    writer = ChangelogWriter(settings, topic, topic, partition, read_up_to)
    first: list[Row] = []
    if stored_partition(table.data, partition) is None:
        first = _emptied(table.data, partition)
    last = await writer.take(first)
    table.data.write(partition, [*first, (rows.FENCE_KEY, b"")], last)
    return writer


def _emptied(store: Store, partition: int) -> list[Row]:
    """What makes a partition's changelog that of one without any state, beside the fence."""
    stale: list[Row] = [(key, None) for key, _ in store.rows(partition) if rows.is_meter(key)]
    if store.row(partition, rows.PARTITION_KEY) is not None:
        logger.error("partition %d: its changelog has lost its beginning; state is made anew", partition)
        stale.append((rows.PARTITION_KEY, rows.encode_partition(PartitionState(partition), 0)))
    return stale
