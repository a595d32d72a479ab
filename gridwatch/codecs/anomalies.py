"""Encodes anomalies as JSON messages."""

from __future__ import annotations

from typing import Final

from gridwatch.domain.anomalies.anomaly import FREQUENCY, LOW_POWER_FACTOR, VOLTAGE
from gridwatch.domain.anomalies.anomaly import Anomaly as Emitted
from gridwatch.domain.instants import instant_text
from gridwatch.models.anomaly import Anomaly

_UNITS: Final = {VOLTAGE: ("V", 1_000), FREQUENCY: ("Hz", 1_000), LOW_POWER_FACTOR: (None, 1_000_000)}
_POWER: Final = ("kW", 1_000_000)


def anomaly(output: Emitted) -> Anomaly:
    """The record of one revision of an anomaly."""
    unit, scale = _UNITS.get(output.kind, _POWER)
    baseline, deviation = output.baseline, output.deviation
    return Anomaly(
        anomaly_id=output.anomaly_id,
        meter_id=output.meter_id,
        kind=output.kind,  # type: ignore[arg-type]
        revision=output.revision,
        state=output.state,  # type: ignore[arg-type]
        reason=output.reason,  # type: ignore[arg-type]
        severity=output.severity,  # type: ignore[arg-type]
        confidence=output.confidence,  # type: ignore[arg-type]
        window_start=instant_text(output.start),
        window_end=instant_text(output.start + output.length),
        detected_at=instant_text(output.detected),
        ended_at=None if output.ended is None else instant_text(output.ended),
        unit=unit,  # type: ignore[arg-type]
        value=output.value / scale,
        baseline=None if baseline is None else baseline / scale,
        deviation_percent=None if deviation is None else deviation / 10,
        region=output.region,
        partition=output.partition,
        received_at=instant_text(output.received),
    )
