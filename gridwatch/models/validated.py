"""`smartmeter_validated`: a reading that was accepted."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Validated(Struct, omit_defaults=True, frozen=True):
    """One accepted reading. Times are RFC 3339 UTC, energy kWh, power kW.

    `consumption_kwh` is the energy of the interval, as it came or as derived from a register or a power; with
    the flag GAP_ENERGY it counts from `energy_from`. `interval_minutes` is a fraction where the interval is
    no whole number of minutes. `received_at` is the timestamp of the raw record; it and `interval_seconds`
    are missing in older records. `calendar` is of an interval of local days or months, such as `1d
    Europe/Berlin`: `interval_seconds` is its nominal length then.
    """

    id: str
    meter_id: str
    timestamp: str
    consumption_kwh: float
    interval_minutes: float
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
    interval_seconds: int | None = None
    received_at: str | None = None
    energy_register_kwh: float | None = None
    energy_from: str | None = None
    calendar: str | None = None
