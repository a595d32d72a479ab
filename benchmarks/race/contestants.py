"""The contestants: how each is started, and its share of the input."""

from __future__ import annotations

import os
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from benchmarks.race.environments import ROOT, compiled, python_of
from benchmarks.race.readings import Span, end_offsets
from gridwatch.deployment.environment import environment_of
from gridwatch.deployment.process import ChildProcess
from gridwatch.embedded.ports import free_ports
from gridwatch.kafka.broker import Broker
from gridwatch.settings import load_settings
from gridwatch.topics import OUTPUTS, REGIONAL, VALIDATED


@dataclass(frozen=True)
class Contestant:
    """One implementation of the job."""

    name: str
    title: str
    #: The best settings that its documentation has for this job, in words.
    settings: str
    #: Packages it runs with (`requirements/<this>.txt`); gridwatch runs with those of this very process.
    environment: str | None = None
    #: What its Python is called with.
    arguments: tuple[str, ...] = ()
    #: Its share of the input: slow ones get a prefix.
    share: float = 1.0
    processes: int = 1
    #: Of gridwatch: with its hot path compiled.
    compiled: bool = False
    #: Of gridwatch: settings. Of others: environment variables.
    extra: tuple[tuple[str, str], ...] = ()
    #: Of gridwatch: the topics whose records are awaited; others write one of their own.
    outputs: tuple[str, ...] = (VALIDATED.name,)


_PRODUCER = "producer: linger 20 ms, batches of 1 MB"
_FAUST = ("-m", "faust", "-A", "benchmarks.peers.stock_faust", "--loop", "uvloop", "worker", "-l", "warn")
_QUIX = (
    "JSON as it comes (orjson), state by message key in RocksDB, at least once, commits every 5 s, "
    + _PRODUCER
)
_GRIDWATCH = "as it comes; RocksDB and changelog, every output acked before a commit"

FLOOR = Contestant(
    "floor",
    "plain confluent-kafka loop (floor)",
    f"orjson, state in a dict, nothing durable; 5,000 messages a call; {_PRODUCER}",
    "floor",
    ("-m", "benchmarks.peers.floor"),
)
GRIDWATCH = Contestant("gridwatch", "gridwatch, 1 worker, durable", _GRIDWATCH)
FAUST = Contestant(
    "faust",
    "stock Faust, RocksDB and changelog",
    "uvloop, orjson, rocksdict; polls of 5,000, stream buffer of 16,384, no standby; " + _PRODUCER,
    "faust",
    (*_FAUST, "--without-web"),
    share=0.03,
)
QUIX = Contestant(
    "quix",
    "Quix Streams, RocksDB and changelog",
    f"{_QUIX}; changelog topics, which is its default",
    "quix",
    ("-m", "benchmarks.peers.quix_streams"),
    share=0.1,
    extra=(("BENCH_CHANGELOG", "1"),),
)
QUIX_LOCAL = Contestant(
    "quix-local",
    "Quix Streams, RocksDB without changelog",
    f"{_QUIX}; no changelog: state is lost with the disk",
    "quix",
    ("-m", "benchmarks.peers.quix_streams"),
    share=0.1,
    extra=(("BENCH_CHANGELOG", "0"),),
)
BYTEWAX = Contestant(
    "bytewax",
    "Bytewax, in memory, no recovery",
    "orjson, its own keyed state (stateful_map), batch operators elsewhere, one worker, "
    "polls of 5,000; no recovery store: nothing durable; " + _PRODUCER,
    "bytewax",
    ("-m", "bytewax.run", "benchmarks.peers.bytewax_flow:flow"),
    share=0.25,
)
GRIDWATCH_COMPILED = Contestant(
    "gridwatch-compiled",
    "gridwatch, compiled, 1 worker, durable",
    f"{_GRIDWATCH}; the hot path compiled by mypyc, as the image of docker-compose.yml has it",
    compiled=True,
)
GRIDWATCH_TWO = Contestant(
    "gridwatch-2",
    "gridwatch, compiled, 2 workers, durable",
    f"{GRIDWATCH_COMPILED.settings}; two processes share the partitions",
    processes=2,
    compiled=True,
)

CONTESTANTS = (FLOOR, BYTEWAX, QUIX_LOCAL, QUIX, FAUST, GRIDWATCH, GRIDWATCH_COMPILED, GRIDWATCH_TWO)


