"""The faults of the entrances, in an order and with details from one seed; and what carries them out."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from chaos.entrances.mosquitto import Mosquitto
from chaos.entrances.proxy import Proxy
from chaos.servers import Servers, start
from chaos.service import SupervisedService


class Target(Protocol):
    """What faults are injected into."""

    servers: Servers
    mosquitto: Mosquitto
    #: Between the bridge and the MQTT broker.
    proxy: Proxy

    def service(self, kind: str) -> SupervisedService:
        """The service of a kind."""


@dataclass(frozen=True)
class Fault:
    """One fault: its kind, the share of the input sent before it, and how long something is away, seconds."""

    number: int
    kind: str
    at: float
    seconds: float

    def __str__(self) -> str:
        return f"{self.number:3d}  at {self.at:4.0%}  {self.kind} ({self.seconds:g} s)"


def _kill(kind: str) -> Callable[[Target, Fault], None]:
    def kill(target: Target, fault: Fault) -> None:
        service = target.service(kind)
        with service.held_down():
            service.kill()
            time.sleep(fault.seconds)

    return kill


def _term(kind: str) -> Callable[[Target, Fault], None]:
    def term(target: Target, fault: Fault) -> None:
        target.service(kind).stop()

    return term


def _freeze(kind: str) -> Callable[[Target, Fault], None]:
    def freeze(target: Target, fault: Fault) -> None:
        service = target.service(kind)
        service.freeze()
        time.sleep(fault.seconds)
        service.thaw()

    return freeze


def _broker_stop(target: Target, fault: Fault) -> None:
    target.servers.kafka.stop()
    time.sleep(fault.seconds)
    start(target.servers.kafka)


def _broker_kill(target: Target, fault: Fault) -> None:
    target.servers.kafka.kill()
    time.sleep(fault.seconds)
    start(target.servers.kafka)


def _postgres_kill(target: Target, fault: Fault) -> None:
    target.servers.postgres.kill()
    time.sleep(fault.seconds)
    start(target.servers.postgres)


def _mqtt_cut(target: Target, fault: Fault) -> None:
    until = time.monotonic() + fault.seconds
    while time.monotonic() < until:
        target.proxy.cut()
        time.sleep(0.4)


def _mqtt_away(target: Target, fault: Fault) -> None:
    target.proxy.refuse(True)
    target.proxy.cut()
    time.sleep(fault.seconds)
    target.proxy.refuse(False)


def _mqtt_restart(target: Target, fault: Fault) -> None:
    target.mosquitto.stop()
    time.sleep(fault.seconds)
    start(target.mosquitto)


@dataclass(frozen=True)
class Kind:
    """A kind of fault: what it does, how often it is drawn, how long something may be away."""

    meaning: str
    weight: int
    seconds: Sequence[float]
    inject: Callable[[Target, Fault], None]


KINDS: Final[Mapping[str, Kind]] = {
    "ingest-kill": Kind("kill -9 of the HTTP entrance", 4, (0, 0, 2), _kill("ingest")),
    "ingest-term": Kind("SIGTERM to it", 1, (0,), _term("ingest")),
    "ingest-freeze": Kind("SIGSTOP of it, then SIGCONT", 1, (1, 8), _freeze("ingest")),
    "bridge-kill": Kind("kill -9 of the bridge", 4, (0, 0, 3), _kill("bridge")),
    "bridge-term": Kind("SIGTERM to it", 1, (0,), _term("bridge")),
    "bridge-freeze": Kind("SIGSTOP of it, also beyond its keep-alive", 1, (2, 50), _freeze("bridge")),
    "mqtt-cut": Kind("its connection is cut again and again", 4, (0.1, 3, 8), _mqtt_cut),
    "mqtt-away": Kind("the MQTT broker cannot be reached", 1, (2, 12), _mqtt_away),
    "mqtt-restart": Kind("the MQTT broker is stopped and started", 2, (0, 4), _mqtt_restart),
    "broker-kill": Kind("kill -9 of Kafka's broker", 2, (0, 5), _broker_kill),
    "broker-stop": Kind("Kafka is stopped, up to a minute", 2, (5, 20, 60), _broker_stop),
    "postgres-kill": Kind("kill -9 of PostgreSQL", 1, (0, 5), _postgres_kill),
    "worker-kill": Kind("kill -9 of the worker", 1, (0,), _kill("worker")),
    "sink-kill": Kind("kill -9 of the sink", 2, (0,), _kill("sink")),
}


def make_faults(seed: int, count: int) -> list[Fault]:
    """The faults of a seed, in order."""
    draw = random.Random(f"entrances {seed}")  # noqa: S311  to be repeated
    places = sorted(draw.uniform(0.05, 0.95) for _ in range(count))
    kinds = draw.choices(list(KINDS), [kind.weight for kind in KINDS.values()], k=count)
    return [
        Fault(number, kind, at, draw.choice(KINDS[kind].seconds))
        for number, (kind, at) in enumerate(zip(kinds, places, strict=True), 1)
    ]
