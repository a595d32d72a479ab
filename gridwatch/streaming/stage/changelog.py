"""The one writer of one changelog partition.

A worker may be stalled past its session, lose its partitions, and wake up in the middle of a commit. What
it then appends would stand over the state of the new owner. So a writer takes its partition before it
writes: it asks the broker for the producer id that belongs to the partition, which raises that id's
epoch, and appends a fence row. From then on the broker refuses every older epoch.

The batches are not transactional, only the way to the producer id is: no markers get into the log, end
offsets stay exact, and an append costs what it always did.

The changelog has one writer at a time, so its offsets tell whether that held: the fence row must come
right after what recovery read, and each append right after the one before. Where it does not, somebody
else has written (or an append of our own whose ack was lost); then the log is to be read again.
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
    """The changelog partition holds something that we have not read: recover it before going on."""


class ChangelogWriter:
    """Appends commits to one changelog partition, each as one record batch.

    Args:
        name: what the partition's producer id belongs to: the same for every worker that may own it.
        next_offset: the offset after the last one that the local state reflects.
    """

    def __init__(self, settings: Settings, name: str, topic: str, partition: int, next_offset: int) -> None:
        self._settings = settings
        self._name = name
        self._topic = topic
        self._partition = partition
        self._next_offset = next_offset
        self._producer: AIOKafkaProducer | None = None

    async def take(self, first: Sequence[Row] = ()) -> int:
        """Become the writer: append a fence row, after those that are to come first.

        Returns the offset of the fence row. FencedError if the log has gone on.
        """
        retries = Retries()
        while True:
            try:
                return await self._take(first)
            except OUTAGES as error:
                logger.warning(
                    "%s[%d] cannot be taken (%r); trying again", self._topic, self._partition, error
                )
                await self.close()
                await retries.wait()
            except FencedError:
                await self.close()
                raise

    async def _take(self, first: Sequence[Row]) -> int:
        name = f"{self._name}-{self._partition}"
        producer = self._producer = await start_producer(self._settings, name, transactional_id=name)
        await producer._txn_manager.wait_for_pid()
        # It has the id and its new epoch: from here on it is an idempotent producer like any other.
        producer._txn_manager.transactional_id = None
        return await self._append([*first, (FENCE_KEY, b"")], 0)

    async def append(self, rows: Sequence[Row], timestamp: int) -> int:
        """Append rows as one record batch, which the broker takes whole or not at all.

        Waits while the brokers are away. Returns the offset of the last row. FencedError if the log holds
        anything that we did not put there, or may hold an append of ours whose ack was lost.
        """
        while True:
            try:
                return await self._append(rows, timestamp)
            except OUTAGES as error:
                logger.warning("%s[%d]: no ack (%r); trying again", self._topic, self._partition, error)
                await self.close()
                await self.take()

    async def _append(self, rows: Sequence[Row], timestamp: int) -> int:
        producer = self._producer
        if producer is None:
            raise FencedError(f"{self._topic}[{self._partition}] has not been taken")
        packed = Packed()
        if packed.add(rows, most_bytes=CHANGELOG_BATCH_BYTES) < len(rows):
            raise GridwatchError(f"{self._topic}: {len(rows)} state rows do not fit one record batch")
        try:
            batch = Sending(packed, timestamp)
            metadata = await (await producer.send_batch(batch, self._topic, partition=self._partition))
        except REPLACED as error:
            raise FencedError(f"{self._topic}[{self._partition}] was taken by another worker") from error
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
