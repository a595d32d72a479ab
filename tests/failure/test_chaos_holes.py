"""Offsets that did not come: believed to be gone only when the broker says so."""

from __future__ import annotations

import asyncio
import uuid
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from gridwatch.domain.partition import PartitionState
from gridwatch.embedded import EmbeddedKafka
from gridwatch.settings import load_settings
from gridwatch.streaming import pipeline as pipelines
from gridwatch.streaming.batches import RecordBatch
from gridwatch.streaming.holes import next_offset_from
from gridwatch.topics import RAW

pytestmark = [pytest.mark.failure, pytest.mark.integration]


@pytest.fixture
def topic(kafka: EmbeddedKafka) -> str:
    """A topic of one partition with ten records."""
    name = f"holes-{uuid.uuid4().hex[:8]}"
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    admin.create_topics([NewTopic(name, 1, 1)])[name].result(timeout=30)
    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    for number in range(10):
        producer.produce(name, str(number).encode(), partition=0)
    assert producer.flush(30) == 0
    return name


def test_the_broker_says_what_comes_next(kafka: EmbeddedKafka, topic: str) -> None:
    settings = load_settings(broker=kafka.bootstrap)
    assert asyncio.run(next_offset_from(settings, topic, 0, 3)) == 3
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    for deleted in admin.delete_records([TopicPartition(topic, 0, 7)]).values():
        deleted.result(timeout=30)
    assert asyncio.run(next_offset_from(settings, topic, 0, 3)) == 7


class Consumer:
    """Remembers where it was sent."""

    def __init__(self) -> None:
        self.sought: list[int] = []

    def assignment(self) -> set[tuple[str, int]]:
        return {(RAW.name, 0)}

    async def seek_wait(self, places: dict[Any, int]) -> None:
        self.sought += places.values()


@pytest.mark.parametrize(("there", "joins"), [(5, True), (3, False), (None, False)])
def test_what_did_not_come_is_read_again_as_often_as_it_takes(
    monkeypatch: pytest.MonkeyPatch, there: int | None, joins: bool
) -> None:
    async def asked(*_: object) -> int | None:
        return there

    monkeypatch.setattr(pipelines, "next_offset_from", asked)
    consumer = Consumer()
    pipeline: Any = SimpleNamespace(_app=SimpleNamespace(consumer=consumer), _settings=None)
    processor: Any = SimpleNamespace(partition=PartitionState(0, offset=2))
    owned = pipelines.Owned(0, 1, processor, None, None)  # type: ignore[arg-type]
    batch = RecordBatch(RAW.name, 0, [SimpleNamespace(offset=5)])

    async def scenario() -> list[bool]:
        return [await pipelines.Pipeline._joins_on(pipeline, owned, batch) for _ in range(3)]

    assert asyncio.run(scenario()) == [joins] * 3
    assert consumer.sought == ([] if joins else [3, 3, 3])
