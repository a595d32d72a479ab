"""`heatpump_readings`, from `homelab.heatpump`: heat pumps, with what they use and what they give."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Column, Double, Text

from gridwatch import topics
from gridwatch.models.homelab import HeatpumpReading
from sinks.tables.columns import Values
from sinks.tables.copy_text import optional_numbers, optional_texts
from sinks.tables.homelab.readings import hourly, reading_table, spread, stored_readings, turned

heatpump_readings = reading_table(
    "heatpump_readings",
    Column("flow_temperature_c", Double),
    Column("return_temperature_c", Double),
    Column("outdoor_temperature_c", Double),
    Column("power_kw", Double),
    Column("total_energy_kwh", Double),
    Column("heat_kwh", Double),
    Column("cop", Double),
    Column("state", Text),
)


def _measured(records: Sequence[HeatpumpReading]) -> Values:
    return {
        "flow_temperature_c": optional_numbers([r.flow_temperature_c for r in records]),
        "return_temperature_c": optional_numbers([r.return_temperature_c for r in records]),
        "outdoor_temperature_c": optional_numbers([r.outdoor_temperature_c for r in records]),
        "power_kw": optional_numbers([r.power_kw for r in records]),
        "total_energy_kwh": optional_numbers([r.total_energy_kwh for r in records]),
        "heat_kwh": optional_numbers([r.heat_kwh for r in records]),
        "cop": optional_numbers([r.cop for r in records]),
        "state": optional_texts([r.state for r in records]),
    }


HEATPUMP_READINGS = stored_readings(
    heatpump_readings,
    topics.HOMELAB_HEATPUMP,
    _measured,
    hourly(
        "heatpump_hourly",
        heatpump_readings.name,
        spread("flow_temperature_c"),
        spread("return_temperature_c"),
        spread("outdoor_temperature_c"),
        spread("power_kw"),
        spread("cop"),
        turned("total_energy_kwh"),
        turned("heat_kwh"),
    ),
)
