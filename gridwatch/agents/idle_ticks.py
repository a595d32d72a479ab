"""Ticks into partitions that have fallen silent, so that event time goes on there too.

Event time moves with readings. Where none come, no gap would ever be seen; so the owner of a partition
puts time itself in the log: a record with the header `gridwatch-tick`, whose value is an instant that
the watermark rises to. Because it is in the log, replaying the partition gives the same gaps.

A tick is sent when the partition is read to its end *and* has been empty for `idle_timeout`. Event time
then advances at wall speed from where the last record left it, and never comes nearer to now than
`idle_delay`. A tick is a record too, so the next one follows after another `idle_timeout`. Never after a
replayed record: a replay moves time by its own ticks.
"""

from __future__ import annotations

from typing import Any

from gridwatch.clock import now_micros
from gridwatch.domain.instants import format_instant
from gridwatch.domain.partition import PartitionState
from gridwatch.durations import micros
from gridwatch.settings import Settings
from gridwatch.streaming.batches import Wake
from gridwatch.streaming.emission import Emitter
from gridwatch.streaming.lanes import Lanes
from gridwatch.streaming.pipeline import Pipeline
from gridwatch.topics import RAW

#: How often silent partitions are looked at, seconds.
LOOK_SECONDS = 1.0


def idle_instant(
    state: PartitionState, now: int, *, caught_up: bool, idle_timeout: int, idle_delay: int
) -> int | None:
    """The instant of the tick that a partition should get at wall time `now`, or None. Times in µs."""
    if state.watermark is None or state.record_time is None or state.replayed or not caught_up:
        return None
    silent = now - state.record_time
    instant = min(state.watermark + silent, now - idle_delay)
    return instant if silent >= idle_timeout and instant > state.watermark else None


def register(app: Any, settings: Settings, pipeline: Pipeline, lanes: Lanes, emitter: Emitter) -> None:
    """Declare the timer that looks at the partitions this worker owns."""
    idle_timeout = micros(settings.idle_timeout)
    idle_delay = micros(settings.idle_delay)

    @app.timer(LOOK_SECONDS, name="idle_ticks")  # type: ignore[untyped-decorator, unused-ignore]
    async def idle_ticks() -> None:
        """Send ticks to silent partitions."""
        if app.rebalancing or app.in_recovery:
            return
        for partition in pipeline.not_taken_over():
            if lanes.is_idle((RAW.name, partition)):
                await lanes.put(Wake(RAW.name, partition))
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
