"""The entrances as docker-compose.yml runs them: with keys over HTTP, with users and rights over MQTT.

The MQTT broker is Mosquitto by the file's script, configuration and rights, where this machine has it.
Elsewhere the embedded one is in its place, which knows no users.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from confluent_kafka import Consumer
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from gridwatch.deployment.polling import until
from gridwatch.embedded import EmbeddedMqtt, EmbeddedPostgres
from gridwatch.embedded.ports import LOOPBACK, free_ports
from tests.integration.compose import PASSWORDS, PROGRAMS, ROOT, Stack, running_stack
from tests.mosquitto import needs_mosquitto

pytestmark = pytest.mark.integration

_SECONDS = 30.0
MOSQUITTO = shutil.which("mosquitto", path=os.pathsep.join(map(str, PROGRAMS)))
READING = {"meter_id": "METER_1", "timestamp": "2026-01-31T10:00:00Z", "consumption_kwh": 0.42}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack with its MQTT broker running."""
    with (
        EmbeddedPostgres(tmp_path_factory.mktemp("compose-postgres"), fsync=False) as postgres,
        running_stack(tmp_path_factory.mktemp("compose"), postgres) as made,
    ):
        if MOSQUITTO is None:
            with EmbeddedMqtt(made.folder / "mqtt") as broker:
                made.names |= {
                    "mosquitto:1883": f"{LOOPBACK}:{broker.port}",
                    "/etc/gridwatch/": f"{ROOT / 'docker'}/",
                }
                yield made
            return
        mosquitto(made)
        yield made


def mosquitto(stack: Stack) -> None:
    """Start Mosquitto by the file, with its folders, its port and its address on this machine."""
    [port] = free_ports(1)
    config, data = stack.folder / "mosquitto" / "config", stack.folder / "mosquitto" / "data"
    data.mkdir(parents=True)
    stack.names |= {
        "mosquitto:1883": f"{LOOPBACK}:{port}",
        "/mosquitto/config": str(config),
        "1883": str(port),
        "/etc/gridwatch/": f"{ROOT / 'docker'}/",
    }
    inside = {
        "/tmp/": f"{stack.folder}/",
        "/mosquitto/config": str(config),
        "/mosquitto/data": str(data),
        "listener 1883": f"listener {port} {LOOPBACK}",
    }
    shutil.copytree(ROOT / "docker" / "mosquitto", config)
    for file in config.iterdir():
        text = file.read_text(encoding="utf-8")
        for theirs, ours in inside.items():
            text = text.replace(theirs, ours)
        file.write_text(text, encoding="utf-8")
    if os.geteuid() == 0:  # the container's user is another, and so are its folders
        with (config / "mosquitto.conf").open("a", encoding="utf-8") as more:
            more.write("user root\n")
    stack.start("mosquitto")
    stack.running["mosquitto"].until("the MQTT broker is well", lambda: stack.is_well("mosquitto"), _SECONDS)


