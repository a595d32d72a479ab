"""A raw reading, decoded straight from JSON."""

from __future__ import annotations

import math

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
    energy_register_kwh: float | None = None
    flags: list[str] | None = None
    interval: None = None
    """Text in it, such as `1d`, is read the slow way: it fails here."""


class Telemetry(Struct, gc=False):
    """A reading that may have its energy in other fields: under other names, as a register, as power only."""

    meter_id: str
    timestamp: str
    consumption_kwh: float | None = None
    energy_kwh: float | None = None
    energy_register_kwh: float | None = None
    total_energy_kwh: float | None = None
    interval_minutes: float | None = None
    interval_seconds: float | None = None
    region: str | None = None
    voltage: float | None = None
    current: float | None = None
    power_kw: float | None = None
    power_factor: float | None = None
    frequency: float | None = None
    sent_at: str | None = None
    flags: list[str] | None = None
    interval: None = None

    def as_raw(self) -> Raw:
        """The same under the names of `Raw`; the other names are read where `consumption_kwh` is absent."""
        energy, register = self.consumption_kwh, self.energy_register_kwh
        if energy is None:
            energy = self.energy_kwh
            register = self.total_energy_kwh if register is None else register
        return Raw(
            self.meter_id,
            self.timestamp,
            math.nan if energy is None else energy,
            self.interval_minutes,
            self.region,
            self.voltage,
            self.current,
            self.power_kw,
            self.power_factor,
            self.frequency,
            self.sent_at,
            self.interval_seconds,
            register,
            self.flags,
        )
