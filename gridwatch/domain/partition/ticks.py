"""Idle ticks: when a silent partition gets a tick, and of which instant.

Event time advances with readings. Where none come, no gap would ever be detected, so time itself is written
to the log. A tick is due when the partition is read to its end *and* has been idle for ``idle_timeout``.
Event time then advances at wall-clock speed from the last record, and stays ``idle_delay`` behind now. A tick
is a record too, so the next one follows after another ``idle_timeout``. Control records of the registry do
not count: they neither begin nor end the silence of a partition. After a replayed record none is sent: a
replay advances time by its own ticks.
"""

from __future__ import annotations

from gridwatch.domain.partition.state import PartitionState


def idle_instant(
    state: PartitionState, now: int, *, caught_up: bool, idle_timeout: int, idle_delay: int
) -> int | None:
    """The instant of the tick that a partition should get at wall time ``now``, or None. Times in µs."""
    moved_at = state.moved_at
    if state.watermark is None or moved_at is None or state.replayed or not caught_up:
        return None
    silent = now - moved_at
    instant = min(state.watermark + silent, now - idle_delay)
    return instant if silent >= idle_timeout and instant > state.watermark else None
