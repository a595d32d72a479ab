"""EmbeddedKafka is a real broker that keeps what it acknowledged."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from gridwatch.embedded import EmbeddedKafka, server
from gridwatch.embedded.ports import LOOPBACK, free_ports
from gridwatch.errors import GridwatchError

pytestmark = pytest.mark.integration

_PATIENCE = 20.0


def make_topic(bootstrap: str) -> str:
    name = f"t-{uuid.uuid4().hex[:12]}"
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(name, 2, 1)])[name].result(_PATIENCE)
    return name


def produce(bootstrap: str, topic: str, values: list[bytes]) -> None:
    failures: list[object] = []

    def delivered(error: object, message: object) -> None:
        if error is not None:
            failures.append(error)

    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "message.max.bytes": 15_000_000})
    for value in values:
        producer.produce(topic, value, partition=1, on_delivery=delivered)
    assert producer.flush(_PATIENCE) == 0
    assert failures == []


def consume(bootstrap: str, topic: str, count: int) -> list[bytes | None]:
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": uuid.uuid4().hex, "auto.offset.reset": "earliest"}
    )
    try:
        consumer.subscribe([topic])
        return [message.value() for message in consumer.consume(count, timeout=_PATIENCE)]
    finally:
        consumer.close()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    """A broker of this module's own: these tests stop and kill it."""
    with EmbeddedKafka(tmp_path_factory.mktemp("kafka"), heap_mb=512) as started:
        yield started


def test_acknowledged_records_survive_a_kill_and_a_restart(broker: EmbeddedKafka) -> None:
    address, topic = broker.bootstrap, make_topic(broker.bootstrap)
    produce(address, topic, [b"before the kill"])
    broker.kill()
    assert not broker.running
    broker.start()
    produce(address, topic, [b"after the kill"])
    broker.restart()
    assert broker.bootstrap == address
    assert consume(address, topic, 2) == [b"before the kill", b"after the kill"]


def test_a_second_broker_in_the_same_folder_is_refused_before_it_does_harm(
    broker: EmbeddedKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = make_topic(broker.bootstrap)
    monkeypatch.setattr(server, "_PREDECESSOR_SECONDS", 0.5)
    with pytest.raises(GridwatchError, match="another Apache Kafka runs in"):
        EmbeddedKafka(broker.folder).start()
    broker.restart()
    produce(broker.bootstrap, topic, [b"unharmed"])
    assert consume(broker.bootstrap, topic, 1) == [b"unharmed"]


def test_a_mistyped_topic_name_creates_no_topic(broker: EmbeddedKafka) -> None:
    producer = Producer({"bootstrap.servers": broker.bootstrap, "message.timeout.ms": 2_000})
    refused: list[object] = []
    producer.produce("mistyped", b"x", on_delivery=lambda error, message: refused.append(error))
    producer.flush(_PATIENCE)
    assert len(refused) == 1
    assert refused[0] is not None
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    assert "mistyped" not in admin.list_topics(timeout=_PATIENCE).topics


def test_a_record_of_15_megabytes_passes(broker: EmbeddedKafka) -> None:
    topic = make_topic(broker.bootstrap)
    value = b"x" * 14_900_000
    produce(broker.bootstrap, topic, [value])
    assert consume(broker.bootstrap, topic, 1) == [value]


def test_start_on_a_running_broker_and_stop_on_a_stopped_one_do_nothing(
    broker: EmbeddedKafka, tmp_path: Path
) -> None:
    pid = broker.pid
    assert broker.start() is broker
    assert broker.pid == pid
    EmbeddedKafka(tmp_path).stop()


def test_a_port_in_use_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_PORT_SECONDS", 0.1)
    port = free_ports(1)[0]
    with (
        socket.create_server((LOOPBACK, port)),
        pytest.raises(GridwatchError, match=f"{LOOPBACK}:{port}.*in use"),
    ):
        EmbeddedKafka(tmp_path, port=port).start()


def test_a_wrong_property_is_an_error_with_the_brokers_message(tmp_path: Path) -> None:
    with pytest.raises(GridwatchError) as caught:
        EmbeddedKafka(tmp_path, overrides={"num.io.threads": "none"}).start()
    assert "num.io.threads" in str(caught.value)


def test_without_java_maven_or_a_network_it_starts_from_the_wheel_and_the_cache(
    broker: EmbeddedKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # `broker` has filled the cache; from here on every way to fetch would fail.
    monkeypatch.setenv("PATH", str(tmp_path))
    for key in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(key, "http://127.0.0.1:9")
    reported: list[str] = []
    with EmbeddedKafka(tmp_path / "kafka", heap_mb=512, report=reported.append) as other:
        topic = make_topic(other.bootstrap)
        produce(other.bootstrap, topic, [b"x"])
        assert consume(other.bootstrap, topic, 1) == [b"x"]
    assert reported == []
    with pytest.raises(KafkaException):
        AdminClient({"bootstrap.servers": other.bootstrap, "log_level": 0}).list_topics(timeout=1)
