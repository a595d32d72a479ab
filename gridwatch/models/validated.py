"""`smartmeter_validated`: a reading that was accepted."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Validated(Struct, omit_defaults=True, frozen=True):
    """One accepted reading. Times are RFC 3339 UTC, energy kWh, power kW."""

    id: str
    meter_id: str
    timestamp: str
    consumption_kwh: float
    interval_minutes: int
    status: Literal["OK", "LATE"]
    delay_seconds: float
    flags: list[str]
    watermark: str
    partition: int
    offset: int
    index: int
    region: str | None = None
    voltage: float | None = None
    current: float | None = None
    power_kw: float | None = None
    power_factor: float | None = None
    frequency: float | None = None
    sent_at: str | None = None
