"""Queries of what the devices of a home measured: energy, heat pumps, temperatures.

Each row is the newest of its device and timestamp, as in its table.
"""

from __future__ import annotations

from gridwatch.cli.export.queries import Column, Query

_ENERGY = (
    *("total_energy_kwh", "exported_energy_kwh", "power_kw", "voltage", "current"),
    *("power_factor", "frequency"),
)
_HEATPUMP = (
    *("flow_temperature_c", "return_temperature_c", "outdoor_temperature_c"),
    *("power_kw", "total_energy_kwh", "heat_kwh", "cop"),
)
_TEMPERATURE = ("temperature_c", "humidity_percent", "battery_percent")


def _readings(table: str, *measurements: Column) -> Query:
    columns = (
        Column("device_id", "text"),
        Column("timestamp", "instant"),
        *measurements,
        Column("time_assigned", "truth"),
        Column("retained", "truth"),
        Column("mqtt_topic", "text"),
        Column("received_at", "instant"),
    )
    names = ", ".join(f'"{column.name}"' for column in columns)
    return Query(
        f"SELECT {names} FROM {table}"  # noqa: S608 - composed of constants
        ' WHERE "timestamp" >= CAST(:start AS timestamptz) AND "timestamp" < CAST(:end AS timestamptz)'
        ' AND device_id ~ :devices ORDER BY device_id, "timestamp"',
        columns,
        "{rows} measurements of {groups} devices; {time_assigned} of them have the time of their arrival",
        of="devices",
        tallies={"time_assigned": ("time_assigned", int)},
    )


def _numbers(names: tuple[str, ...]) -> tuple[Column, ...]:
    return tuple(Column(name, "number") for name in names)


ENERGY = _readings("energy_readings", *_numbers(_ENERGY))
HEATPUMP = _readings("heatpump_readings", *_numbers(_HEATPUMP), Column("state", "text"))
TEMPERATURE = _readings("temperature_readings", *_numbers(_TEMPERATURE))
