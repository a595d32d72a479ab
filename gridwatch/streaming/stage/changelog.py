"""The single writer of a changelog partition.

A worker may be stalled beyond its session, lose its partitions, and resume in the middle of a commit. Its
append would then overwrite the state of the new owner. So a writer fences its partition first: it requests
the producer id that belongs to the partition, which raises the epoch of that id, and appends a fence row.
From then on the broker rejects every older epoch.

The batches are not transactional; a transactional id is only used to get the producer id. So no markers get
into the log, end offsets stay exact, and an append costs no more than without fencing.

The changelog has one writer at a time, so its offsets are contiguous: the fence row must come right after the
last row of recovery, and each append right after the one before. If not, another producer has written (or an
append of our own whose ack was lost), and the changelog has to be read again.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer

from gridwatch.backoff import Retries
from gridwatch.errors import GridwatchError
from gridwatch.kafka.packing import Packed, Row, Sending
from gridwatch.kafka.producers import OUTAGES, REPLACED, close_producer, start_producer
from gridwatch.settings import Settings
from gridwatch.tables.layout import FENCE_KEY
from gridwatch.topics import CHANGELOG_BATCH_BYTES

logger = logging.getLogger(__name__)


class FencedError(Exception):
    """The changelog partition has rows that were not read: it has to be recovered first."""


class ChangelogWriter:
    """Appends commits to one changelog partition, each as one record batch.

    Args:
        name: the prefix of its transactional id: the same for every worker that may own the partition.
        next_offset: the offset after the last row in the local state.
    """

    def __init__(self, settings: Settings, name: str, topic: str, partition: int, next_offset: int) -> None:
        self._settings = settings
        self._name = name
        self._topic = topic
        self._partition = partition
        self._next_offset = next_offset
        self._producer: AIOKafkaProducer | None = None

    async def fence(self, first: Sequence[Row] = ()) -> int:
        """Become the writer: append the rows `first`, then a fence row.

        Returns the offset of the fence row. FencedError if the log has more rows than were read.
        """
        retries = Retries()
        while True:
            try:
                return await self._fence(first)
            except OUTAGES as error:
                logger.warning(
                    "%s[%d] cannot be fenced (%r); trying again", self._topic, self._partition, error
                )
                await self.close()
                await retries.wait()
            except FencedError:
                await self.close()
                raise

    async def _fence(self, first: Sequence[Row]) -> int:
        name = f"{self._name}-{self._partition}"
        producer = self._producer = await start_producer(self._settings, name, transactional_id=name)
        await producer._txn_manager.wait_for_pid()
        # It has the id with its new epoch: from here on it is a plain idempotent producer.
        producer._txn_manager.transactional_id = None
        return await self._append([*first, (FENCE_KEY, b"")], 0)

    async def append(self, rows: Sequence[Row], timestamp: int) -> int:
        """Append rows as one record batch, atomically.

        Retries while the brokers are unavailable. Returns the offset of the last row. FencedError if the log
        has rows of another producer, or may have an append of ours whose ack was lost.
        """
        while True:
            try:
                return await self._append(rows, timestamp)
            except OUTAGES as error:
                logger.warning("%s[%d]: no ack (%r); trying again", self._topic, self._partition, error)
                await self.close()
                await self.fence()

    async def _append(self, rows: Sequence[Row], timestamp: int) -> int:
        producer = self._producer
        if producer is None:
            raise FencedError(f"{self._topic}[{self._partition}] is not fenced")
        packed = Packed()
        if packed.add(rows, most_bytes=CHANGELOG_BATCH_BYTES) < len(rows):
            raise GridwatchError(f"{self._topic}: {len(rows)} state rows do not fit one record batch")
        try:
            batch = Sending(packed, timestamp)
            metadata = await (await producer.send_batch(batch, self._topic, partition=self._partition))
        except REPLACED as error:
            raise FencedError(f"{self._topic}[{self._partition}] was fenced by another worker") from error
        if metadata.offset != self._next_offset:
            raise FencedError(
                f"{self._topic}[{self._partition}] is at {metadata.offset}, read up to {self._next_offset}"
                + (": it has lost rows" if metadata.offset < self._next_offset else "")
            )
        self._next_offset = metadata.offset + len(rows)
        return self._next_offset - 1

    async def close(self) -> None:
        """Disconnect."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await close_producer(producer)