#: Broker properties: deleted data is removed soon, and a busy machine does not end the broker's session.
BROKER = {
    "log.segment.delete.delay.ms": "1000",
    "broker.session.timeout.ms": "60000",
    "broker.heartbeat.interval.ms": "2000",
}


@dataclass(frozen=True)
class Site:
    """The environment of a run: a broker, the number of partitions, and a temporary folder."""

    bootstrap: str
    partitions: int
    folder: Path

    def topic(self, name: str) -> str:
        """Create a topic."""
        admin = self._admin()
        for future in admin.create_topics([NewTopic(name, self.partitions, 1)]).values():
            future.result()
        return name

    def remove(self, mark: str) -> None:
        """Remove the topics that have `mark` in their names."""
        admin = self._admin()
        names = [name for name in admin.list_topics(timeout=30).topics if mark in name]
        for future in admin.delete_topics(names).values():
            future.result()

    def empty(self, *names: str) -> None:
        """Delete the records of topics; their offsets continue."""
        ends = [
            TopicPartition(name, number, end)
            for name in names
            for number, end in enumerate(end_offsets(self.bootstrap, name, self.partitions))
        ]
        admin = self._admin()
        for future in admin.delete_records(ends).values():
            future.result()

    def _admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})


class Run:
    """A running contestant. `outputs`: the topics whose records are awaited."""

    def __init__(self, contestant: Contestant, site: Site, source: str, folder: Path) -> None:
        self._site = site
        #: In the name of every topic of its own, changelogs too.
        self.mark = uuid.uuid4().hex[:8]
        if contestant.environment is None:
            settings = gridwatch_settings(site.bootstrap, site.partitions, self.mark) | dict(contestant.extra)
            Broker(load_settings(**settings)).create()
            self.outputs = contestant.outputs
            self._emptied = tuple(topic.name for topic in (*OUTPUTS, *REGIONAL))
            command = [sys.executable, "-m", "gridwatch", "worker", "-l", "warn", "--without-web"]
            path = {"PYTHONPATH": str(compiled())} if contestant.compiled else {}
            environments = [
                environment_of({**settings, "web_port": port, "datadir": folder / f"data-{number}"}) | path
                for number, port in enumerate(free_ports(contestant.processes))
            ]
        else:
            command = [str(python_of(contestant.environment)), *contestant.arguments]
            self.outputs = (site.topic(f"bench-{contestant.name}-{self.mark}"),)
            self._emptied = ()
            environments = [
                os.environ
                | {
                    "BENCH_BOOTSTRAP": site.bootstrap,
                    "BENCH_INPUT": source,
                    "BENCH_OUTPUT": self.outputs[0],
                    "BENCH_PARTITIONS": str(site.partitions),
                    "BENCH_DATADIR": str(folder / "data"),
                    "PYTHONPATH": str(ROOT),
                }
                | dict(contestant.extra)
            ]
        self._before = [self._ends(topic) for topic in self.outputs]
        # From a folder without packages, or those in it would come before the compiled ones.
        self.processes = [
            ChildProcess(f"{contestant.name}-{number}", command, folder, environment).start()
            for number, environment in enumerate(environments)
        ]

    def written(self) -> list[Span]:
        """What it has written so far, one span per output; GridwatchError if it has exited."""
        for process in self.processes:
            process.require_running()
        before = zip(self.outputs, self._before, strict=True)
        return [Span(topic, first, self._ends(topic)) for topic, first in before]

    def _ends(self, topic: str) -> list[int]:
        return end_offsets(self._site.bootstrap, topic, self._site.partitions)

    def kill(self) -> None:
        """Kill it."""
        for process in self.processes:
            process.kill()

    def clear(self) -> None:
        """Delete its topics."""
        self._site.remove(self.mark)
        if self._emptied:
            self._site.empty(*self._emptied)


def gridwatch_settings(bootstrap: str, partitions: int, mark: str = "0") -> dict[str, Any]:
    """The settings of a worker with a changelog of its own, but for its folder and port."""
    return {
        "broker": bootstrap,
        "partitions": partitions,
        # The input is shared and ends: ticks after it would be no readings to the others.
        "idle_timeout": "1d",
        "app_id": f"bench-gridwatch-{mark}",
    }
