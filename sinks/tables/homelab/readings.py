"""What the tables of measurements of a home have in common.

One row a device and timestamp. Of several records the newest by its offset stands: all records of a device
are in one partition, as its id is their key.

A message that the broker had kept says nothing about when it was measured, unless it has a time of its own.
Without one it is on the topic, marked, and not in the table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, PrimaryKeyConstraint, Table, Text, desc

from gridwatch.models.homelab import TIME_ASSIGNED, HomelabReading
from gridwatch.topics import Topic
from sinks.tables.columns import Values, identifier, instant
from sinks.tables.copy_text import booleans, instants, texts
from sinks.tables.table import Comparison, Compression, Summary, TopicTable, metadata

_BUCKET = """time_bucket(INTERVAL '1 hour', "timestamp") AS bucket"""


def reading_table(name: str, *measurements: Column[Any]) -> Table:
    """A table with a device's measurements between what they are of and where they come from.

    `timestamp` is when it was measured; with `time_assigned` when the bridge received it.
    """
    return Table(
        name,
        metadata,
        instant("timestamp"),
        identifier("device_id"),
        *measurements,
        Column("time_assigned", Boolean, nullable=False),
        Column("retained", Boolean, nullable=False),
        Column("mqtt_topic", Text, nullable=False),
        instant("received_at"),
        Column("source_partition", Integer, nullable=False),
        Column("source_offset", BigInteger, nullable=False),
        PrimaryKeyConstraint("device_id", "timestamp"),
        Index(f"{name}_time", desc("timestamp")),
    )


def stored_readings(
    table: Table,
    topic: Topic,
    measured: Callable[[Sequence[Any]], Values],
    summary: Summary,
) -> TopicTable:
    """The declaration of a table of `reading_table`; `measured` gives the values of its measurements."""

    def values(records: Sequence[HomelabReading]) -> Values:
        return {
            "timestamp": instants([r.timestamp for r in records]),
            "device_id": texts([r.device_id for r in records]),
            **measured(records),
            "time_assigned": booleans([TIME_ASSIGNED in r.flags for r in records]),
            "retained": booleans([r.source.retained for r in records]),
            "mqtt_topic": texts([r.source.mqtt_topic for r in records]),
            "received_at": instants([r.received_at for r in records]),
        }

    return TopicTable(
        sql=table,
        topic=topic,
        columns=values,
        positions=True,
        stores=has_a_time,
        time="timestamp",
        ids=(),
        newer=("source_offset", "source_partition"),
        compression=Compression("device_id", '"timestamp" DESC'),
        summaries=(summary,),
        compress_after="homelab_compress_after",
        retention="homelab_retention",
        # A message without a time may come more than once, each time with another one.
        comparison=Comparison(
            where="NOT time_assigned", without=("received_at", "source_partition", "source_offset")
        ),
    )


def has_a_time(reading: HomelabReading) -> bool:
    """Whether it is known when a reading was measured, by its message or by its arrival."""
    return not (reading.source.retained and TIME_ASSIGNED in reading.flags)


def hourly(name: str, table: str, *figures: str) -> Summary:
    """A summary by hour and device: how many readings, then further columns."""
    columns = ", ".join((_BUCKET, "device_id", "count(*) AS readings", *figures))
    return Summary(name, f"SELECT {columns} FROM {table} GROUP BY 1, device_id")  # noqa: S608  constants


def spread(column: str) -> str:
    """The mean of the readings of an hour, the lowest and the highest one."""
    return ", ".join(f"{figure}({column}) AS {column}_{figure}" for figure in ("avg", "min", "max"))


def turned(register: str) -> str:
    """Between which values a register turned in an hour: the first and the last one, the lowest and the
    highest one. They differ where it began again at zero."""
    ordered = f"FILTER (WHERE {register} IS NOT NULL))[1] AS {register}"
    return (
        f'(array_agg({register} ORDER BY "timestamp") {ordered}_first,'
        f' (array_agg({register} ORDER BY "timestamp" DESC) {ordered}_last,'
        f" min({register}) AS {register}_min, max({register}) AS {register}_max"
    )
