"""What health asks of the brokers by itself, against a real one and against nobody."""

from __future__ import annotations

import asyncio
import socket
import uuid

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from gridwatch.embedded import EmbeddedKafka
from gridwatch.embedded.ports import free_ports
from gridwatch.kafka.broker_monitor import BrokerMonitor, BrokerView
from gridwatch.settings import load_settings

pytestmark = pytest.mark.integration


async def look(bootstrap: str, *topics: str) -> BrokerView:
    asking = BrokerMonitor(load_settings(broker=bootstrap), "tests", topics, topics)
    try:
        return await asking.view()
    finally:
        await asking.close()


def test_a_broker_that_answers_is_no_problem(kafka: EmbeddedKafka) -> None:
    assert asyncio.run(look(kafka.bootstrap)) == BrokerView()


def test_a_missing_topic_is_named_with_the_command_that_makes_it(kafka: EmbeddedKafka) -> None:
    (said,) = asyncio.run(look(kafka.bootstrap, "no-such-topic")).problems
    assert "no-such-topic is missing" in said
    assert "gridwatch topics create" in said


def test_starts_and_ends_are_those_of_the_log(kafka: EmbeddedKafka) -> None:
    topic = f"looked-at-{uuid.uuid4().hex[:8]}"
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    for made in admin.create_topics([NewTopic(topic, 6, 1)]).values():
        made.result(timeout=30)
    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    for _ in range(3):
        producer.produce(topic, b"x", partition=2)
    assert producer.flush(30) == 0
    for deleted in admin.delete_records([TopicPartition(topic, 2, 1)]).values():
        deleted.result(timeout=30)
    view = asyncio.run(look(kafka.bootstrap, topic))
    assert view.problems == ()
    assert {place[1]: end for place, end in view.ends.items()} == {0: 0, 1: 0, 2: 3, 3: 0, 4: 0, 5: 0}
    assert view.starts[topic, 2] == 1


def test_brokers_that_nobody_answers_for_are_named() -> None:
    address = f"127.0.0.1:{free_ports(1)[0]}"
    assert asyncio.run(look(address)).problems == (f"no broker answers at {address}",)


def test_a_broker_that_takes_connections_but_says_nothing_is_given_up_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        assert asyncio.run(look(address)).problems == (f"no broker answers at {address}",)
