"""The topics of one deployment, made anew on a broker that others use too."""

from __future__ import annotations

from collections.abc import Iterable

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from gridwatch.broker import Broker
from gridwatch.deployment.polling import until
from gridwatch.settings import Settings
from gridwatch.topics import OUTPUTS, all_topics

_PATIENCE_SECONDS = 60.0


def renew_topics(settings: Settings, *, raw: bool = True) -> None:
    """Make every topic of the flow anew, empty; without `raw` the raw topic stays with what it holds."""
    delete_topics(settings, [topic.name for topic in (all_topics(settings.app_id) if raw else OUTPUTS)])
    create_topics(settings)


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


def create_topics(settings: Settings) -> None:
    """Create what is missing, and return when every partition has a leader."""
    Broker(settings).create()
    until("every new partition has a leader", lambda: _have_leaders(settings), _PATIENCE_SECONDS)


def _have_leaders(settings: Settings) -> bool:
    # A new connection at each look: an old one would go on asking for the topics of the same names before.
    admin = _admin(settings)
    asked = {
        TopicPartition(topic.name, partition): OffsetSpec.latest()
        for topic in all_topics(settings.app_id)
        for partition in range(settings.partitions)
    }
    try:
        for answer in admin.list_offsets(asked).values():
            answer.result(timeout=_PATIENCE_SECONDS)
    except KafkaException:
        return False
    return True


def _admin(settings: Settings) -> AdminClient:
    return AdminClient(settings.confluent() | {"log_level": 0})
