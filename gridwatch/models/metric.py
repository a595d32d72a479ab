"""`smartmeter_metrics`: one number for one window."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Metric(Struct, frozen=True):
    """A metric of one window: by event time (`scope` event) or by wall clock (`scope` system)."""

    id: str
    metric: str
    value: float
    window_start: str
    window_end: str
    revision: int
    scope: Literal["event", "system"]
    partition: int
    labels: dict[str, str]
