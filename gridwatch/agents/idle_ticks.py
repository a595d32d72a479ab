"""Sends ticks to silent partitions, so that event time advances there too.

The owner of a partition writes time itself to the log: a record with the header `gridwatch-tick`, whose value
is an instant that the watermark rises to. `domain/partition/ticks.py` decides when one is due, and its
instant. Since ticks are in the log, reading the partition again gives the same gaps.
"""

from __future__ import annotations

from typing import Any

from gridwatch.clock import now_micros
from gridwatch.domain.instants import format_instant
from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.partition.ticks import idle_instant
from gridwatch.durations import micros
from gridwatch.kafka.emission import Emitter
from gridwatch.settings import Settings
from gridwatch.streaming.stage.pipeline import Pipeline

#: How often silent partitions are checked, seconds.
CHECK_SECONDS = 1.0


def register(app: Any, settings: Settings, pipeline: Pipeline[PartitionState], emitter: Emitter) -> None:
    """Declare the timer that checks the partitions of this worker."""
    idle_timeout = micros(settings.idle_timeout)
    idle_delay = micros(settings.idle_delay)
    raw = pipeline.stage.source.name

    @app.timer(CHECK_SECONDS, name="idle_ticks")  # type: ignore[untyped-decorator, unused-ignore]
    async def idle_ticks() -> None:
        """Send ticks to silent partitions."""
        if app.rebalancing or app.in_recovery:
            return
        now = now_micros()
        for owned in list(pipeline.owned.values()):
            instant = idle_instant(
                owned.state,
                now,
                caught_up=pipeline.lag(owned.partition) == 0,
                idle_timeout=idle_timeout,
                idle_delay=idle_delay,
            )
            if instant is not None and not owned.lost:
                await emitter.offer_tick(raw, owned.partition, format_instant(instant), now // 1000)
