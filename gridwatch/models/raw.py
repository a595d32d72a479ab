"""A raw reading, decoded straight from JSON."""

from __future__ import annotations

from msgspec import Struct


class Raw(Struct, gc=False, omit_defaults=True):
    """One reading as its meter sent it, not validated yet. Energy kWh, power kW.

    It implements `gridwatch.domain.reading.RawReading`. It cannot be part of a reference cycle.
    """

    meter_id: str
    timestamp: str
    consumption_kwh: float
    interval_minutes: float | None = None
    region: str | None = None
    voltage: float | None = None
    current: float | None = None
    power_kw: float | None = None
    power_factor: float | None = None
    frequency: float | None = None
    sent_at: str | None = None
    interval_seconds: float | None = None
    flags: list[str] | None = None
