"""Who sends, and the ledger of what was promised to them.

The meters of HTTP and the devices of MQTT are different ones, and their times move on together, so that
neither makes the other too late. A batch is repeated until it is answered 202; a message is in the ledger
once the MQTT broker has acknowledged it. Everything is drawn from one seed.
"""

from __future__ import annotations

import json
import random
import threading
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from gridwatch.domain.instants import format_instant
from gridwatch.domain.policy import SECOND
from gridwatch.embedded.ports import LOOPBACK

START = 1_767_225_600 * SECOND
INTERVAL = 10 * SECOND
METERS = 24
DEVICES = 6
KINDS = ("energy", "heatpump", "temperature")
#: Of the messages, those without a time of their own, and malformed ones.
_TIMELESS, _MALFORMED = 0.05, 0.02
_REQUEST_SECONDS = 20.0
_AGAIN_SECONDS = 0.3
_PUBLISH_SECONDS = 240.0


@dataclass
class Ledger:
    """What was promised: values by (meter or device, time, µs); counts of what has no time of its own."""

    readings: dict[tuple[str, int], float] = field(default_factory=dict)
    measured: dict[str, dict[tuple[str, int], float]] = field(
        default_factory=lambda: {kind: {} for kind in KINDS}
    )
    timeless: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    malformed: int = 0
    #: How often a batch was repeated, and how often a publisher connected again.
    repeated: int = 0


class Clock:
    """The round that both senders are in: none gets further ahead of the other than one."""

    def __init__(self, rounds: int) -> None:
        self.rounds = rounds
        self._done = [0, 0]
        self._allowed = 0.0
        self._change = threading.Condition()
        self.failure: BaseException | None = None

    def allow(self, share: float) -> None:
        """Let the senders go on up to this share of all rounds."""
        with self._change:
            self._allowed = share
            self._change.notify_all()

    def wait_for(self, who: int, round_: int) -> None:
        """Return once this sender may send this round."""
        with self._change:
            self._done[who] = round_
            self._change.notify_all()
            self._change.wait_for(
                lambda: (
                    self.failure or (min(self._done) >= round_ - 1 and round_ < self._allowed * self.rounds)
                )
            )
            if self.failure:
                raise self.failure

    def finish(self, who: int) -> None:
        """This sender has sent everything."""
        with self._change:
            self._done[who] = self.rounds
            self._change.notify_all()

    def fail(self, failure: BaseException) -> None:
        """End both senders."""
        with self._change:
            self.failure = failure
            self._change.notify_all()

    def wait_until_sent(self, share: float, seconds: float) -> None:
        """Return when both have sent this share. TimeoutError when they have not in time."""
        with self._change:
            wanted = int(share * self.rounds)
            if not self._change.wait_for(lambda: self.failure or min(self._done) >= wanted, seconds):
                raise TimeoutError(f"the senders are at {self._done} of {self.rounds} rounds")
            if self.failure:
                raise self.failure


def send_http(port: int, seed: int, clock: Clock, ledger: Ledger) -> None:
    """Send a batch a round, each until it is answered 202."""
    draw = random.Random(f"http {seed}")  # noqa: S311  to be repeated
    connection: HTTPConnection | None = None
    for round_ in range(clock.rounds):
        clock.wait_for(0, round_)
        time_ = START + round_ * INTERVAL
        values = {f"HTTP-{meter:03d}": round(draw.random(), 6) for meter in range(METERS)}
        body = json.dumps(
            [
                {
                    "meter_id": meter,
                    "timestamp": format_instant(time_),
                    "consumption_kwh": value,
                    "interval_seconds": 10,
                }
                for meter, value in values.items()
            ]
        ).encode()
        while True:
            try:
                if connection is None:
                    connection = HTTPConnection(LOOPBACK, port, timeout=_REQUEST_SECONDS)
                connection.request("POST", "/telemetry/batch", body, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                content = json.loads(answer.read())
            except (OSError, HTTPException, ValueError):
                connection = None
            else:
                if answer.status == 202:
                    if content["rejected"]:
                        raise AssertionError(f"rejected: {content['rejected'][:3]}")
                    break
                if answer.status != 503:
                    raise AssertionError(f"answered {answer.status}: {content}")
            ledger.repeated += 1
            time.sleep(_AGAIN_SECONDS)
            if clock.failure:
                raise clock.failure
        ledger.readings |= {(meter, time_): value for meter, value in values.items()}
    clock.finish(0)


class Publisher:
    """Publishes messages by QoS 1; what is not acknowledged is published again by its library."""

    def __init__(self, port: int, name: str) -> None:
        self._acked: set[int] = set()
        self._change = threading.Condition()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, name, clean_session=False)
        self._client.max_inflight_messages_set(50)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_publish = self._on_publish
        self._client.connect(LOOPBACK, port, 10)
        self._client.loop_start()

    def _on_publish(self, _client: object, _data: object, mid: int, *_: object) -> None:
        with self._change:
            self._acked.add(mid)
            self._change.notify_all()

    def publish(self, messages: list[tuple[str, bytes]]) -> None:
        """Publish, and return when all are acknowledged; while it is not connected they are queued."""
        with self._change:
            self._acked.clear()
        sent = {self._client.publish(topic, payload, 1).mid for topic, payload in messages}
        with self._change:
            if not self._change.wait_for(lambda: sent <= self._acked, _PUBLISH_SECONDS):
                raise AssertionError("the MQTT broker does not acknowledge")

    def end(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()


def send_mqtt(port: int, seed: int, clock: Clock, ledger: Ledger) -> None:
    """Publish a round of messages of every device."""
    draw = random.Random(f"mqtt {seed}")  # noqa: S311  to be repeated
    publisher = Publisher(port, f"devices-{seed}")
    registers = [1000.0 + device for device in range(DEVICES)]
    try:
        for round_ in range(clock.rounds):
            clock.wait_for(1, round_)
            time_ = START + round_ * INTERVAL
            messages: list[tuple[str, bytes]] = []
            promised: list[tuple[str, str, float]] = []
            timeless = dict.fromkeys(KINDS, 0)
            malformed = 0
            for device in range(DEVICES):
                registers[device] = round(registers[device] + draw.randrange(1, 100) / 1000, 3)
                for kind in KINDS:
                    name = f"{kind}-{device}"
                    value = registers[device] if kind == "energy" else round(draw.uniform(-20, 60), 2)
                    content: dict[str, Any] = {_FIELDS[kind]: value}
                    chance = draw.random()
                    if chance < _MALFORMED:
                        messages.append((f"homelab/{kind}/{name}", b'{"broken": ' + str(round_).encode()))
                        malformed += 1
                        continue
                    if chance < _MALFORMED + _TIMELESS and kind != "energy":
                        timeless[kind] += 1
                    else:
                        content["timestamp"] = format_instant(time_)
                        promised.append((kind, name, value))
                    messages.append((f"homelab/{kind}/{name}", json.dumps(content).encode()))
            publisher.publish(messages)
            for kind, name, value in promised:
                ledger.measured[kind][name, time_] = value
            for kind, count in timeless.items():
                ledger.timeless[kind] += count
            ledger.malformed += malformed
    finally:
        publisher.end()
    clock.finish(1)


_FIELDS = {"energy": "total_energy_kwh", "heatpump": "flow_temperature_c", "temperature": "temperature_c"}
