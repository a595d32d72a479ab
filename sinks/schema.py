"""The tables that the sink writes, once: names, columns, keys, indexes.

`time` is the event time, and part of every key, so that each table can be cut into chunks by time
where TimescaleDB is there. Identifiers compare by bytes (collation "C"): quicker, and the same order
on every machine. The migrations are the history of this page; a test holds the two against each other.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    desc,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP

metadata = MetaData()

#: Where Alembic keeps the revision that the schema stands at.
VERSION_TABLE = "gridwatch_schema_version"

#: The hourly summaries: ordinary views on PostgreSQL, continuous aggregates on TimescaleDB.
VIEWS = ("gap_summary_hourly", "late_events_summary_hourly", "metrics_summary_hourly")


def _instant(name: str) -> Column[Any]:
    return Column(name, TIMESTAMP(timezone=True), nullable=False)


def _name(name: str) -> Column[Any]:
    return Column(name, Text(collation="C"), nullable=False)


def _origin() -> list[Column[Any]]:
    """Where on the raw topic a row comes from."""
    return [
        Column("source_partition", Integer, nullable=False),
        Column("source_offset", BigInteger, nullable=False),
        Column("source_index", Integer, nullable=False),
    ]


def _reading_columns() -> list[Column[Any]]:
    columns: list[Column[Any]] = [
        _instant("time"),
        _name("meter_id"),
        Column("consumption_kwh", Double, nullable=False),
        Column("status", Text, nullable=False),
        Column("delay_seconds", Double, nullable=False),
        Column("flags", ARRAY(Text), nullable=False),
        Column("interval_minutes", Integer, nullable=False),
        Column("region", Text),
        *(Column(name, Double) for name in ("voltage", "current", "power_kw", "power_factor", "frequency")),
        *_origin(),
        _name("id"),
        _instant("watermark"),
        # As the meter wrote it: nothing is judged by it.
        Column("sent_at", Text),
    ]
    return columns


#: Marks columns that are not in the records, but worked out as rows meet.
WORKED_OUT = {"worked_out": True}

#: The reading that stands for a meter and an instant: of several values the last in log order. Where a
#: value was replaced, `first_…` keep the one that came first; those in between are in the revisions.
validated_readings = Table(
    "validated_readings",
    metadata,
    *_reading_columns(),
    Column("first_kwh", Double, info=WORKED_OUT),
    Column("first_offset", BigInteger, info=WORKED_OUT),
    Column("first_index", Integer, info=WORKED_OUT),
    PrimaryKeyConstraint("meter_id", "time"),
    # Rows come nearly in order of time: block ranges find a span of time at almost no cost of writing.
    Index("validated_readings_time", "time", postgresql_using="brin"),
    # How late the late ones were: few among many, and nothing else is wanted of them.
    Index(
        "validated_readings_late",
        "time",
        postgresql_include=["delay_seconds"],
        postgresql_where=text("status = 'LATE'"),
    ),
)

#: Every further value for a meter and an instant (flag REVISED), with its place in the log.
reading_revisions = Table(
    "reading_revisions",
    metadata,
    *_reading_columns(),
    PrimaryKeyConstraint("meter_id", "time", "source_partition", "source_offset", "source_index"),
    Index("reading_revisions_time", "time"),
)

#: Gaps, one row each, as their last revision has them; `time` is the first missing slot.
gap_alerts = Table(
    "gap_alerts",
    metadata,
    _instant("time"),
    _name("gap_id"),
    _name("meter_id"),
    Column("revision", Integer, nullable=False),
    Column("state", Text, nullable=False),
    _instant("missing_from"),
    _instant("missing_to"),
    Column("missing_intervals", Integer, nullable=False),
    Column("filled_intervals", Integer, nullable=False),
    Column("missing_ranges", JSONB, nullable=False),
    Column("gap_minutes", Double, nullable=False),
    Column("interval_minutes", Integer, nullable=False),
    _instant("expected_at"),
    _instant("detected_at"),
    _instant("last_seen"),
    Column("grace_seconds", Double, nullable=False),
    Column("reason", Text, nullable=False),
    Column("region", Text),
    Column("source_partition", Integer, nullable=False),
    Column("source_offset", BigInteger, nullable=False),
    PrimaryKeyConstraint("gap_id", "time"),
    Index("gap_alerts_time", desc("time")),
    Index("gap_alerts_meter", "meter_id", desc("time")),
    Index("gap_alerts_open", "time", postgresql_where=text("state = 'OPEN'")),
)

#: Readings further behind the watermark than the allowed lateness.
late_events = Table(
    "late_events",
    metadata,
    _instant("time"),
    _name("meter_id"),
    Column("consumption_kwh", Double, nullable=False),
    Column("delay_seconds", Double, nullable=False),
    Column("allowed_lateness_seconds", Double, nullable=False),
    Column("flags", ARRAY(Text), nullable=False),
    _instant("watermark"),
    *_origin(),
    _name("id"),
    PrimaryKeyConstraint("id", "time"),
    Index("late_events_time", desc("time")),
    Index("late_events_meter", "meter_id", desc("time")),
)

#: One number for one window, as its last revision has it; `time` is the start of the window.
metrics = Table(
    "metrics",
    metadata,
    _instant("time"),
    _instant("window_end"),
    _name("metric"),
    Column("value", Double, nullable=False),
    Column("scope", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("labels", JSONB, nullable=False),
    _name("id"),
    PrimaryKeyConstraint("id", "time"),
    # With all that plots ask for: thousands of rows a plot are read from the index alone.
    Index("metrics_values", "metric", desc("time"), postgresql_include=["partition", "value", "window_end"]),
)

#: What could not be read or stored; `time` is that of the Kafka record.
dead_letters = Table(
    "dead_letters",
    metadata,
    _instant("time"),
    _name("id"),
    Column("reasons", ARRAY(Text), nullable=False),
    Column("message", Text, nullable=False),
    Column("field", Text),
    Column("raw", Text, nullable=False),
    Column("raw_encoding", Text, nullable=False),
    Column("raw_size", BigInteger, nullable=False),
    Column("raw_truncated", Boolean, nullable=False),
    _name("topic"),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("index", Integer, nullable=False),
    Column("meter_id", Text(collation="C")),
    PrimaryKeyConstraint("id", "time"),
    Index("dead_letters_time", desc("time")),
)
