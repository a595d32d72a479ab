"""The sink's system metrics on the metrics topic, by wall clock, for each partition it reads."""

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
from gridwatch.topics import METRICS
from sinks.health import assignment
from sinks.pool import Pool


class Window:
    """A wall-clock window between two emissions, and the counts at its start."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._start = now_micros()
        self._rows: Counter[int] = Counter()
        self._commits = 0
        self._seconds = 0.0

    def close(self, partitions: set[int]) -> list[Metric]:
        """The metrics of the window that ends now, for each partition; the next one begins."""
        end = now_micros()
        state = self._pool.state
        commits = state.commits - self._commits
        seconds = state.commit_seconds_total - self._seconds
        rows = self._pool.rows_of_partition
        metrics = []
        for partition in sorted(partitions):
            written = rows[partition] - self._rows[partition]
            metrics.append(system_metric("sink_rows", partition, written, self._start, end))
            if commits:
                mean = seconds / commits
                metrics.append(system_metric("sink_commit_seconds", partition, mean, self._start, end))
        self._start = end
        self._rows = rows
        self._commits, self._seconds = state.commits, state.commit_seconds_total
        return metrics


def register(app: Any, emitter: Emitter, pool: Pool) -> None:
    """Register the timer that emits the metrics."""
    window = Window(pool)
    encode = msgspec.json.Encoder().encode

    @app.timer(EVERY_SECONDS, name="sink_metrics")  # type: ignore[untyped-decorator, unused-ignore]
    async def sink_metrics() -> None:
        """Emit rows written and transaction time."""
        if app.rebalancing or pool.state.waiting_since is not None:
            return
        assigned = {tp.partition for tp in assignment(app) if tp.topic == METRICS.name}
        for metric in window.close(assigned):
            row = (metric.id.encode(), encode(metric))
            if not await emitter.offer(METRICS.name, metric.partition, pack([row]), int(time.time() * 1000)):
                return
