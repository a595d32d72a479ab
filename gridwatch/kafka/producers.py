"""Kafka producers as gridwatch uses them: idempotent, acked by all replicas, patient.

An idempotent producer's own retries append nothing twice. While the brokers are away one waits (`Pauses` in
backoff.py) and then goes on with a new producer: one whose batch has expired has a hole in its sequence, and
the broker would refuse what follows.
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

#: Failures that waiting mends. A producer that was replaced under a waiting queue is one of them, and so is a
#: topic that was deleted: health says which one, and once it is made again all that waits goes there.
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
#: Another producer has been given this one's place.
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
    """Disconnect; what is in flight gets a moment."""
    with contextlib.suppress(errors.KafkaError, asyncio.TimeoutError):
        await asyncio.wait_for(producer.stop(), _CLOSE_SECONDS)
