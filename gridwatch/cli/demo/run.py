"""The demo: servers, topics and tables, services, replay, catching up, score, report, clean-up."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gridwatch.cli.demo.figures import Figures, collect
from gridwatch.cli.demo.grid import register
from gridwatch.cli.demo.report import FILE, write_report
from gridwatch.cli.demo.stages import Stage, Stages
from gridwatch.deployment.catching_up import Report, wait_for_sink, wait_for_worker
from gridwatch.deployment.service import Service
from gridwatch.deployment.signals import ignore_signals, signals_deferred
from gridwatch.deployment.site import Site
from gridwatch.embedded import EmbeddedKafka, EmbeddedPostgres
from gridwatch.embedded.ports import LOOPBACK, free_ports
from gridwatch.kafka.broker import Broker
from gridwatch.settings import PREFIX, Settings
from gridwatch.topics import DEFAULT_FLOW
from replay.faults import FaultPlan
from replay.run.replay import Replay
from replay.run.request import Request
from replay.run.summary import Summary
from replay.sample.households import MONDAY
from replay.sample.lines import lines
from sinks.schema.version import migrate

#: The faults of `replay --faults seed-spec`.
FAULTS = FaultPlan(seed=1, delay_rate=0.10, max_delay=300_000_000, gap_rate=0.05)
_INTERVAL_MINUTES = 30
_STOP_SECONDS = 15.0


@dataclass(frozen=True)
class Result:
    """The result of a demo: the figures and the report."""

    figures: Figures
    report: Path


@dataclass(frozen=True)
class Running:
    """The running servers and services of one demo."""

    site: Site[Service]
    worker: Service
    sink: Service

    @property
    def folder(self) -> Path:
        """The temporary folder."""
        return self.site.folder

    @property
    def settings(self) -> Settings:
        """The settings of the services."""
        return self.site.settings

    def connection_lines(self) -> list[str]:
        """The settings for another terminal, for --keep."""
        names = ("broker", "database_url", "web_port", "sink_web_port")
        return [f"{PREFIX}{name.upper()}={self.site.common[name]}" for name in names]


class Demo:
    """One demo of `meters` over `days`, shown on `stages`, its report in `target` (a folder)."""

    def __init__(self, meters: int, days: int, stages: Stages, target: Path) -> None:
        self._meters = meters
        self._days = days
        self._stages = stages
        self._target = target

    @contextmanager
    def running(self) -> Iterator[Running]:
        """Servers, topics, tables and services in a temporary folder, removed after the block."""
        stack = ExitStack()
        try:
            yield self._start(stack)
        finally:
            ignore_signals()  # a second Ctrl-C would only interrupt the clean-up
            with self._stages.stage("stopping everything"):
                stack.close()

    def play(self, running: Running) -> Result:
        """Replay sample data with faults, wait until all is stored, compare it with the truth, and report."""
        source, truth = running.folder / "sample.csv", running.folder / "truth.jsonl"
        with self._stages.stage("generating sample data") as stage:
            with source.open("w", encoding="utf-8") as file:
                file.writelines(lines(self._meters, self._days, _INTERVAL_MINUTES, FAULTS.seed, MONDAY, True))
            stage.detail(f"{self._meters:,} meters, {self._days:,} days, every {_INTERVAL_MINUTES} min")
        with self._stages.stage("registering meters and regions") as stage:
            stage.detail(f"{register(running.settings, self._meters, MONDAY):,} records")
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
        return Result(figures, report)

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
        site = _site(folder, kafka, postgres)
        with self._stages.stage("creating topics and tables") as stage:
            topics = Broker(site.settings).create()
            _, schema = migrate(site.settings.database)
            stage.detail(f"{len(topics)} topics; {schema.kind}, schema {schema.revision}")
        with self._stages.stage("starting worker and sink"):
            worker, sink = site.add("worker"), site.add("sink")
            stack.callback(site.stop)
            for service in site.services:
                with signals_deferred():  # a child not yet registered with its service would be orphaned
                    service.start()
            for service in site.services:
                service.wait_until_ready()
        return Running(site, worker, sink)

    def _replay(self, settings: Settings, source: Path, truth: Path) -> Summary:
        with self._stages.stage("replaying with injected faults") as stage:
            request = Request(files=(source,), faults=FAULTS, truth=truth, final=True)
            summary = Replay(request, settings, _ReplayProgress(stage), stage.note).send()
            stage.detail(
                f"{summary.readings:,} readings sent, {summary.delayed:,} of them delayed, "
                f"{summary.withheld:,} withheld"
            )
        return summary


def _site(folder: Path, kafka: EmbeddedKafka, postgres: EmbeddedPostgres) -> Site[Service]:
    """The deployment with the user's own settings, except for the addresses of this demo's servers."""
    web_port, sink_web_port = free_ports(2)
    common = {
        "broker": f"kafka://{kafka.bootstrap}",
        "security_protocol": "PLAINTEXT",
        "database_url": postgres.url,
        "datadir": folder / "data",
        "flow": DEFAULT_FLOW,
        "flows": DEFAULT_FLOW,
        "replication_factor": 1,
        "web_host": LOOPBACK,
        "web_port": web_port,
        "sink_web_port": sink_web_port,
        "web_advertised_url": f"http://{LOOPBACK}:{web_port}",
    }
    return Site(folder, common, partial(Service, inherited=True, grace=_STOP_SECONDS))


class _ReplayProgress:
    """A replay's progress as the detail of a stage."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._total: int | None = None

    def stage(self, name: str, total: int | None) -> None:
        """The replay starts to read or to send."""
        self._total = total
        self._stage.detail(name)

    def at(self, done: int) -> None:
        """Show so many rows as done."""
        self._stage.detail(f"{done:,}" + (f" of {self._total:,} rows" if self._total else " rows read"))


def _records(stage: Stage) -> Report:
    def report(done: int, wanted: int) -> None:
        stage.detail(f"{done:,} of {wanted:,} records")

    return report