def post(url: str, key: str | None) -> tuple[int, dict[str, object]]:
    """Status and content of the answer to one reading."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
    request = urllib.request.Request(url, json.dumps([READING]).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.load(refused)


def records(stack: Stack, topic: str, count: int) -> list[dict[str, object]]:
    """The first records of a topic, control records aside."""
    group = {"group.id": f"entrances-{topic}-{count}", "auto.offset.reset": "earliest"}
    consumer = Consumer({"bootstrap.servers": stack.kafka.bootstrap, **group})
    consumer.subscribe([topic])
    found: list[dict[str, object]] = []
    try:

        def enough() -> bool:
            for message in consumer.consume(100, 0.5):
                assert message.error() is None
                found.append(json.loads(message.value()))
            return len(found) >= count

        until(f"{count} records are in {topic}", enough, _SECONDS)
    finally:
        consumer.close()
    return found


def client(stack: Stack, user: str, password: str) -> mqtt.Client:
    """A connected client. ConnectionRefusedError when the broker lets it not in."""
    one = mqtt.Client(
        CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5, reconnect_on_failure=False
    )
    one.username_pw_set(user, password)
    answered, refused = threading.Event(), threading.Event()

    def on_connect(
        _client: object, _data: object, _flags: object, reason: mqtt.ReasonCode, _: object
    ) -> None:
        if reason.is_failure:
            refused.set()
        answered.set()

    one.on_connect = on_connect
    one.connect(LOOPBACK, int(stack.names["mosquitto:1883"].rsplit(":", 1)[1]))
    one.loop_start()
    assert answered.wait(_SECONDS)
    if refused.is_set():
        one.loop_stop()
        raise ConnectionRefusedError(user)
    return one


def leave(one: mqtt.Client) -> None:
    one.disconnect()
    one.loop_stop()


def test_the_http_entrance_takes_readings_of_those_who_have_a_key(stack: Stack) -> None:
    assert not stack.is_well("ingest")
    stack.start("ingest")
    entrance = stack.running["ingest"]
    entrance.until("the HTTP entrance is well", lambda: stack.is_well("ingest"), _SECONDS)
    created = stack.run("ingest", "keys", "create", "head-end")
    assert created.returncode == 0, created.stderr
    key = created.stdout.strip()
    url = f"http://127.0.0.1:{stack.ports['ingest']}/telemetry/batch"
    # A new key is known after five seconds at most, and none before the database was asked.
    until("the key is known", lambda: post(url, key)[0] == 202, _SECONDS)
    status, answer = post(url, None)
    assert (status, answer["type"]) == (401, "problems/no-key")
    [record, *_] = records(stack, "smartmeter_raw", 1)
    assert {**READING, "ingested_at": record["ingested_at"]} == record
    entrance.stop()
    assert entrance.process.exit_code == 0


def test_the_bridge_takes_what_devices_publish_and_comes_back_to_its_session(stack: Stack) -> None:
    stack.start("bridge")
    stack.running["bridge"].until("the bridge is well", lambda: stack.is_well("bridge"), _SECONDS)
    ready = f"http://127.0.0.1:{stack.ports['bridge']}/ready/"

    def is_ready() -> bool:
        try:
            with urllib.request.urlopen(ready, timeout=5):
                return True
        except (urllib.error.HTTPError, OSError) as problem:
            if isinstance(problem, urllib.error.HTTPError):
                problem.close()
            return False

    stack.running["bridge"].until("the bridge is ready", is_ready, _SECONDS)
    devices = client(stack, "devices", PASSWORDS["MQTT_DEVICES_PASSWORD"])
    publish(devices, "homelab/energy/plug", {"total_energy_kwh": 1.0, "timestamp": "2026-01-31T10:00:00Z"})
    [first] = records(stack, "homelab.energy", 1)
    assert (first["device_id"], first["total_energy_kwh"]) == ("plug", 1.0)
    stack.running["bridge"].stop()
    assert stack.running["bridge"].process.exit_code == 0
    publish(devices, "homelab/energy/plug", {"total_energy_kwh": 2.0, "timestamp": "2026-01-31T10:01:00Z"})
    leave(devices)
    stack.start("bridge")
    assert [one["total_energy_kwh"] for one in records(stack, "homelab.energy", 2)] == [1.0, 2.0]
    stack.running["bridge"].stop()


def publish(one: mqtt.Client, topic: str, payload: dict[str, object]) -> None:
    one.publish(topic, json.dumps(payload), 1).wait_for_publish(_SECONDS)


def answer_to(stack: Stack, user: str, password: str, topic: str) -> str:
    """What the broker says to a message of this user."""
    one, answers = client(stack, user, password), []
    one.on_publish = lambda _client, _data, _mid, reason, _properties: answers.append(str(reason))
    one.publish(topic, "{}", 1)
    until("the broker has answered", lambda: bool(answers), _SECONDS)
    leave(one)
    return str(answers[0])


@needs_mosquitto  # the embedded broker has no users
def test_the_mqtt_broker_lets_in_whoever_has_a_password_to_what_is_theirs(stack: Stack) -> None:
    with pytest.raises(ConnectionRefusedError):
        client(stack, "devices", PASSWORDS["MQTT_PASSWORD"])
    bridge = client(stack, "gridwatch", PASSWORDS["MQTT_PASSWORD"])
    devices = client(stack, "devices", PASSWORDS["MQTT_DEVICES_PASSWORD"])
    of_bridge: list[str] = []
    of_devices: list[str] = []
    bridge.on_message = lambda _client, _data, message: of_bridge.append(message.topic)
    devices.on_message = lambda _client, _data, message: of_devices.append(message.topic)
    bridge.subscribe([("homelab/#", 1), ("other/#", 1), ("$share/homes/homelab/#", 1)])
    devices.subscribe([("homelab/#", 1)])
    assert answer_to(stack, "devices", PASSWORDS["MQTT_DEVICES_PASSWORD"], "other/x") == "Not authorized"
    assert answer_to(stack, "gridwatch", PASSWORDS["MQTT_PASSWORD"], "homelab/y") == "Not authorized"
    publish(devices, "homelab/x", {})
    # Once by its own subscription, once as a member of the share.
    until("the bridge has it twice", lambda: of_bridge == ["homelab/x", "homelab/x"], _SECONDS)
    assert of_devices == []
    leave(bridge)
    leave(devices)


@needs_mosquitto
def test_passwords_are_kept_as_digests_and_messages_on_disk(stack: Stack) -> None:
    passwords = (stack.folder / "passwords").read_text(encoding="utf-8")
    assert [line.split(":")[0] for line in passwords.splitlines()] == ["gridwatch", "devices"]
    assert not any(secret in passwords for secret in PASSWORDS.values() if "sekret" in secret)
    for file in ("passwords", "mosquitto_sub"):
        assert (stack.folder / file).stat().st_mode & 0o077 == 0
    stack.running["mosquitto"].stop()
    assert list((stack.folder / "mosquitto" / "data").iterdir())
    with pytest.raises(OSError):
        socket.create_connection((LOOPBACK, int(stack.names["1883"])), 1)


def test_the_folder_of_the_file_is_whole() -> None:
    assert {path.name for path in Path(ROOT / "docker" / "mosquitto").iterdir()} == {
        "acl",
        "mosquitto.conf",
        "start.sh",
    }
