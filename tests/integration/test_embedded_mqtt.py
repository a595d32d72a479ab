"""EmbeddedMqtt is a real MQTT broker: what the bridge needs of MQTT 5 works."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from gridwatch.deployment.polling import until
from gridwatch.embedded import EmbeddedMqtt
from gridwatch.embedded.mqtt import accepts_clients
from gridwatch.embedded.ports import LOOPBACK, is_free
from gridwatch.errors import GridwatchError

pytestmark = pytest.mark.integration

_SECONDS = 10.0
#: Long enough for a message that must not come.
_QUIET_SECONDS = 0.5
_ONLY_NEW = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedMqtt]:
    with EmbeddedMqtt(tmp_path_factory.mktemp("mqtt")) as started:
        yield started


class Client:
    """A client that acknowledges by hand, as the bridge does."""

    def __init__(self, port: int, name: str, *, older: bool = False, clean: bool = False) -> None:
        self.got: list[mqtt.MQTTMessage] = []
        self._subscribed = threading.Event()
        self.lost = threading.Event()
        connected = threading.Event()
        version = MQTTProtocolVersion.MQTTv311 if older else MQTTProtocolVersion.MQTTv5
        self.client = client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            name,
            clean_session=clean if older else None,
            protocol=version,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        self.kept = False

        def on_connect(_client: object, _data: object, flags: Any, *_: object) -> None:
            self.kept = flags.session_present
            connected.set()

        client.on_connect = on_connect
        client.on_disconnect = lambda *_: self.lost.set()
        client.on_subscribe = lambda *_: self._subscribed.set()
        client.on_message = lambda _client, _data, message: self.got.append(message)
        options: dict[str, Any] = {}
        if not older:
            properties = Properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = 3600
            properties.ReceiveMaximum = 500
            options = {"clean_start": clean, "properties": properties}
        client.connect(LOOPBACK, port, 30, **options)
        client.loop_start()
        assert connected.wait(_SECONDS)

    def subscribe(self, *filters: str) -> None:
        self._subscribed.clear()
        older = self.client.protocol == MQTTProtocolVersion.MQTTv311
        self.client.subscribe([(name, 1 if older else _ONLY_NEW) for name in filters])
        assert self._subscribed.wait(_SECONDS)

    def publish(self, topic: str, *payloads: str, retain: bool = False) -> None:
        sent = [self.client.publish(topic, payload, 1, retain) for payload in payloads]
        for one in sent:
            one.wait_for_publish(_SECONDS)

    def payloads(self) -> list[str]:
        return [message.payload.decode() for message in self.got]

    def receives(self, *payloads: str) -> None:
        """Wait for these, in this order, and for nothing more."""
        until(f"{payloads} are there", lambda: self.payloads() == list(payloads), _SECONDS)

    def acknowledge(self, count: int) -> None:
        for message in self.got[:count]:
            self.client.ack(message.mid, message.qos)

    def cut(self) -> None:
        """End the connection as a crash would."""
        connection = self.client.socket()
        assert connection is not None
        connection.shutdown(socket.SHUT_RDWR)
        assert self.lost.wait(_SECONDS)
        self.client.loop_stop()

    def leave(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


Connect = Callable[..., Client]


@pytest.fixture
def connect(broker: EmbeddedMqtt) -> Iterator[Connect]:
    """Makes clients, and ends them."""
    made: list[Client] = []

    def one(name: str, **options: bool) -> Client:
        port = broker.older_port if options.get("older") else broker.port
        made.append(Client(port, name, **options))
        return made[-1]

    yield one
    for client in made:
        client.leave()


def test_what_was_not_acknowledged_is_delivered_again_with_what_came_meanwhile(connect: Connect) -> None:
    publisher, reader = connect("publisher", clean=True), connect("reader")
    reader.subscribe("again/#")
    publisher.publish("again/x", "1", "2", "3")
    reader.receives("1", "2", "3")
    reader.acknowledge(1)
    time.sleep(_QUIET_SECONDS)  # the acknowledgement leaves before the connection ends
    reader.cut()
    publisher.publish("again/x", "4")
    reader = connect("reader")
    assert reader.kept
    reader.subscribe("again/#")
    reader.receives("2", "3", "4")
    # What MQTT asks for and this broker does not do: gridwatch/embedded/mqtt.py.
    assert not any(message.dup for message in reader.got)


def test_a_retained_message_is_delivered_once_a_subscription(connect: Connect) -> None:
    publisher, reader = connect("publisher", clean=True), connect("keeper")
    publisher.publish("kept/x", "old", retain=True)
    reader.subscribe("kept/#")
    reader.receives("old")
    assert reader.got[0].retain
    reader.acknowledge(1)
    publisher.publish("kept/x", "new", retain=True)
    reader.receives("old", "new")
    assert not reader.got[1].retain
    reader.client.ack(reader.got[1].mid, 1)
    time.sleep(_QUIET_SECONDS)
    reader.cut()
    reader = connect("keeper")
    reader.subscribe("kept/#")
    time.sleep(_QUIET_SECONDS)
    assert reader.payloads() == []


def test_no_more_than_a_hundred_messages_wait_for_acknowledgement_and_all_come_in_order(
    connect: Connect,
) -> None:
    publisher, reader = connect("publisher", clean=True), connect("many")
    reader.subscribe("many/#")
    payloads = [str(number) for number in range(300)]
    publisher.publish("many/x", *payloads)
    time.sleep(_QUIET_SECONDS)
    assert reader.payloads() == payloads[:100]
    acknowledged = 0
    deadline = time.monotonic() + _SECONDS
    while acknowledged < len(payloads) and time.monotonic() < deadline:
        for message in reader.got[acknowledged:]:
            reader.client.ack(message.mid, message.qos)
            acknowledged += 1
        time.sleep(0.01)
    assert reader.payloads() == payloads


def test_members_of_a_share_have_each_message_once_among_them(connect: Connect) -> None:
    publisher = connect("publisher", clean=True)
    readers = [connect(name, clean=True) for name in ("one", "two")]
    for reader in readers:
        reader.subscribe("$share/homes/shared/#")
    publisher.publish("shared/x", *(str(number) for number in range(20)))
    until("all are there", lambda: sum(len(reader.got) for reader in readers) == 20, _SECONDS)
    assert sorted(int(text) for reader in readers for text in reader.payloads()) == list(range(20))
    assert all(reader.got for reader in readers)


def test_clients_of_both_versions_hear_each_other(connect: Connect) -> None:
    newer, older = connect("newer", clean=True), connect("older", older=True)
    newer.subscribe("both/#")
    older.subscribe("both/#")
    newer.publish("both/x", "by 5")
    older.receives("by 5")
    older.publish("both/x", "by 3.1.1")
    newer.receives("by 5", "by 3.1.1")
    older.cut()
    older = connect("older", older=True)
    assert older.kept
    older.receives("by 5", "by 3.1.1")


def test_it_listens_on_loopback_only(broker: EmbeddedMqtt) -> None:
    for port in (broker.port, broker.older_port):
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.2", port), 1)
        assert not is_free(port)


def test_a_restart_keeps_the_ports_and_forgets_the_sessions(tmp_path: Path) -> None:
    with EmbeddedMqtt(tmp_path) as broker:
        urls = broker.url, broker.older_url
        reader = Client(broker.port, "reader")
        reader.subscribe("x/#")
        broker.kill()
        assert not broker.running
        assert reader.lost.wait(_SECONDS)
        reader.leave()
        broker.start()
        assert (broker.url, broker.older_url) == urls
        reader = Client(broker.port, "reader")
        assert not reader.kept
        reader.leave()


def test_a_port_that_is_taken_is_an_error_that_names_it(tmp_path: Path, broker: EmbeddedMqtt) -> None:
    with pytest.raises(GridwatchError, match=f":{broker.port}: that port is in use"):
        EmbeddedMqtt(tmp_path, port=broker.port).start()


def test_it_ends_with_its_parent_even_when_that_is_killed(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys\n"
        "from gridwatch.embedded import EmbeddedMqtt\n"
        f"broker = EmbeddedMqtt({str(tmp_path)!r}).start()\n"
        "print(broker.port, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    port = int(ran.stdout)
    until("nobody listens", lambda: not accepts_clients(port) and is_free(port), _SECONDS)
