"""Which kind of anomaly each fault is, where a detector has a baseline to see it by: docs/anomalies.md."""

from __future__ import annotations

from gridwatch.models.anomaly import AnomalyKind

#: By the names of faults, and of the events of a simulation.
ANOMALIES: dict[str, AnomalyKind] = {
    "spike": "SPIKE",
    "surge": "SPIKE",
    "overload": "SPIKE",
    "drop": "DROP",
    "reverse-flow": "REVERSE_FLOW",
    "voltage": "VOLTAGE",
    "frequency": "FREQUENCY",
    "power-factor": "LOW_POWER_FACTOR",
    "frozen": "FLATLINE",
    "flat-line": "FLATLINE",
    "zero-run": "ZERO_RUN",
    "level-shift": "LEVEL_SHIFT",
}
