"""`aggregates_1m` and `aggregates_15m`: what a meter used in one window of event time."""

from __future__ import annotations

from msgspec import Struct


class Aggregate(Struct, frozen=True):
    """One window [start, end) of one meter, as it stands at this revision. Energy kWh, power kW.

    `expected_readings` and `completeness` are null until the interval of the meter is known. Power, voltage,
    current and power factor are means over the readings that have them, power from the energy where no power
    came; null where none has one. `received_at` is the timestamp of the raw record that this revision comes
    from.
    """

    id: str
    meter_id: str
    window_start: str
    window_end: str
    revision: int
    region: str | None
    reading_count: int
    expected_readings: int | None
    completeness: float | None
    energy_kwh_sum: float
    power_kw_avg: float | None
    power_kw_min: float | None
    power_kw_max: float | None
    voltage_avg: float | None
    current_avg: float | None
    power_factor_avg: float | None
    partition: int
    received_at: str
