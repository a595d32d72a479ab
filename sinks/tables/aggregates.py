"""`aggregates_1m` and `aggregates_15m`, from the topics of these names: a meter's consumption by window.

One row a meter and window, at its highest revision. Revisions of two flows do not compare: where a meter
moved from one to the other within a window, the part that was received later stands.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Column, Double, Index, Integer, PrimaryKeyConstraint, Table, Text

from gridwatch import topics
from gridwatch.models.aggregate import Aggregate
from gridwatch.topics import Topic
from sinks.tables.columns import Values, flow, identifier, instant
from sinks.tables.copy_text import instants, numbers, optional_numbers, optional_texts, texts
from sinks.tables.table import LATER_RECEIVED, Comparison, Compression, TopicTable, metadata

_MEANS = ("power_kw_avg", "power_kw_min", "power_kw_max", "voltage_avg", "current_avg", "power_factor_avg")


def _table(name: str) -> Table:
    """`time` is the start of the window."""
    return Table(
        name,
        metadata,
        instant("time"),
        instant("window_end"),
        identifier("meter_id"),
        Column("revision", Integer, nullable=False),
        Column("region", Text),
        Column("reading_count", Integer, nullable=False),
        Column("expected_readings", Integer),
        Column("completeness", Double),
        Column("energy_kwh_sum", Double, nullable=False),
        *(Column(mean, Double) for mean in _MEANS),
        Column("source_partition", Integer, nullable=False),
        instant("received_at"),
        identifier("id"),
        flow(),
        PrimaryKeyConstraint("meter_id", "time"),
        # The tables are large, and rows arrive nearly in order of time: as for validated readings.
        Index(f"{name}_time", "time", postgresql_using="brin"),
    )


def _values(records: Sequence[Aggregate]) -> Values:
    return {
        "time": instants([r.window_start for r in records]),
        "window_end": instants([r.window_end for r in records]),
        "meter_id": texts([r.meter_id for r in records]),
        "revision": numbers([r.revision for r in records]),
        "region": optional_texts([r.region for r in records]),
        "reading_count": numbers([r.reading_count for r in records]),
        "expected_readings": optional_numbers([r.expected_readings for r in records]),
        "completeness": optional_numbers([r.completeness for r in records]),
        "energy_kwh_sum": numbers([r.energy_kwh_sum for r in records]),
        "power_kw_avg": optional_numbers([r.power_kw_avg for r in records]),
        "power_kw_min": optional_numbers([r.power_kw_min for r in records]),
        "power_kw_max": optional_numbers([r.power_kw_max for r in records]),
        "voltage_avg": optional_numbers([r.voltage_avg for r in records]),
        "current_avg": optional_numbers([r.current_avg for r in records]),
        "power_factor_avg": optional_numbers([r.power_factor_avg for r in records]),
        "source_partition": numbers([r.partition for r in records]),
        "received_at": instants([r.received_at for r in records]),
        "id": texts([r.id for r in records]),
    }


def _declared(table: Table, topic: Topic, chunk_interval: str) -> TopicTable:
    """A table with settings of its own for compression and retention, which begin with its name."""
    return TopicTable(
        sql=table,
        topic=topic,
        comparison=Comparison(without=("received_at",)),
        columns=_values,
        newer=("revision",),
        between_flows=LATER_RECEIVED,
        compression=Compression("meter_id", '"time" DESC'),
        chunk_interval=chunk_interval,
        compress_after=f"{table.name}_compress_after",
        retention=f"{table.name}_retention",
    )


aggregates_1m = _table("aggregates_1m")
aggregates_15m = _table("aggregates_15m")

AGGREGATES_1M = _declared(aggregates_1m, topics.AGGREGATES_1M, "aggregates_1m_chunk_interval")
AGGREGATES_15M = _declared(aggregates_15m, topics.AGGREGATES_15M, "chunk_interval")
