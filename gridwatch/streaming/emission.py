"""Outputs and state rows packed into Kafka record batches, every ack awaited.

Packing records into a batch and handing over the batch costs a tenth of sending them one by one. The
producer is idempotent with acks from all replicas, so a retry of its own appends nothing twice.

While the brokers are away, `deliver` and `append_whole` wait and try again, with a new producer: one whose
batch has expired has a hole in its sequence, and the broker would refuse what follows. What is sent again
has the same ids. Any other failure raises: nothing is ever committed on top of a lost output.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, TypeVar

from aiokafka import AIOKafkaProducer, errors
from aiokafka.errors import KafkaError

from gridwatch.errors import GridwatchError
from gridwatch.settings import Settings
from gridwatch.topics import CHANGELOG_BATCH_BYTES, TICK_HEADER

logger = logging.getLogger(__name__)

#: Output batches are cut here: small enough to compress and replicate smoothly, large enough to be few.
OUTPUT_BATCH_BYTES = 1_000_000
#: What a record costs in a batch beside key and value, at most.
RECORD_OVERHEAD = 64
#: Room left for the header of the request around a batch.
_REQUEST_ROOM = 64 * 1024

Row = tuple[bytes | None, bytes | None]
T = TypeVar("T")

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0
_CLOSE_SECONDS = 10.0
#: Failures that waiting mends. A producer that was replaced under a lane is one of them.
_OUTAGES = (
    errors.KafkaConnectionError,
    errors.KafkaTimeoutError,
    errors.NodeNotReadyError,
    errors.NotLeaderForPartitionError,
    errors.LeaderNotAvailableError,
    errors.RequestTimedOutError,
    errors.NotEnoughReplicasError,
    errors.NotEnoughReplicasAfterAppendError,
    errors.KafkaStorageError,
    errors.OutOfOrderSequenceNumber,
    errors.UnknownProducerId,
    errors.InvalidProducerEpoch,
    errors.ProducerClosed,
)


class Emitter:
    """The worker's own producer. Started at first use, stopped with the worker."""

    def __init__(self, settings: Settings, client_id: str) -> None:
        self._settings = settings
        self._client_id = client_id
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()
        self._closing: set[asyncio.Future[None]] = set()
        self._unacked: dict[object, float] = {}

    @property
    def waiting_since(self) -> float | None:
        """Since when the oldest ack is waited for (wall time, s); None when nothing is. Seconds are usual,
        more says that the brokers are away."""
        return min(self._unacked.values(), default=None)

    async def start(self) -> AIOKafkaProducer:
        """Connect, once; returns the running producer."""
        async with self._starting:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    bootstrap_servers=self._settings.bootstrap,
                    client_id=self._client_id,
                    acks="all",
                    enable_idempotence=True,
                    linger_ms=0,
                    max_batch_size=CHANGELOG_BATCH_BYTES - _REQUEST_ROOM,
                    max_request_size=CHANGELOG_BATCH_BYTES,
                    **aiokafka_security(self._settings),
                )
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
        return self._producer

    async def stop(self) -> None:
        """Wait for what is in flight and disconnect."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await _close(producer)

    async def send(self, topic: str, partition: int, rows: Iterable[Row], timestamp: int) -> list[Any]:
        """Send rows (key, value) to one partition; returns the pending acks, one a batch.

        `timestamp` is the Kafka timestamp of the records, milliseconds.
        """
        return await self._send(await self.start(), topic, partition, rows, timestamp)

    async def _send(
        self, producer: AIOKafkaProducer, topic: str, partition: int, rows: Iterable[Row], timestamp: int
    ) -> list[Any]:
        pending: list[Any] = []
        batch = producer.create_batch()
        size = 0
        for key, value in rows:
            added = len(key or b"") + len(value or b"") + RECORD_OVERHEAD
            if size and size + added > OUTPUT_BATCH_BYTES:
                pending.append(await producer.send_batch(batch, topic, partition=partition))
                batch = producer.create_batch()
                size = 0
            if batch.append(timestamp=timestamp, key=key, value=value) is None:
                raise GridwatchError(f"{topic}: a record of {added} bytes does not fit a batch")
            size += added
        if size:
            pending.append(await producer.send_batch(batch, topic, partition=partition))
        return pending

    async def send_tick(self, topic: str, partition: int, instant: str, timestamp: int) -> None:
        """Put a tick into a raw partition: no key, the tick header, the instant as value."""
        producer = await self.start()
        await producer.send_and_wait(
            topic,
            value=instant.encode(),
            partition=partition,
            timestamp_ms=timestamp,
            headers=[(TICK_HEADER, b"1")],
        )

    async def deliver(self, topic: str, partition: int, rows: Sequence[Row], timestamp: int) -> None:
        """Send rows and await every ack, however long the brokers are away."""

        async def attempt(producer: AIOKafkaProducer) -> None:
            for ack in await self._send(producer, topic, partition, rows, timestamp):
                await ack

        await self._until_acked(attempt)

    async def append_whole(
        self, topic: str, partition: int, rows: Sequence[Row], timestamp: int, allowed: Callable[[], bool]
    ) -> int | None:
        """Append rows as one record batch, which the broker takes whole or not at all.

        `allowed` is asked before each try. Returns the offset of the last row, or None if it said no.
        """

        async def attempt(producer: AIOKafkaProducer) -> int | None:
            if not allowed():
                return None
            batch = producer.create_batch()
            for key, value in rows:
                if batch.append(timestamp=timestamp, key=key, value=value) is None:
                    raise GridwatchError(f"{topic}: {len(rows)} state rows do not fit one record batch")
            metadata = await (await producer.send_batch(batch, topic, partition=partition))
            return int(metadata.offset) + len(rows) - 1

        return await self._until_acked(attempt)

    async def _until_acked(self, attempt: Callable[[AIOKafkaProducer], Awaitable[T]]) -> T:
        pause = _FIRST_PAUSE_SECONDS
        self._unacked[attempt] = time.time()
        try:
            while True:
                producer: AIOKafkaProducer | None = None
                try:
                    producer = await self.start()
                    return await attempt(producer)
                except _OUTAGES as error:
                    logger.warning("no ack from %s (%r); trying again", self._settings.bootstrap, error)
                    await self._replace(producer)
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
        finally:
            del self._unacked[attempt]

    async def _replace(self, failed: Any) -> None:
        """Let go of a producer that failed, unless another lane has done so already."""
        if failed is not None and self._producer is failed:
            self._producer = None
            # It flushes first, which may take until its batches expire: nobody waits for that.
            self._closing.add(closing := asyncio.ensure_future(_close(failed)))
            closing.add_done_callback(self._closing.discard)


async def _close(producer: Any) -> None:
    with contextlib.suppress(KafkaError, asyncio.TimeoutError):
        await asyncio.wait_for(producer.stop(), _CLOSE_SECONDS)


def aiokafka_security(settings: Settings) -> dict[str, Any]:
    """The TLS and SASL settings as aiokafka takes them."""
    security: dict[str, Any] = {"security_protocol": settings.security_protocol}
    if settings.security_protocol.endswith("SSL"):
        security["ssl_context"] = ssl_context(settings)
    if settings.security_protocol.startswith("SASL"):
        security["sasl_mechanism"] = settings.sasl_mechanism
        security["sasl_plain_username"] = settings.sasl_username
        security["sasl_plain_password"] = settings.sasl_password.get_secret_value()
    return security


def ssl_context(settings: Settings) -> ssl.SSLContext:
    """Verifies the brokers; presents the client certificate where one is set."""
    context = ssl.create_default_context(cafile=str(settings.ssl_cafile) if settings.ssl_cafile else None)
    if settings.ssl_certfile:
        context.load_cert_chain(settings.ssl_certfile, settings.ssl_keyfile)
    return context
