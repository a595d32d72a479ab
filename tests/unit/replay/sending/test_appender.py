"""Batches reach each partition in order, one at a time, and none after a failure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError, TopicAuthorizationFailedError

from gridwatch.settings import load_settings
from replay.sending.appender import Appender


class Batch:
    def __init__(self, number: int) -> None:
        self.number = number

    def record_count(self) -> int:
        return 10


class Producer:
    """Answers for a batch when `answer` says so: with an error, or with none."""

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.sent: list[tuple[int, int]] = []
        self.under_way: set[int] = set()
        self.most_at_once = 0
        self.answer: Callable[[int, int], Exception | None] = lambda partition, number: None
        self.stopped = False
        self.away = 0
        self.client = self

    async def start(self) -> None:
        if self.away:
            self.away -= 1
            raise KafkaConnectionError("nobody there")

    async def stop(self) -> None:
        self.stopped = True

    async def close(self) -> None:
        """The connections of the client."""

    async def send_batch(self, batch: Batch, topic: str, *, partition: int) -> asyncio.Future[None]:
        assert partition not in self.under_way
        self.under_way.add(partition)
        self.most_at_once = max(self.most_at_once, len(self.under_way))
        self.sent.append((partition, batch.number))
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def settle() -> None:
            self.under_way.discard(partition)
            problem = self.answer(partition, batch.number)
            if problem is None:
                answer.set_result(None)
            else:
                answer.set_exception(problem)

        asyncio.get_running_loop().call_later(0.001, settle)
        return answer


@pytest.fixture
def producer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Producer]:
    made = Producer(bootstrap_servers="somewhere:9092")
    monkeypatch.setattr("replay.sending.appender.AIOKafkaProducer", lambda **options: _with(made, options))
    yield made
    assert made.stopped


def _with(producer: Producer, options: dict[str, Any]) -> Producer:
    producer.options = options
    return producer


@pytest.fixture
def appender(producer: Producer) -> Iterator[Appender]:
    made = Appender(load_settings(broker="somewhere:9092"), "raw", 3)
    yield made
    made.close()


def finished(appender: Appender) -> None:
    while appender.under_way and appender.failure is None:
        appender.wait(1.0)


def test_a_partition_takes_one_batch_at_a_time_and_several_partitions_at_once(
    appender: Appender, producer: Producer
) -> None:
    for number in range(20):
        appender.append([(partition, Batch(number)) for partition in range(3)])
    finished(appender)
    assert appender.failure is None
    for partition in range(3):
        assert [number for where, number in producer.sent if where == partition] == list(range(20))
    assert producer.most_at_once == 3


def test_what_is_under_way_is_counted_in_records(appender: Appender) -> None:
    assert appender.under_way == 0
    appender.append([(0, Batch(0)), (1, Batch(0))])
    assert appender.under_way <= 20
    finished(appender)
    assert appender.under_way == 0


def test_nothing_follows_a_batch_that_was_refused(appender: Appender, producer: Producer) -> None:
    refused = TopicAuthorizationFailedError("raw")
    producer.answer = lambda partition, number: refused if (partition, number) == (1, 5) else None
    for number in range(20):
        appender.append([(partition, Batch(number)) for partition in range(3)])
    finished(appender)
    appender.close()
    assert appender.failure is refused
    assert [number for partition, number in producer.sent if partition == 1] == list(range(6))
    for partition in (0, 2):
        sent = [number for where, number in producer.sent if where == partition]
        assert sent == list(range(len(sent)))
        assert len(sent) < 20


def test_every_record_is_sent_once_and_acknowledged_by_all(appender: Appender, producer: Producer) -> None:
    assert producer.options["enable_idempotence"] is True
    assert producer.options["acks"] == "all"


def test_a_broker_that_is_just_coming_back_is_waited_for(
    producer: Producer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("replay.sending.appender._PAUSE_SECONDS", 0.01)
    producer.away = 3
    appender = Appender(load_settings(), "raw", 3)
    appender.append([(0, Batch(0))])
    finished(appender)
    appender.close()
    assert producer.sent == [(0, 0)]


def test_a_broker_that_stays_away_is_told(producer: Producer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("replay.sending.appender._REACH_SECONDS", 0.05)
    monkeypatch.setattr("replay.sending.appender._PAUSE_SECONDS", 0.01)
    producer.away = 1_000_000
    with pytest.raises(KafkaConnectionError):
        Appender(load_settings(), "raw", 3)


def test_a_certificate_that_cannot_be_read_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(_settings: object) -> dict[str, Any]:
        raise FileNotFoundError("ca.pem")

    monkeypatch.setattr("replay.sending.appender.aiokafka_config", unreadable)
    with pytest.raises(FileNotFoundError):
        Appender(load_settings(), "raw", 3)
