"""The sink's system metrics on the metrics topic of each flow, by wall clock, for each partition it reads."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import msgspec

from gridwatch.clock import now_micros
from gridwatch.health.system_metrics import EVERY_SECONDS, system_metric
from gridwatch.kafka.emission import Emitter
from gridwatch.kafka.packing import pack
from gridwatch.models.metric import Metric
from gridwatch.settings import Settings
from gridwatch.topics import flow
from sinks.health import assignment
from sinks.pool import Pool


class Window:
    """A wall-clock window between two emissions, and the counts at its start."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._start = now_micros()
        self._rows: Counter[tuple[str, int]] = Counter()
        self._commits = 0
        self._seconds = 0.0

    def close(self, places: set[tuple[str, int]]) -> list[tuple[str, Metric]]:
        """The metrics of the window that ends now, for each flow and partition; the next one begins."""
        end = now_micros()
        state = self._pool.state
        commits = state.commits - self._commits
        seconds = state.commit_seconds_total - self._seconds
        rows = self._pool.rows_of_partition
        metrics = []
        for place in sorted(places):
            name, partition = place
            written = rows[place] - self._rows[place]
            metrics.append((name, system_metric("sink_rows", partition, written, self._start, end)))
            if commits:
                mean = seconds / commits
                commit = system_metric("sink_commit_seconds", partition, mean, self._start, end)
                metrics.append((name, commit))
        self._start = end
        self._rows = rows
        self._commits, self._seconds = state.commits, state.commit_seconds_total
        return metrics


def register(app: Any, settings: Settings, emitter: Emitter, pool: Pool) -> None:
    """Register the timer that emits the metrics."""
    window = Window(pool)
    encode = msgspec.json.Encoder().encode
    topics = {name: flow(name).metrics.name for name in settings.flows}
    flows = {topic: name for name, topic in topics.items()}

    @app.timer(EVERY_SECONDS, name="sink_metrics")  # type: ignore[untyped-decorator, unused-ignore]
    async def sink_metrics() -> None:
        """Emit rows written and transaction time."""
        if app.rebalancing or pool.state.waiting_since is not None:
            return
        places = {(flows[tp.topic], tp.partition) for tp in assignment(app) if tp.topic in flows}
        for name, metric in window.close(places):
            row = (metric.id.encode(), encode(metric))
            if not await emitter.offer(topics[name], metric.partition, pack([row]), int(time.time() * 1000)):
                return
