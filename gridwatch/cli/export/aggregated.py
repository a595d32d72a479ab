"""Queries of what follows from the readings: windows of consumption, the load of the regions, incidents,
anomalies.

Each row is at its highest revision, as in its table. The region of a meter that has none is "" to patterns.
"""

from __future__ import annotations

from gridwatch.cli.export.queries import Column, Query

_IN_TIME = "time >= CAST(:start AS timestamptz) AND time < CAST(:end AS timestamptz)"
_IN_REGIONS = "coalesce(region, '') ~ :regions"
_OF_METERS = (
    f"{_IN_TIME} AND {_IN_REGIONS} AND meter_id ~ :meters AND (CAST(:flow AS text) IS NULL OR flow = :flow)"
)

_WINDOW_COLUMNS = (
    Column("meter_id", "text"),
    Column("window_start", "instant"),
    Column("window_end", "instant"),
    Column("revision", "whole"),
    Column("region", "text"),
    Column("reading_count", "whole"),
    Column("expected_readings", "whole"),
    Column("completeness", "number"),
    Column("energy_kwh_sum", "number"),
    Column("power_kw_avg", "number"),
    Column("power_kw_min", "number"),
    Column("power_kw_max", "number"),
    Column("voltage_avg", "number"),
    Column("current_avg", "number"),
    Column("power_factor_avg", "number"),
    Column("received_at", "instant"),
    Column("flow", "text"),
)
_REGION_COLUMNS = (
    Column("region", "text"),
    Column("window_start", "instant"),
    Column("window_end", "instant"),
    Column("revision", "whole"),
    Column("state", "text"),
    Column("complete", "truth"),
    Column("quality", "text"),
    Column("meters_active", "whole"),
    Column("meters_reporting", "whole"),
    Column("completeness", "number"),
    Column("energy_kwh_sum", "number"),
    Column("load_kw", "number"),
    Column("power_kw_min", "number"),
    Column("power_kw_max", "number"),
    Column("capacity_kw", "number"),
    Column("load_percentage", "number"),
    Column("prorated", "truth"),
    Column("uncovered", "whole"),
)
_INCIDENT_COLUMNS = (
    Column("region", "text"),
    Column("id", "text"),
    Column("kind", "text"),
    Column("target", "text"),
    Column("state", "text"),
    Column("revision", "whole"),
    Column("started_at", "instant"),
    Column("updated_at", "instant"),
    Column("ended_at", "instant"),
    Column("meters_open", "whole"),
    Column("meters_active", "whole"),
    Column("meters_peak", "whole"),
    Column("meters", "names"),
    Column("parent_id", "text"),
)
_ANOMALY_COLUMNS = (
    Column("meter_id", "text"),
    Column("anomaly_id", "text"),
    Column("kind", "text"),
    Column("state", "text"),
    Column("reason", "text"),
    Column("revision", "whole"),
    Column("severity", "text"),
    Column("confidence", "text"),
    Column("window_start", "instant"),
    Column("window_end", "instant"),
    Column("detected_at", "instant"),
    Column("ended_at", "instant"),
    Column("unit", "text"),
    Column("value", "number"),
    Column("baseline", "number"),
    Column("deviation_percent", "number"),
    Column("region", "text"),
    Column("received_at", "instant"),
    Column("flow", "text"),
)


def _select(columns: tuple[Column, ...], table: str, where: str, order: str) -> str:
    # The start of a window of one meter is the time of its row.
    names = ", ".join(
        "time AS window_start" if column.name == "window_start" else column.name for column in columns
    )
    return f"SELECT {names} FROM {table} WHERE {where} ORDER BY {order}"  # noqa: S608 - composed of constants


def _windows(table: str) -> Query:
    return Query(
        _select(_WINDOW_COLUMNS, table, _OF_METERS, "meter_id, time"),
        _WINDOW_COLUMNS,
        "{rows} windows of {groups} meters, {energy} kWh; {incomplete} of them lack readings",
        energy="energy_kwh_sum",
        tallies={"incomplete": ("completeness", lambda share: share is not None and share < 1)},
    )


#: By the length of the windows.
WINDOWS = {"1m": _windows("aggregates_1m"), "15m": _windows("aggregates_15m")}
REGIONS = Query(
    _select(_REGION_COLUMNS, "regional_aggregates_15m", f"{_IN_TIME} AND {_IN_REGIONS}", "region, time"),
    _REGION_COLUMNS,
    "{rows} windows of {groups} regions, {energy} kWh; {insufficient} of them have no load",
    of="regions",
    energy="energy_kwh_sum",
    tallies={"insufficient": ("quality", lambda quality: quality == "INSUFFICIENT")},
)
INCIDENTS = Query(
    _select(_INCIDENT_COLUMNS, "incidents", f"{_IN_TIME} AND {_IN_REGIONS}", "region, time, id"),
    _INCIDENT_COLUMNS,
    "{rows} incidents of {groups} regions; {open} of them are open",
    of="regions",
    tallies={"open": ("state", lambda state: state == "OPEN")},
)
ANOMALIES = Query(
    _select(_ANOMALY_COLUMNS, "anomalies", _OF_METERS, "meter_id, time, anomaly_id"),
    _ANOMALY_COLUMNS,
    "{rows} anomalies of {groups} meters; {open} of them are open, {retracted} were taken back",
    tallies={
        "open": ("state", lambda state: state == "OPEN"),
        "retracted": ("state", lambda state: state == "RETRACTED"),
    },
)
