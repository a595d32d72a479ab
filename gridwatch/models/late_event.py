"""`smartmeter_late_events`: a reading further behind the watermark than the allowed lateness."""

from __future__ import annotations

from msgspec import Struct


class LateEvent(Struct, omit_defaults=True, frozen=True):
    """One reading that was too late; `delay_seconds` is watermark − timestamp."""

    id: str
    meter_id: str
    timestamp: str
    consumption_kwh: float
    delay_seconds: float
    watermark: str
    allowed_lateness_seconds: float
    flags: list[str]
    partition: int
    offset: int
    index: int
