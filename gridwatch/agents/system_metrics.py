"""Emits system metrics by wall clock: lag, cost and size of each owned partition.

Prometheus scrapes the same numbers from `/metrics/`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from gridwatch.clock import now_micros
from gridwatch.domain.partition.state import PartitionState
from gridwatch.health.readings import measure
from gridwatch.health.system_metrics import EVERY_SECONDS, system_metric
from gridwatch.kafka.emission import Emitter
from gridwatch.kafka.packing import Row, pack
from gridwatch.settings import Settings
from gridwatch.streaming.stage.pipeline import Pipeline
from gridwatch.topics import flow


def register(app: Any, settings: Settings, pipeline: Pipeline[PartitionState], emitter: Emitter) -> None:
    """Declare the timer that emits the system metrics."""
    started = now_micros()
    topic = flow(settings.flow).metrics.name
    encode = msgspec.json.Encoder().encode

    @app.timer(EVERY_SECONDS, name="system_metrics")  # type: ignore[untyped-decorator, unused-ignore]
    async def system_metrics() -> None:
        """Emit lag, cost and size of each owned partition."""
        nonlocal started
        if app.rebalancing or app.in_recovery:
            return
        window_start, window_end = started, now_micros()
        started = window_end
        for owned in list(pipeline.owned.values()):
            rows: list[Row] = []
            for name, value in measure(pipeline, owned, window_end).items():
                metric = system_metric(name, owned.partition, value, window_start, window_end)
                rows.append((metric.id.encode(), encode(metric)))
            if not await emitter.offer(topic, owned.partition, pack(rows), window_end // 1000):
                return
