"""Checks whether the broker's topics are still those that local state was built from.

A topic may be deleted and created again, and a broker may lose the end of a log with its disk. Before each
recovery local state is compared with the changelog: rows of another changelog, or beyond its end, are deleted
(`tables/store.py`), and state is rebuilt from the changelog and the source. But a source that ends before the
position of the state cannot be repaired: its next records would get the offsets, and with them the ids, of
others. Processing of that partition then stops until an operator decides.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import TimeoutError as NoAnswer

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from gridwatch.backoff import BackOff, Retries
from gridwatch.errors import GridwatchError
from gridwatch.kafka.positions import ANSWER_SECONDS, Positions
from gridwatch.kafka.security import librdkafka_config
from gridwatch.settings import Settings
from gridwatch.tables.store import TopicIdentity

logger = logging.getLogger(__name__)

#: A broker that has just started, or has just become leader, may answer the next time.
_ASKING = BackOff(limit=4)


async def describe_topic(settings: Settings, topic: str) -> TopicIdentity | None:
    """The identity and offsets of a topic; None, with a warning, if the broker does not answer."""
    retries = Retries(_ASKING)
    while True:
        try:
            return await asyncio.get_running_loop().run_in_executor(None, _describe_topic, settings, topic)
        except (GridwatchError, KafkaException, NoAnswer) as error:
            logger.warning("%s cannot be compared with local state: %s", topic, error)
        if not await retries.wait():
            return None


def _describe_topic(settings: Settings, topic: str) -> TopicIdentity:
    admin = AdminClient(librdkafka_config(settings) | {"log_level": 0, "error_cb": lambda _error: None})
    described = admin.describe_topics(TopicCollection([topic]), request_timeout=ANSWER_SECONDS)[topic]
    identity = str(described.result(ANSWER_SECONDS).topic_id).encode()
    positions = Positions(settings)
    starts, ends = positions.starts([topic]), positions.ends([topic])
    return TopicIdentity(
        identity,
        {partition: start for (_, partition), start in starts.items()},
        {partition: end for (_, partition), end in ends.items()},
    )


async def source_truncation(settings: Settings, topic: str, partition: int, position: int) -> str:
    """Why a partition of a source cannot be processed from a position; empty if it can, or if that is
    unknown.

    A truncation is confirmed by asking again: a new leader may not know its end offset yet.
    """
    retries = Retries(_ASKING)
    while True:
        current = await describe_topic(settings, topic)
        if current is None or current.ends[partition] >= position:
            return ""
        if not await retries.wait():
            break
    problem = (
        f"partition {partition}: {topic} ends at offset {current.ends[partition]}, its state is at "
        f"{position}: the topic was created again, or the broker has lost readings; this partition is not "
        "processed; remedy: restore the topic and restart the worker, or start over with another "
        "database and GRIDWATCH_APP_ID"
    )
    logger.critical("%s", problem)
    return problem
