"""`energy_readings`, from `homelab.energy`: meters, and plugs that measure."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Column, Double

from gridwatch import topics
from gridwatch.models.homelab import EnergyReading
from sinks.tables.columns import Values
from sinks.tables.copy_text import optional_numbers
from sinks.tables.homelab.readings import hourly, reading_table, spread, stored_readings, turned

energy_readings = reading_table(
    "energy_readings",
    Column("total_energy_kwh", Double),
    Column("exported_energy_kwh", Double),
    Column("power_kw", Double),
    Column("voltage", Double),
    Column("current", Double),
    Column("power_factor", Double),
    Column("frequency", Double),
)


def _measured(records: Sequence[EnergyReading]) -> Values:
    return {
        "total_energy_kwh": optional_numbers([r.total_energy_kwh for r in records]),
        "exported_energy_kwh": optional_numbers([r.exported_energy_kwh for r in records]),
        "power_kw": optional_numbers([r.power_kw for r in records]),
        "voltage": optional_numbers([r.voltage for r in records]),
        "current": optional_numbers([r.current for r in records]),
        "power_factor": optional_numbers([r.power_factor for r in records]),
        "frequency": optional_numbers([r.frequency for r in records]),
    }


ENERGY_READINGS = stored_readings(
    energy_readings,
    topics.HOMELAB_ENERGY,
    _measured,
    hourly(
        "energy_hourly",
        energy_readings.name,
        spread("power_kw"),
        turned("total_energy_kwh"),
        turned("exported_energy_kwh"),
        spread("voltage"),
    ),
)
