"""Whether the broker's logs are still those that local state was made of.

A topic may be deleted and made anew, and a broker may lose the end of a log with its disk. Local state is
held against the changelog before each recovery: rows that belong to another changelog, or reach beyond its
end, are thrown away (`tables/store.py`), and state is made anew from what the changelog and the source
hold. But a source that ends before the position of the state cannot be made good: its next records would
get the offsets, and with them the ids, of others. Then nothing of that partition is worked on until somebody
has decided what is right.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import TimeoutError as NoAnswer

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from gridwatch.backoff import BackOff, Pauses
from gridwatch.errors import GridwatchError
from gridwatch.kafka.positions import ANSWER_SECONDS, Positions
from gridwatch.kafka.security import librdkafka_config
from gridwatch.settings import Settings
from gridwatch.tables.store import TopicIdentity

logger = logging.getLogger(__name__)

#: A broker that has just started, or has just become leader, may answer the next time.
_ASKING = BackOff(limit=4)


async def look_at(settings: Settings, topic: str) -> TopicIdentity | None:
    """The topic as it is now; None if the broker does not say, which is warned of."""
    pauses = Pauses(_ASKING)
    while True:
        try:
            return await asyncio.get_running_loop().run_in_executor(None, _look_at, settings, topic)
        except (GridwatchError, KafkaException, NoAnswer) as error:
            logger.warning("%s cannot be compared with local state: %s", topic, error)
        if not await pauses.wait():
            return None


def _look_at(settings: Settings, topic: str) -> TopicIdentity:
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


async def what_is_lost(settings: Settings, topic: str, partition: int, position: int) -> str:
    """Why a partition of a source cannot be worked on from a position; empty if nothing is known to be wrong.

    Asked again before it is believed: a broker that has just become leader may not know its end yet.
    """
    pauses = Pauses(_ASKING)
    while True:
        there = await look_at(settings, topic)
        if there is None or there.ends[partition] >= position:
            return ""
        if not await pauses.wait():
            break
    problem = (
        f"partition {partition}: {topic} ends at offset {there.ends[partition]}, its state has come to "
        f"{position}: the topic was made anew, or the broker has lost readings; nothing of it is worked "
        "on; remedy: bring the topic back and start the worker again, or begin anew with another "
        "database and GRIDWATCH_APP_ID"
    )
    logger.critical("%s", problem)
    return problem
