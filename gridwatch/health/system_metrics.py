"""Builds records of the metrics topic for wall-clock metrics.

These are the only outputs that are not a function of the log (`scope` system).
"""

from __future__ import annotations

from gridwatch.domain.instants import format_instant
from gridwatch.health.metrics import SYSTEM_METRICS
from gridwatch.models.metric import Metric

#: How often services emit them, seconds.
EVERY_SECONDS = 10.0

_DECLARED = frozenset(one.name for one in SYSTEM_METRICS)


def system_metric(name: str, partition: int, value: float, start: int, end: int) -> Metric:
    """A partition's value in the window [start, end) of wall time, µs.

    LookupError for a name that `metrics.py` does not declare.
    """
    if name not in _DECLARED:
        raise LookupError(f"no system metric {name} is declared in gridwatch/health/metrics.py")
    window_start = format_instant(start)
    return Metric(
        id=f"{name}@{window_start}/{partition}",
        metric=name,
        value=float(value),
        window_start=window_start,
        window_end=format_instant(end),
        revision=1,
        scope="system",
        partition=partition,
        labels={},
    )
