"""Sends outputs as Kafka record batches and awaits every ack.

Sending packed batches (`packing.py`) costs a tenth of sending records one by one. `deliver` retries for as
long as the brokers are unavailable, and also while they reject: a deleted topic, a revoked ACL or a limit
that is too low is fixed on the broker, and ending the worker would fix nothing. Retried outputs have the same
ids; health reports how long it has been waiting, and why. Nothing is committed before its outputs are acked.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from gridwatch.backoff import Retries
from gridwatch.kafka.packing import Packed, Sending
from gridwatch.kafka.producers import close_producer, start_producer
from gridwatch.settings import Settings
from gridwatch.topics import TICK_HEADER

logger = logging.getLogger(__name__)


class Emitter:
    """The producer of an application's outputs. Started at first use, stopped with the application."""

    def __init__(self, settings: Settings, client_id: str) -> None:
        self._settings = settings
        self._client_id = client_id
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()
        self._closing: set[asyncio.Future[None]] = set()
        self._unacked: dict[object, float] = {}
        #: The last send error; empty after the next ack.
        self.last_error = ""

    @property
    def waiting_since(self) -> float | None:
        """Since when the oldest unacked send waits (wall time, s); None without one. Seconds are usual, more
        means that the brokers are unavailable."""
        return min(self._unacked.values(), default=None)

    async def start(self) -> AIOKafkaProducer:
        """Connect, once; returns the running producer."""
        async with self._starting:
            if self._producer is None:
                self._producer = await start_producer(self._settings, self._client_id)
        return self._producer

    async def stop(self) -> None:
        """Disconnect."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await close_producer(producer)

    async def deliver(self, topic: str, partition: int, batches: Sequence[Packed], timestamp: int) -> None:
        """Send batches, stamped `timestamp` (ms), and await every ack; retries without a limit."""
        retries = Retries()
        send = object()
        self._unacked[send] = time.time()
        try:
            while True:
                producer: AIOKafkaProducer | None = None
                try:
                    producer = await self.start()
                    for ack in await _send(producer, topic, partition, batches, timestamp):
                        await ack
                    self.last_error = ""
                    return
                except KafkaError as error:
                    self.last_error = f"{topic}: {error!r}"
                    logger.warning("no ack from %s (%r); trying again", self._settings.bootstrap, error)
                    self._discard(producer)
                    await retries.wait()
        finally:
            del self._unacked[send]

    async def offer(self, topic: str, partition: int, batches: Sequence[Packed], timestamp: int) -> bool:
        """Send batches once, best effort. Whether they were acked."""

        async def attempt(producer: AIOKafkaProducer) -> None:
            for ack in await _send(producer, topic, partition, batches, timestamp):
                await ack

        return await self._try_once(f"{topic}[{partition}]: not sent", attempt)

    async def offer_tick(self, topic: str, partition: int, instant: str, timestamp: int) -> bool:
        """Write a tick to a raw partition, best effort: no key, the tick header, the instant as value.
        Whether it was acked; if not, a later tick supersedes it."""
        return await self.offer_control(topic, partition, (None, instant.encode()), TICK_HEADER, timestamp)

    async def offer_control(
        self, topic: str, partition: int, message: tuple[bytes | None, bytes], header: str, timestamp: int
    ) -> bool:
        """Write a control record, key and value, best effort: the header says what it is. Whether it was
        acked."""
        key, value = message

        async def attempt(producer: AIOKafkaProducer) -> None:
            await producer.send_and_wait(
                topic,
                value=value,
                key=key,
                partition=partition,
                timestamp_ms=timestamp,
                headers=[(header, b"1")],
            )

        return await self._try_once(f"{topic}[{partition}]: no {header} sent", attempt)

    async def _try_once(self, otherwise: str, attempt: Callable[[AIOKafkaProducer], Awaitable[None]]) -> bool:
        """Try once. Whether it succeeded; if not, `otherwise` is logged and the next try has a new
        producer."""
        producer: AIOKafkaProducer | None = None
        try:
            producer = await self.start()
            await attempt(producer)
        except KafkaError as error:
            logger.warning("%s (%r)", otherwise, error)
            self._discard(producer)
            return False
        return True

    def _discard(self, failed: Any) -> None:
        """Discard a producer that failed, unless another queue has already done so."""
        if failed is not None and self._producer is failed:
            self._producer = None
            # Closing flushes first, which may take until its batches expire: do not wait for that.
            self._closing.add(closing := asyncio.ensure_future(close_producer(failed)))
            closing.add_done_callback(self._closing.discard)


async def _send(
    producer: AIOKafkaProducer, topic: str, partition: int, batches: Sequence[Packed], timestamp: int
) -> list[Any]:
    return [await producer.send_batch(Sending(one, timestamp), topic, partition=partition) for one in batches]
