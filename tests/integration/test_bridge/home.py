"""Devices that publish to a Mosquitto, bridges to Kafka, and what of it is there."""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from confluent_kafka import KafkaException

from chaos.entrances.mosquitto import Mosquitto
from chaos.entrances.senders import Publisher
from gridwatch.deployment.polling import until
from gridwatch.deployment.service import Service
from gridwatch.domain.instants import format_instant
from gridwatch.domain.policy import SECOND
from tests.processes import Site
from tests.records import read

START = 1_767_225_600 * SECOND
SECONDS = 60.0
Place = tuple[str, str]
"""Device and time."""


class Home:
    """One Mosquitto and its bridges. Their records are told from those of other tests by the client id."""

    def __init__(self, site: Site, mosquitto: Mosquitto, folder: Path) -> None:
        self.name = uuid.uuid4().hex[:8]
        self.site = site
        self.mosquitto = mosquitto
        self.folder = folder
        self.publisher = Publisher(mosquitto.port, f"devices-{self.name}")
        self.bridges: list[Service] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.publisher.end()
        for bridge in self.bridges:
            bridge.kill()

    def bridge(self, mqtt: str = "", rules: str = "", *, name: str = "1", **settings: Any) -> Service:
        """A bridge, not started, with these lines in [mqtt]; its client id has our name."""
        file = self.folder / f"bridge-{name}.toml"
        file.write_text(f'[mqtt]\nclient_id = "{self.name}-{name}"\n{mqtt}\n{rules}')
        given = {"mqtt_url": self.mosquitto.url, "bridge_config": file} | settings
        bridge = self.site.add("bridge", f"bridge-{self.name}-{name}", **given)
        self.bridges.append(bridge)
        return bridge

    def records(self, topic: str) -> list[dict[str, Any]]:
        """Ours of a topic of homelab, by partition and offset."""
        found = [json.loads(message.value() or b"") for message in read(self.site.bootstrap, topic)]
        return [one for one in found if one["source"]["bridge"].startswith(self.name)]

    def places(self, topic: str = "homelab.energy") -> list[Place]:
        """Device and time of each of them, repetitions too."""
        return [(one["device_id"], one["timestamp"]) for one in self.records(topic)]

    def wait_for(
        self, wanted: Iterable[Place], topic: str = "homelab.energy", seconds: float = SECONDS
    ) -> None:
        """Return once exactly these are there, each at least once, in order of their time for each device."""
        promised = set(wanted)
        until(
            f"{len(promised)} are in {topic}",
            lambda: promised <= set(self.places(topic)),
            seconds,
            pause=0.2,
            transient=(KafkaException,),  # partitions without a leader, after a restart
        )
        found = self.places(topic)
        assert set(found) == promised
        assert_ordered(found)

    def reasons(self) -> Counter[str]:
        """How many dead letters have each first reason."""
        return Counter(one["reasons"][0] for one in self.records("homelab.dead_letters"))


def assert_ordered(found: Sequence[Place]) -> None:
    """First occurrences of each device ascend by time."""
    for device in {device for device, _ in found}:
        times = list(dict.fromkeys(time for one, time in found if one == device))
        assert times == sorted(times), device


def metric(bridge: Service, name: str, **labels: str) -> float:
    """The sum of the samples of a metric that have these labels."""
    total = 0.0
    for line in bridge.text("/metrics/").splitlines():
        match = re.fullmatch(r"gridwatch_bridge_(\w+?)(?:\{(.*)\})? (\S+)", line)
        if (
            match
            and match[1] == name
            and all(f'{key}="{one}"' in (match[2] or "") for key, one in labels.items())
        ):
            total += float(match[3])
    return total


def message(number: int, **values: Any) -> bytes:
    """A message with a time of its own, by its number."""
    return json.dumps({"timestamp": at(number), "total_energy_kwh": 1000 + number / 1000, **values}).encode()


def at(number: int) -> str:
    return format_instant(START + number * SECOND)


class Load(threading.Thread):
    """Publishes rounds of a message of each device until it is ended; `promised`: what was acknowledged."""

    def __init__(self, publisher: Publisher, devices: int = 3, size: int = 20) -> None:
        super().__init__(daemon=True)
        self._publisher = publisher
        self._names = [f"plug-{device}" for device in range(devices)]
        self._size = size
        self._end = threading.Event()
        self._failed: BaseException | None = None
        self.promised: list[Place] = []

    def run(self) -> None:
        number = 0
        try:
            while not self._end.wait(0.02):
                numbers = range(number, number + self._size)
                number += self._size
                batch = [(name, one) for one in numbers for name in self._names]
                self._publisher.publish([(f"homelab/energy/{name}", message(one)) for name, one in batch])
                self.promised += [(name, at(one)) for name, one in batch]
        except BaseException as problem:
            self._failed = problem

    def more(self, count: int = 200) -> None:
        """Return once so many more are acknowledged."""
        wanted = len(self.promised) + count
        until("more is published", lambda: self._failed or len(self.promised) >= wanted, SECONDS)

    def finish(self) -> list[Place]:
        """End it; everything that was promised."""
        self._end.set()
        self.join(SECONDS)
        assert self._failed is None and not self.is_alive(), self._failed
        return self.promised


def toml_rules(rules: Sequence[Mapping[str, str]]) -> str:
    return "".join(
        "[[rule]]\n" + "".join(f'{key} = "{one}"\n' for key, one in rule.items()) for rule in rules
    )
