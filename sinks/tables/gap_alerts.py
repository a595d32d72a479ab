"""`gap_alerts`, from `smartmeter_gap_alerts`: gaps, one row each, at their highest revision."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    desc,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from gridwatch import topics
from gridwatch.models.gap_alert import GapAlert
from sinks.tables.columns import Values, flow, identifier, instant
from sinks.tables.copy_text import (
    documents,
    instants,
    numbers,
    optional_instants,
    optional_numbers,
    optional_texts,
    texts,
)
from sinks.tables.table import Comparison, Compression, Summary, TopicTable, metadata

#: `time` is the first missing slot.
gap_alerts = Table(
    "gap_alerts",
    metadata,
    instant("time"),
    identifier("gap_id"),
    identifier("meter_id"),
    Column("revision", Integer, nullable=False),
    Column("state", Text, nullable=False),
    instant("missing_from"),
    instant("missing_to"),
    Column("missing_intervals", Integer, nullable=False),
    Column("filled_intervals", Integer, nullable=False),
    Column("missing_ranges", JSONB, nullable=False),
    Column("gap_minutes", Double, nullable=False),
    Column("interval_minutes", Double, nullable=False),
    instant("expected_at"),
    instant("detected_at"),
    instant("last_seen"),
    Column("grace_seconds", Double, nullable=False),
    Column("reason", Text, nullable=False),
    Column("region", Text),
    Column("source_partition", Integer, nullable=False),
    Column("source_offset", BigInteger, nullable=False),
    Column("interval_seconds", Integer),
    instant("received_at", optional=True),
    # Of local days or months, such as `1d Europe/Berlin`.
    Column("calendar", Text),
    flow(),
    PrimaryKeyConstraint("gap_id", "time"),
    Index("gap_alerts_time", desc("time")),
    Index("gap_alerts_meter", "meter_id", desc("time")),
    Index("gap_alerts_open", "time", postgresql_where=text("state = 'OPEN'")),
)


def _values(records: Sequence[GapAlert]) -> Values:
    return {
        "time": instants([r.missing_from for r in records]),
        "gap_id": texts([r.gap_id for r in records]),
        "meter_id": texts([r.meter_id for r in records]),
        "revision": numbers([r.revision for r in records]),
        "state": [r.state for r in records],
        "missing_from": instants([r.missing_from for r in records]),
        "missing_to": instants([r.missing_to for r in records]),
        "missing_intervals": numbers([r.missing_intervals for r in records]),
        "filled_intervals": numbers([r.filled_intervals for r in records]),
        "missing_ranges": documents([r.missing_ranges for r in records]),
        "gap_minutes": numbers([r.gap_minutes for r in records]),
        "interval_minutes": numbers([r.interval_minutes for r in records]),
        "expected_at": instants([r.expected_at for r in records]),
        "detected_at": instants([r.detected_at for r in records]),
        "last_seen": instants([r.last_seen for r in records]),
        "grace_seconds": numbers([r.grace_seconds for r in records]),
        "reason": texts([r.reason for r in records]),
        "region": optional_texts([r.region for r in records]),
        "source_partition": numbers([r.partition for r in records]),
        "source_offset": numbers([r.offset for r in records]),
        "interval_seconds": optional_numbers([r.interval_seconds for r in records]),
        "received_at": optional_instants([r.received_at for r in records]),
        "calendar": optional_texts([r.calendar for r in records]),
    }


GAP_ALERTS = TopicTable(
    sql=gap_alerts,
    topic=topics.GAP_ALERTS,
    comparison=Comparison(without=("received_at",)),
    columns=_values,
    ids=("gap_id",),
    newer=("revision",),
    compression=Compression("meter_id", '"time" DESC, gap_id'),
    summaries=(
        Summary(
            "gap_summary_hourly",
            """
        SELECT time_bucket(INTERVAL '1 hour', "time") AS bucket, count(*) AS gaps,
               sum(missing_intervals)::bigint AS missing_intervals,
               count(*) FILTER (WHERE state = 'OPEN') AS open_gaps, count(DISTINCT meter_id) AS meters
        FROM gap_alerts WHERE state <> 'RETRACTED' GROUP BY 1""",
        ),
    ),
)
