"""`temperature_readings`, from `homelab.temperature`: thermometers."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Column, Double

from gridwatch import topics
from gridwatch.models.homelab import TemperatureReading
from sinks.tables.columns import Values
from sinks.tables.copy_text import optional_numbers
from sinks.tables.homelab.readings import hourly, reading_table, spread, stored_readings

temperature_readings = reading_table(
    "temperature_readings",
    Column("temperature_c", Double),
    Column("humidity_percent", Double),
    Column("battery_percent", Double),
)


def _measured(records: Sequence[TemperatureReading]) -> Values:
    return {
        "temperature_c": optional_numbers([r.temperature_c for r in records]),
        "humidity_percent": optional_numbers([r.humidity_percent for r in records]),
        "battery_percent": optional_numbers([r.battery_percent for r in records]),
    }


TEMPERATURE_READINGS = stored_readings(
    temperature_readings,
    topics.HOMELAB_TEMPERATURE,
    _measured,
    hourly(
        "temperature_hourly",
        temperature_readings.name,
        spread("temperature_c"),
        spread("humidity_percent"),
        "min(battery_percent) AS battery_percent_min",
    ),
)
