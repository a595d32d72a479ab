"""Outputs and state rows packed into Kafka record batches, every ack awaited.

Packing records into a batch and handing over the batch costs a tenth of sending them one by one. The
producer is idempotent with acks from all replicas, so a retry of its own appends nothing twice. A send
that fails raises: nothing is ever committed on top of a lost output.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer

from gridwatch.errors import GridwatchError
from gridwatch.settings import Settings
from gridwatch.topics import CHANGELOG_BATCH_BYTES, TICK_HEADER

#: Output batches are cut here: small enough to compress and replicate smoothly, large enough to be few.
OUTPUT_BATCH_BYTES = 1_000_000
#: What a record costs in a batch beside key and value, at most.
RECORD_OVERHEAD = 64
#: Room left for the header of the request around a batch.
_REQUEST_ROOM = 64 * 1024

Row = tuple[bytes | None, bytes | None]


class Emitter:
    """The worker's own producer. Started at first use, stopped with the worker."""

    def __init__(self, settings: Settings, client_id: str) -> None:
        self._settings = settings
        self._client_id = client_id
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

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
                await producer.start()
                self._producer = producer
        return self._producer

    async def stop(self) -> None:
        """Wait for what is in flight and disconnect."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()

    async def send(self, topic: str, partition: int, rows: Iterable[Row], timestamp: int) -> list[Any]:
        """Send rows (key, value) to one partition; returns the pending acks, one a batch.

        `timestamp` is the Kafka timestamp of the records, milliseconds.
        """
        producer = await self.start()
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

    async def append_whole(self, topic: str, partition: int, rows: Sequence[Row], timestamp: int) -> int:
        """Append rows as one record batch, which the broker takes whole or not at all.

        Returns the offset of the last row.
        """
        producer = await self.start()
        batch = producer.create_batch()
        for key, value in rows:
            if batch.append(timestamp=timestamp, key=key, value=value) is None:
                raise GridwatchError(f"{topic}: {len(rows)} state rows do not fit one record batch")
        acked = await producer.send_batch(batch, topic, partition=partition)
        metadata = await acked
        return int(metadata.offset) + len(rows) - 1


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
