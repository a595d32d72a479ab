"""Ticks into partitions that have fallen silent, so that event time goes on there too.

The owner of a partition puts time itself in the log: a record with the header `gridwatch-tick`, whose value
is an instant that the watermark rises to. When one is due, and which instant it names, says
`domain/partition/ticks.py`. Because it is in the log, replaying the partition gives the same gaps.
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
from gridwatch.topics import RAW

#: How often silent partitions are looked at, seconds.
LOOK_SECONDS = 1.0


def register(app: Any, settings: Settings, pipeline: Pipeline[PartitionState], emitter: Emitter) -> None:
    """Declare the timer that looks at the partitions this worker owns."""
    idle_timeout = micros(settings.idle_timeout)
    idle_delay = micros(settings.idle_delay)

    @app.timer(LOOK_SECONDS, name="idle_ticks")  # type: ignore[untyped-decorator, unused-ignore]
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
                await emitter.offer_tick(RAW.name, owned.partition, format_instant(instant), now // 1000)
