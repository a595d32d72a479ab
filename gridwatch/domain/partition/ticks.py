"""Idle ticks: which instant a partition that has fallen silent is moved on to, and when.

Event time moves with readings. Where none come, no gap would ever be seen; so time itself is put in the
log. A tick is due when the partition is read to its end *and* has been empty for ``idle_timeout``. Event
time then advances at wall speed from where the last record left it, and never comes nearer to now than
``idle_delay``. A tick is a record too, so the next one follows after another ``idle_timeout``. Never after
a replayed record: a replay moves time by its own ticks.
"""

from __future__ import annotations

from gridwatch.domain.partition.state import PartitionState


def idle_instant(
    state: PartitionState, now: int, *, caught_up: bool, idle_timeout: int, idle_delay: int
) -> int | None:
    """The instant of the tick that a partition should get at wall time ``now``, or None. Times in µs."""
    if state.watermark is None or state.record_time is None or state.replayed or not caught_up:
        return None
    silent = now - state.record_time
    instant = min(state.watermark + silent, now - idle_delay)
    return instant if silent >= idle_timeout and instant > state.watermark else None
