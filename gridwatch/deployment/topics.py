"""The topics of one deployment, recreated on a shared broker."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from gridwatch.deployment.polling import until
from gridwatch.kafka.broker import Broker
from gridwatch.kafka.security import librdkafka_config
from gridwatch.settings import Settings
from gridwatch.topics import Topic, flow, topics_of

_TIMEOUT_SECONDS = 60.0


def recreate_topics(settings: Settings, *, raw: bool = True, topics: Collection[Topic] | None = None) -> None:
    """Delete and create topics (None: all of the flows); without `raw` the raw topics keep their records."""
    wanted = topics_of(settings.applications) if topics is None else topics
    kept = () if raw else tuple(flow(name).raw for name in settings.flows)
    delete_topics(settings, [topic.name for topic in wanted if topic not in kept])
    create_topics(settings, wanted)


def delete_topics(settings: Settings, names: Iterable[str]) -> None:
    """Delete those of these topics that exist, and return when they are gone."""
    broker = Broker(settings)
    existing = set(names) & set(broker.partitions())
    if not existing:
        return
    admin = _admin(settings)  # referenced until its futures are done
    for deleted in admin.delete_topics(sorted(existing)).values():
        deleted.result(timeout=_TIMEOUT_SECONDS)
    until("the old topics are gone", lambda: not existing & set(broker.partitions()), _TIMEOUT_SECONDS)


def create_topics(settings: Settings, topics: Collection[Topic]) -> None:
    """Create the missing ones of these topics, and return when every partition has a leader."""
    Broker(settings, topics).create()
    until("every new partition has a leader", lambda: _have_leaders(settings, topics), _TIMEOUT_SECONDS)


def _have_leaders(settings: Settings, topics: Iterable[Topic]) -> bool:
    # A new client at each poll: an old one would keep asking for the deleted topics' ids.
    admin = _admin(settings)
    asked = {
        TopicPartition(topic.name, partition): OffsetSpec.latest()
        for topic in topics
        for partition in range(settings.partitions)
    }
    try:
        for answer in admin.list_offsets(asked).values():
            answer.result(timeout=_TIMEOUT_SECONDS)
    except KafkaException:
        return False
    return True


def _admin(settings: Settings) -> AdminClient:
    return AdminClient(librdkafka_config(settings) | {"log_level": 0})
