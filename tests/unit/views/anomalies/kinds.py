"""Anomalies, as their topic has them."""

from __future__ import annotations

from typing import Any, cast

import msgspec

from gridwatch.domain.instants import format_instant, parse_instant
from gridwatch.domain.policy import MINUTE
from gridwatch.models.anomaly import Anomaly
from gridwatch.settings import Settings
from gridwatch.topics import ANOMALIES
from gridwatch.views.anomalies.log import AnomalyLog
from tests.unit.views.fakes import SETTINGS, Log
from tests.unit.views.regional.kinds import laid
from tests.unit.views.test_state import TEN

QUARTER = 15 * MINUTE


def anomaly(meter_id: str = "M1", quarter: int = 0, kind: str = "SPIKE", **changes: Any) -> Anomaly:
    """An open anomaly of the window so many quarters of an hour after ten o'clock."""
    start = TEN + quarter * QUARTER
    usual = Anomaly(
        anomaly_id=f"{meter_id}@{format_instant(start)}/{kind}",
        meter_id=meter_id,
        kind=cast(Any, kind),
        revision=1,
        state="OPEN",
        reason=None,
        severity="medium",
        confidence="high",
        window_start=format_instant(start),
        window_end=format_instant(start + QUARTER),
        detected_at=format_instant(start + QUARTER),
        ended_at=None,
        unit="kW",
        value=3.6,
        baseline=1.2,
        deviation_percent=200.0,
        region="R01",
        partition=0,
        received_at=format_instant(start + QUARTER),
    )
    return msgspec.structs.replace(usual, **changes)


def closed(one: Anomaly, quarters: int = 2, **changes: Any) -> Anomaly:
    """Its next revision, which ends it so many quarters of an hour after it was detected."""
    detected = one.detected_at
    ended: dict[str, Any] = {"state": "CLOSED", "reason": "RETURNED", "ended_at": later(detected, quarters)}
    return msgspec.structs.replace(one, revision=one.revision + 1, **(ended | changes))


def retracted(one: Anomaly) -> Anomaly:
    """Its next revision, which takes it back."""
    gone: dict[str, Any] = {"state": "RETRACTED", "reason": "REVISED", "ended_at": None}
    return msgspec.structs.replace(one, revision=one.revision + 1, **gone)


def later(instant: str, quarters: int) -> str:
    return format_instant(parse_instant(instant)[0] + quarters * QUARTER)


def log_of(*anomalies: Anomaly | bytes, topic: str = ANOMALIES.name) -> Log:
    """Their topic; what is no anomaly is in the partition of M1."""
    return Log(**{topic: laid(("M1" if isinstance(one, bytes) else one.meter_id, one) for one in anomalies)})


def anomaly_log(log: Log | None = None, settings: Settings = SETTINGS) -> AnomalyLog:
    return AnomalyLog(settings, cast(Any, log_of() if log is None else log))
