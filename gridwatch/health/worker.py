"""Readiness and metrics of a worker: all of its stages, the brokers, the application.

Live means that the event loop answers. Ready means that records arriving now on the source of any stage are
processed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gridwatch.clock import now_micros
from gridwatch.health.checks import Observed, foreign_rows_reason, held_reason
from gridwatch.health.exposition import Samples
from gridwatch.health.metrics import WORKER
from gridwatch.health.readings import ReadingsWatch
from gridwatch.health.regions import RegionsWatch
from gridwatch.health.stage import StageWatch
from gridwatch.kafka.broker_monitor import BrokerMonitor, BrokerView
from gridwatch.kafka.open_transactions import MENTIONED_AFTER
from gridwatch.settings import Settings
from gridwatch.streaming.faust.recovery import progress_words, recovered
from gridwatch.streaming.stage.pipeline import Pipeline
from gridwatch.streaming.stage.worker import Worker
from gridwatch.tables.readings import METERS
from gridwatch.topics import REGIONS_TABLE


class WorkerHealth:
    """Observes a worker without changing it.

    Args:
        clock: monotonic, seconds.
    """

    def __init__(
        self, worker: Worker, settings: Settings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._app: Any = worker.app
        self._emitter = worker.emitter
        self._settings = settings
        self._clock = clock
        pipelines = list(worker.pipelines.values())
        topics = [topic.name for one in pipelines for topic in one.stage.topics(settings.app_id)]
        self._broker = BrokerMonitor(
            settings,
            "gridwatch-health",
            list(dict.fromkeys(topics)),
            [one.stage.source.name for one in pipelines],
        )
        self._view = BrokerView()
        #: One of each stage, in the worker's order.
        self.stages = [self._watch(one, named=one is not pipelines[0]) for one in pipelines]

    def _watch(self, pipeline: Pipeline[Any], *, named: bool) -> StageWatch[Any]:
        if pipeline.stage.name == METERS.stage:
            return ReadingsWatch(self._app, self._settings, pipeline, named=named)
        if pipeline.stage.table == REGIONS_TABLE:
            return RegionsWatch(self._app, pipeline, named=named)
        return StageWatch(self._app, pipeline, named=named)

    # -- readiness

    def application(self) -> Observed:
        """The state of the Faust application alone, without brokers, partitions and progress."""
        app = self._app
        assigned = any(stage.partitions() for stage in self.stages)
        recovering = bool(app.in_recovery) or (assigned and not app.tables.actives_ready)
        return Observed(
            WORKER,
            assigned=assigned,
            rebalancing=bool(app.rebalancing),
            recovering=recovering,
            stopping=bool(app.should_stop or app.crashed),
            recovery=progress_words(recovered(app)) if recovering else "",
        )

    def observe(self) -> Observed:
        """The state of everything now, with the brokers' last answer; records each partition's progress."""
        found, now = self.application(), self._clock()
        waiting_since = self._emitter.waiting_since
        return replace(
            found,
            brokers=self._view.problems,
            partitions=[
                one
                for stage in self.stages
                for one in stage.observe(now, self._view, state_ready=found.state_ready)
            ],
            ack_wait=0.0 if waiting_since is None else time.time() - waiting_since,
            ack_problem="" if waiting_since is None else self._emitter.last_error,
            stalled_after=self._settings.stalled_after.total_seconds(),
        )

    async def check(self) -> Observed:
        """Ask the brokers, then observe."""
        self._view = await self._broker.view()
        return self.observe()

    async def close(self) -> None:
        """Disconnect."""
        await self._broker.close()

    def ending(self) -> list[str]:
        """Why this worker is stopping; empty if it is not."""
        return Observed(WORKER, stopping=self.application().stopping).reasons()

    def warnings(self) -> list[str]:
        """Transactions that have been open for a while, and foreign rows in a changelog."""
        partitions = self.observe().partitions
        return [
            *(
                one.of_stage(held_reason(one.topic, one.number, one.held))
                for one in partitions
                if one.held is not None and one.held.seconds >= MENTIONED_AFTER
            ),
            *self._foreign_rows(),
        ]

    def _foreign_rows(self) -> list[str]:
        app_id = self._settings.app_id
        return [
            foreign_rows_reason(one.stage.changelog(app_id).name, one.foreign_rows)
            for one in self.stages
            if one.foreign_rows
        ]

    # -- numbers

    def samples(self, observed: Observed) -> Samples:
        """The value of every metric that does not depend on other workers."""
        samples = Samples(WORKER, self._settings.flow)
        samples.put("ready", not observed.reasons())
        samples.put("rebalancing", observed.rebalancing)
        samples.put("recovering", observed.recovering)
        samples.put("recovery_rows_remaining", sum(one.remaining for one in recovered(self._app)))
        samples.put("ack_wait_seconds", observed.ack_wait)
        samples.put("broker_problems", len(observed.brokers))
        samples.put("partitions", self._settings.partitions)
        samples.put("partitions_owned", len(self.stages[0].partitions()))
        for cause, count in self._app.rereads.counts.items():
            samples.put("reread_batches", count, cause)
        now = now_micros()
        for stage in self.stages:
            name, mine = stage.stage.name, stage.partitions()
            samples.put("foreign_changelog_rows", stage.foreign_rows, name)
            for one in observed.partitions:
                if one.topic == stage.stage.source.name and one.number in mine:
                    values = stage.values(one, now, state_ready=observed.state_ready)
                    for metric, value in values.items():
                        samples.put(metric, value, name, one.number)
                    for metric, value, labels in stage.labelled(one.number):
                        samples.put(metric, value, name, one.number, *labels)
        return samples
