"""Outputs packed into Kafka record batches, every ack awaited.

Handing over packed batches (`packing.py`) costs a tenth of sending records one by one.
`deliver` waits for as long as the brokers are away, and also while they refuse: a topic that was deleted,
a right that was taken, a limit that was set too low are mended over there, and ending would mend nothing.
What it sends again has the same ids; health says how long it has been waiting, and for what. Nothing is
ever committed on top of a lost output.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from gridwatch.backoff import Pauses
from gridwatch.kafka.packing import Packed, Sending
from gridwatch.kafka.producers import close_producer, start_producer
from gridwatch.settings import Settings
from gridwatch.topics import TICK_HEADER

logger = logging.getLogger(__name__)


class Emitter:
    """An application's producer of outputs. Started at first use, stopped with the application."""

    def __init__(self, settings: Settings, client_id: str) -> None:
        self._settings = settings
        self._client_id = client_id
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()
        self._closing: set[asyncio.Future[None]] = set()
        self._unacked: dict[object, float] = {}
        #: Why an ack did not come, as long as none has come since.
        self.last_error = ""

    @property
    def waiting_since(self) -> float | None:
        """Since when the oldest ack is waited for (wall time, s); None when nothing is. Seconds are usual,
        more says that the brokers are away."""
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
        """Send batches, stamped `timestamp` (ms), and await every ack, however long the brokers are away."""
        pauses = Pauses()
        ticket = object()
        self._unacked[ticket] = time.time()
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
                    self._let_go(producer)
                    await pauses.wait()
        finally:
            del self._unacked[ticket]

    async def offer(self, topic: str, partition: int, batches: Sequence[Packed], timestamp: int) -> bool:
        """Send batches that nobody misses if the brokers are away: whether they were acked."""

        async def attempt(producer: AIOKafkaProducer) -> None:
            for ack in await _send(producer, topic, partition, batches, timestamp):
                await ack

        return await self._offered(f"{topic}[{partition}]: not sent", attempt)

    async def offer_tick(self, topic: str, partition: int, instant: str, timestamp: int) -> bool:
        """Put a tick into a raw partition: no key, the tick header, the instant as value. Whether it is
        there; if the brokers are away a later one says more."""

        async def attempt(producer: AIOKafkaProducer) -> None:
            await producer.send_and_wait(
                topic,
                value=instant.encode(),
                partition=partition,
                timestamp_ms=timestamp,
                headers=[(TICK_HEADER, b"1")],
            )

        return await self._offered(f"{topic}[{partition}]: no tick sent", attempt)

    async def _offered(self, otherwise: str, attempt: Callable[[AIOKafkaProducer], Awaitable[None]]) -> bool:
        """Try once: whether it went; else `otherwise` is said, and the next try has a new producer."""
        producer: AIOKafkaProducer | None = None
        try:
            producer = await self.start()
            await attempt(producer)
        except KafkaError as error:
            logger.warning("%s (%r)", otherwise, error)
            self._let_go(producer)
            return False
        return True

    def _let_go(self, failed: Any) -> None:
        """Forget a producer that failed, unless another queue has done so already."""
        if failed is not None and self._producer is failed:
            self._producer = None
            # It flushes first, which may take until its batches expire: nobody waits for that.
            self._closing.add(closing := asyncio.ensure_future(close_producer(failed)))
            closing.add_done_callback(self._closing.discard)


async def _send(
    producer: AIOKafkaProducer, topic: str, partition: int, batches: Sequence[Packed], timestamp: int
) -> list[Any]:
    return [await producer.send_batch(Sending(one, timestamp), topic, partition=partition) for one in batches]
