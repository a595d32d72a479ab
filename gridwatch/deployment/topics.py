"""The topics of one deployment, made anew on a broker that others use too."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from gridwatch.deployment.polling import until
from gridwatch.kafka.broker import Broker
from gridwatch.kafka.security import librdkafka_config
from gridwatch.settings import Settings
from gridwatch.topics import RAW, Topic, all_topics

_PATIENCE_SECONDS = 60.0


def renew_topics(settings: Settings, *, raw: bool = True, topics: Collection[Topic] | None = None) -> None:
    """Make topics anew, empty (None: all of gridwatch); without `raw` that one stays with what it holds."""
    wanted = all_topics(settings.app_id) if topics is None else topics
    delete_topics(settings, [topic.name for topic in wanted if raw or topic != RAW])
    create_topics(settings, wanted)


def delete_topics(settings: Settings, names: Iterable[str]) -> None:
    """Delete those that there are of these topics, and return when they are gone."""
    broker = Broker(settings)
    there = set(names) & set(broker.partitions())
    if not there:
        return
    admin = _admin(settings)  # without a name it would be gone before its answers
    for deleted in admin.delete_topics(sorted(there)).values():
        deleted.result(timeout=_PATIENCE_SECONDS)
    until("the old topics are gone", lambda: not there & set(broker.partitions()), _PATIENCE_SECONDS)


def create_topics(settings: Settings, topics: Collection[Topic]) -> None:
    """Create what is missing of these topics, and return when every partition has a leader."""
    Broker(settings, topics).create()
    until("every new partition has a leader", lambda: _have_leaders(settings, topics), _PATIENCE_SECONDS)


def _have_leaders(settings: Settings, topics: Iterable[Topic]) -> bool:
    # A new connection at each look: an old one would go on asking for the topics of the same names before.
    admin = _admin(settings)
    asked = {
        TopicPartition(topic.name, partition): OffsetSpec.latest()
        for topic in topics
        for partition in range(settings.partitions)
    }
    try:
        for answer in admin.list_offsets(asked).values():
            answer.result(timeout=_PATIENCE_SECONDS)
    except KafkaException:
        return False
    return True


def _admin(settings: Settings) -> AdminClient:
    return AdminClient(librdkafka_config(settings) | {"log_level": 0})
