"""Whether offsets that did not come are not there, or were lost on their way to us.

Retention and the marks of transactions leave holes in a partition that are real. A batch that Faust drops
between its consumer and an agent looks just the same from behind, as often as it happens. So nobody
concludes from what came: a consumer of its own asks the broker what comes next.
"""

from __future__ import annotations

import asyncio
import logging

from aiokafka import AIOKafkaConsumer, TopicPartition, errors

from gridwatch.settings import Settings
from gridwatch.streaming.producers import aiokafka_security

logger = logging.getLogger(__name__)

_PATIENCE_SECONDS = 10.0


async def next_offset_from(settings: Settings, topic: str, partition: int, offset: int) -> int | None:
    """The first offset at or after `offset` that the broker has a record at; None if it did not say."""
    place = TopicPartition(topic, partition)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        **aiokafka_security(settings),
    )
    try:
        await asyncio.wait_for(consumer.start(), _PATIENCE_SECONDS)
        consumer.assign([place])
        consumer.seek(place, offset)
        record = await asyncio.wait_for(consumer.getone(place), _PATIENCE_SECONDS)
    except (errors.KafkaError, asyncio.TimeoutError) as error:
        logger.warning("%s[%d]: the broker does not say what is at %d (%r)", topic, partition, offset, error)
        return None
    finally:
        await consumer.stop()
    return int(record.offset)
