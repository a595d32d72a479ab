"""Anomalies of a period, to be written beside the readings of `dashboard_data`: of every kind and state."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, get_args

from gridwatch.models.anomaly import Anomaly, AnomalyKind

QUARTER = timedelta(minutes=15)
EVERY = timedelta(hours=3)
KINDS: tuple[AnomalyKind, ...] = get_args(AnomalyKind)
SEVERITIES = ("low", "medium", "high", "critical")
UNITS = {
    "VOLTAGE": ("V", 260.0, 230.0),
    "FREQUENCY": ("Hz", 51.0, 50.0),
    "LOW_POWER_FACTOR": (None, 0.5, 1.0),
}


def _written(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def anomaly(meter: str, kind: AnomalyKind, start: datetime, revision: int = 1, **more: Any) -> Anomaly:
    """An open one, but for what is given."""
    unit, value, baseline = UNITS.get(kind, ("kW", 9.0, 1.5))
    given: dict[str, Any] = {
        "state": "OPEN",
        "reason": None,
        "severity": "low",
        "confidence": "low",
        "ended_at": None,
        "value": value,
        "baseline": baseline,
        "deviation_percent": round(1000 * (value - baseline) / baseline) / 10,
        "region": None,
        "partition": 0,
    } | more
    return Anomaly(
        anomaly_id=f"{meter}@{_written(start)}/{kind}",
        meter_id=meter,
        kind=kind,
        revision=revision,
        window_start=_written(start),
        window_end=_written(start + QUARTER),
        detected_at=_written(start + QUARTER),
        unit=unit,  # type: ignore[arg-type]
        received_at=_written(start + QUARTER + revision * timedelta(minutes=1)),
        **given,
    )


def anomalies(places: dict[str, str | None], start: datetime, end: datetime) -> Iterator[Anomaly]:
    """One of each meter, given with its region, every three hours: an hour long, the last one open; kinds,
    severities and confidences in turn. Each 5th is taken back, each 4th has no baseline."""
    for of, (meter, region) in enumerate(places.items()):
        starts = []
        time = start
        while time < end:
            starts.append(time)
            time += EVERY
        for number, begun in enumerate(starts):
            known: dict[str, Any] = {} if number % 4 != 3 else {"baseline": None, "deviation_percent": None}
            given = known | {
                "region": region,
                "severity": SEVERITIES[number % 4],
                "confidence": "high" if (number + of) % 3 == 0 else "low",
            }
            kind = KINDS[number % len(KINDS)]
            yield anomaly(meter, kind, begun, **given)
            if begun == starts[-1]:
                continue
            if number % 5 == 4:
                ended: dict[str, Any] = {"state": "RETRACTED", "reason": "REVISED"}
            else:
                later = _written(begun + 4 * QUARTER)
                ended = {"state": "CLOSED", "reason": "RETURNED", "ended_at": later}
            yield anomaly(meter, kind, begun, revision=2, **given, **ended)
