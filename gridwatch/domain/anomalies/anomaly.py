"""The output: one revision of one anomaly."""

from __future__ import annotations

from typing import Final, NamedTuple

from gridwatch.domain.instants import instant_text
from gridwatch.domain.rounding import half_even

SPIKE: Final = "SPIKE"
DROP: Final = "DROP"
REVERSE_FLOW: Final = "REVERSE_FLOW"
VOLTAGE: Final = "VOLTAGE"
FREQUENCY: Final = "FREQUENCY"
LOW_POWER_FACTOR: Final = "LOW_POWER_FACTOR"
FLATLINE: Final = "FLATLINE"
ZERO_RUN: Final = "ZERO_RUN"
LEVEL_SHIFT: Final = "LEVEL_SHIFT"
KINDS: Final = (
    *(SPIKE, DROP, REVERSE_FLOW, VOLTAGE, FREQUENCY, LOW_POWER_FACTOR),
    *(FLATLINE, ZERO_RUN, LEVEL_SHIFT),
)
"""In the order in which they are looked at."""

OPEN: Final = "OPEN"
CLOSED: Final = "CLOSED"
RETRACTED: Final = "RETRACTED"
"""States."""

RETURNED: Final = "RETURNED"
SILENT: Final = "SILENT"
LEARNED: Final = "LEARNED"
REVISED: Final = "REVISED"
"""Reasons of its end."""

SEVERITIES: Final = ("low", "medium", "high", "critical")
CONFIDENCES: Final = ("low", "high")
LEAST_BASE: Final = 50_000
"""A baseline below this is not the measure of a deviation, mW."""
_TENTHS: Final = 1000
_ELECTRIC: Final = {VOLTAGE, FREQUENCY, LOW_POWER_FACTOR}


class Anomaly(NamedTuple):
    """One revision of an anomaly. Power mW, voltage mV, frequency mHz, power factor in millionths."""

    meter_id: str
    kind: str
    start: int
    length: int
    """The first window."""
    revision: int
    state: str
    reason: str | None
    severity: str
    confidence: str
    region: str | None
    detected: int
    """The end of the window with which it began."""
    ended: int | None
    value: int
    baseline: int | None
    partition: int
    received: int
    """Timestamp of the record of this revision."""

    @property
    def anomaly_id(self) -> str:
        return f"{self.meter_id}@{instant_text(self.start)}/{self.kind}"

    @property
    def deviation(self) -> int | None:
        """How far the value is from the baseline, in tenths of a percent; None if that says nothing."""
        base = self.baseline
        if base is None or (abs(base) < LEAST_BASE and self.kind not in _ELECTRIC):
            return None
        return half_even(_TENTHS * (self.value - base), abs(base))
