"""`regional_aggregates_15m`, from `regional_aggregates`: the load of a region by quarter of an hour.

One row a region and window, at its highest revision. The topic exists once for all flows.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Boolean, Column, Double, Index, Integer, PrimaryKeyConstraint, Table, Text, desc

from gridwatch import topics
from gridwatch.models.regional_aggregate import RegionalAggregate
from sinks.tables.columns import Values, identifier, instant
from sinks.tables.copy_text import booleans, instants, numbers, optional_numbers, texts
from sinks.tables.table import Comparison, Compression, TopicTable, metadata

#: `time` is the start of the window.
regional_aggregates_15m = Table(
    "regional_aggregates_15m",
    metadata,
    instant("time"),
    identifier("region"),
    instant("window_start"),
    instant("window_end"),
    Column("revision", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("quality", Text, nullable=False),
    Column("meters_active", Integer, nullable=False),
    Column("meters_reporting", Integer, nullable=False),
    Column("completeness", Double),
    Column("energy_kwh_sum", Double, nullable=False),
    Column("load_kw", Double),
    Column("power_kw_min", Double),
    Column("power_kw_max", Double),
    Column("capacity_kw", Double),
    Column("load_percentage", Double),
    Column("prorated", Boolean, nullable=False),
    Column("uncovered", Integer, nullable=False),
    identifier("id"),
    PrimaryKeyConstraint("region", "time"),
    Index("regional_aggregates_15m_time", desc("time")),
)


def _values(records: Sequence[RegionalAggregate]) -> Values:
    starts = instants([r.window_start for r in records])
    return {
        "time": starts,
        "region": texts([r.region for r in records]),
        "window_start": starts,
        "window_end": instants([r.window_end for r in records]),
        "revision": numbers([r.revision for r in records]),
        "state": [r.state for r in records],
        "complete": booleans([r.complete for r in records]),
        "quality": [r.quality for r in records],
        "meters_active": numbers([r.meters_active for r in records]),
        "meters_reporting": numbers([r.meters_reporting for r in records]),
        "completeness": optional_numbers([r.completeness for r in records]),
        "energy_kwh_sum": numbers([r.energy_kwh_sum for r in records]),
        "load_kw": optional_numbers([r.load_kw for r in records]),
        "power_kw_min": optional_numbers([r.power_kw_min for r in records]),
        "power_kw_max": optional_numbers([r.power_kw_max for r in records]),
        "capacity_kw": optional_numbers([r.capacity_kw for r in records]),
        "load_percentage": optional_numbers([r.load_percentage for r in records]),
        "prorated": booleans([r.prorated for r in records]),
        "uncovered": numbers([r.uncovered for r in records]),
        "id": texts([r.id for r in records]),
    }


REGIONAL_AGGREGATES_15M = TopicTable(
    sql=regional_aggregates_15m,
    topic=topics.REGIONAL_AGGREGATES,
    columns=_values,
    newer=("revision",),
    # How far a row that is not final has come depends on how far the sources ran ahead of each other.
    comparison=Comparison(where="state = 'FINAL'"),
    compression=Compression("region", '"time" DESC'),
    retention="regional_retention",
)
