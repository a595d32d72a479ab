"""`anomalies`: what a meter used that was out of the ordinary, with a beginning and an end."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

AnomalyKind = Literal[
    "SPIKE",
    "DROP",
    "REVERSE_FLOW",
    "VOLTAGE",
    "FREQUENCY",
    "LOW_POWER_FACTOR",
    "FLATLINE",
    "ZERO_RUN",
    "LEVEL_SHIFT",
]


class Anomaly(Struct, frozen=True):
    """One anomaly, as it stands at this revision; docs/anomalies.md defines it.

    `window_start` and `window_end` are of its first window, `detected_at` is the end of the one with which it
    began. `value` and `baseline` are in `unit` (kW, V, Hz; null: a power factor). `reason` says why it ended.
    `deviation_percent` is null without a baseline that it could be measured by.
    """

    anomaly_id: str
    meter_id: str
    kind: AnomalyKind
    revision: int
    state: Literal["OPEN", "CLOSED", "RETRACTED"]
    reason: Literal["RETURNED", "SILENT", "LEARNED", "REVISED"] | None
    severity: Literal["low", "medium", "high", "critical"]
    confidence: Literal["low", "high"]
    window_start: str
    window_end: str
    detected_at: str
    ended_at: str | None
    unit: Literal["kW", "V", "Hz"] | None
    value: float
    baseline: float | None
    deviation_percent: float | None
    region: str | None
    partition: int
    received_at: str
