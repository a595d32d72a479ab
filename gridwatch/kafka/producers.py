"""Idempotent Kafka producers, acked by all replicas.

An idempotent producer's own retries append nothing twice. While the brokers are unavailable the caller waits
(`Retries` in backoff.py) and then uses a new producer: one whose batch has expired has a gap in its sequence
numbers, and the broker would reject the batches after it.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from aiokafka import AIOKafkaProducer, errors

from gridwatch.kafka.requests import join_once
from gridwatch.kafka.security import aiokafka_config
from gridwatch.settings import Settings

_CLOSE_SECONDS = 10.0

#: Retriable errors. A producer that was replaced while a queue waited for it is one of them, and so is a
#: deleted topic: health names it, and once it is created again the waiting outputs are sent to it.
OUTAGES = (
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
    errors.ProducerClosed,
    errors.UnknownTopicOrPartitionError,
)
#: Another producer has this one's producer id now.
REPLACED = (errors.ProducerFenced, errors.InvalidProducerEpoch)


async def start_producer(settings: Settings, client_id: str, **extra: Any) -> AIOKafkaProducer:
    """Connect a producer; raises one of OUTAGES while the brokers cannot be reached."""
    producer = AIOKafkaProducer(
        client_id=client_id,
        acks="all",
        enable_idempotence=True,
        linger_ms=0,
        **aiokafka_config(settings),
        **extra,
    )
    join_once(producer)
    try:
        await producer.start()
    except BaseException:
        await close_producer(producer)
        raise
    return producer


async def close_producer(producer: Any) -> None:
    """Disconnect, after some seconds at most for batches in flight."""
    with contextlib.suppress(errors.KafkaError, asyncio.TimeoutError):
        await asyncio.wait_for(producer.stop(), _CLOSE_SECONDS)
