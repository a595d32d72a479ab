"""The demo's stages: servers, topics and tables, services, replay, catching up, score, report, and away."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from gridwatch.demo.catching_up import Report, wait_for_sink, wait_for_worker
from gridwatch.demo.figures import Figures, collect
from gridwatch.demo.report import FILE, write_report
from gridwatch.demo.services import SIGNALS, Service, environment, signals_held_back, stopped_together
from gridwatch.demo.stages import Stage, Stages
from gridwatch.embedded import EmbeddedKafka, EmbeddedPostgres
from gridwatch.embedded.ports import LOOPBACK, free_ports
from gridwatch.kafka.broker import Broker
from gridwatch.settings import Settings, load_settings
from replay.faults import FaultPlan
from replay.households import MONDAY
from replay.request import Request
from replay.run import Replay
from replay.sample import lines
from replay.summary import Summary
from sinks.schema.version import migrate

#: The faults of `replay --faults seed-spec`.
FAULTS = FaultPlan(seed=1, delay_rate=0.10, max_delay=300_000_000, gap_rate=0.05)
_INTERVAL_MINUTES = 30


@dataclass(frozen=True)
class Outcome:
    """What a finished demo leaves: the figures and the report."""

    figures: Figures
    report: Path


@dataclass(frozen=True)
class Running:
    """The servers and services of one demo, all up."""

    folder: Path
    settings: Settings
    worker: Service
    sink: Service


class Demo:
    """One demo of `meters` over `days`, shown on `stages`, its report in `target` (a folder)."""

    def __init__(self, meters: int, days: int, stages: Stages, target: Path) -> None:
        self._meters = meters
        self._days = days
        self._stages = stages
        self._target = target

    @contextmanager
    def running(self) -> Iterator[Running]:
        """Servers, topics, tables and services in a temporary folder; all gone after the block."""
        stack = ExitStack()
        try:
            yield self._start(stack)
        finally:
            # From here on a second Ctrl-C could only leave something behind.
            for one in SIGNALS:
                signal.signal(one, signal.SIG_IGN)
            with self._stages.stage("stopping everything"):
                stack.close()

    def play(self, running: Running) -> Outcome:
        """Replay sample data with faults, wait until all is stored, compare it with the truth, and report."""
        source, truth = running.folder / "sample.csv", running.folder / "truth.jsonl"
        with self._stages.stage("making sample data") as stage:
            with source.open("w", encoding="utf-8") as file:
                file.writelines(lines(self._meters, self._days, _INTERVAL_MINUTES, FAULTS.seed, MONDAY, True))
            stage.detail(f"{self._meters:,} meters, {self._days:,} days, every {_INTERVAL_MINUTES} min")
        began = time.monotonic()
        summary = self._replay(running.settings, source, truth)
        with self._stages.stage("worker: validating, finding gaps") as stage:
            wait_for_worker(running.settings, running.worker, _records(stage))
        with self._stages.stage("sink: writing to the database") as stage:
            wait_for_sink(running.settings, running.sink, _records(stage))
        seconds = time.monotonic() - began
        with self._stages.stage("comparing with the truth") as stage:
            figures = collect(running.settings, summary, truth, self._days, seconds)
            rates = figures.score.overall
            stage.detail(f"precision {rates.precision:.3f}, recall {rates.recall:.3f}")
        with self._stages.stage("writing the report"):
            report = write_report(self._target / FILE, running.settings, figures)
        return Outcome(figures, report)

    def _start(self, stack: ExitStack) -> Running:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gridwatch-demo-")))
        with self._stages.stage("starting PostgreSQL") as stage:
            postgres = stack.enter_context(
                EmbeddedPostgres(folder / "postgres", fsync=False, report=stage.note)
            )
            stage.detail(f"port {postgres.port}")
        with self._stages.stage("starting Apache Kafka") as stage:
            kafka = stack.enter_context(EmbeddedKafka(folder / "kafka", report=stage.note))
            stage.detail(f"port {kafka.port}")
        settings = self._settings(stack, folder, kafka, postgres)
        with self._stages.stage("making topics and tables") as stage:
            topics = Broker(settings).create()
            _, schema = migrate(settings.database)
            stage.detail(f"{len(topics)} topics; {schema.kind}, schema {schema.revision}")
        with self._stages.stage("starting worker and sink"):
            services: list[Service] = []
            stack.enter_context(stopped_together(services))
            for name, port in (("worker", settings.web_port), ("sink", settings.sink_web_port)):
                with signals_held_back():  # a child that is not in the list yet would be left behind
                    services.append(Service(name, folder, port))
            for service in services:
                service.wait_until_ready()
        return Running(folder, settings, *services)

    def _replay(self, settings: Settings, source: Path, truth: Path) -> Summary:
        with self._stages.stage("replaying with injected faults") as stage:
            request = Request(files=(source,), faults=FAULTS, truth=truth)
            summary = Replay(request, settings, _ReplayProgress(stage), stage.note).send()
            stage.detail(
                f"{summary.readings:,} readings sent, {summary.delayed:,} of them delayed, "
                f"{summary.withheld:,} withheld"
            )
        return summary

    def _settings(
        self, stack: ExitStack, folder: Path, kafka: EmbeddedKafka, postgres: EmbeddedPostgres
    ) -> Settings:
        """The user's own settings, but for what leads to the servers of this demo. Children inherit them."""
        web_port, sink_web_port = free_ports(2)
        stack.enter_context(
            environment(
                {
                    "broker": f"kafka://{kafka.bootstrap}",
                    "security_protocol": "PLAINTEXT",
                    "database_url": postgres.url,
                    "datadir": folder / "data",
                    "replication_factor": 1,
                    "web_host": LOOPBACK,
                    "web_port": web_port,
                    "sink_web_port": sink_web_port,
                    "web_advertised_url": f"http://{LOOPBACK}:{web_port}",
                }
            )
        )
        return load_settings()


class _ReplayProgress:
    """A replay's progress as the detail of a stage."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._total: int | None = None

    def stage(self, name: str, total: int | None) -> None:
        """The replay begins to read or to send."""
        self._total = total
        self._stage.detail(name)

    def at(self, done: int) -> None:
        """So many rows are done."""
        self._stage.detail(f"{done:,}" + (f" of {self._total:,} rows" if self._total else " rows read"))


def _records(stage: Stage) -> Report:
    def report(done: int, wanted: int) -> None:
        stage.detail(f"{done:,} of {wanted:,} records")

    return report


def connection_lines() -> list[str]:
    """What another terminal needs to use a demo that is kept."""
    names = ("BROKER", "DATABASE_URL", "WEB_PORT", "SINK_WEB_PORT")
    return [f"GRIDWATCH_{name}={os.environ[f'GRIDWATCH_{name}']}" for name in names]
