"""`late_events`, from `smartmeter_late_events`: readings further behind the watermark than is allowed.

One row an id; an id is made from the origin, so a repetition is the same row.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Column, Double, Index, PrimaryKeyConstraint, Table, Text, desc
from sqlalchemy.dialects.postgresql import ARRAY

from gridwatch import topics
from gridwatch.models.late_event import LateEvent
from sinks.tables.columns import Values, flow, identifier, instant, origin, origin_values
from sinks.tables.copy_text import arrays, instants, numbers, texts
from sinks.tables.table import Compression, Summary, TopicTable, metadata

late_events = Table(
    "late_events",
    metadata,
    instant("time"),
    identifier("meter_id"),
    Column("consumption_kwh", Double, nullable=False),
    Column("delay_seconds", Double, nullable=False),
    Column("allowed_lateness_seconds", Double, nullable=False),
    Column("flags", ARRAY(Text), nullable=False),
    instant("watermark"),
    *origin(),
    identifier("id"),
    flow(),
    PrimaryKeyConstraint("id", "time"),
    Index("late_events_time", desc("time")),
    Index("late_events_meter", "meter_id", desc("time")),
)


def _values(records: Sequence[LateEvent]) -> Values:
    return {
        "time": instants([r.timestamp for r in records]),
        "meter_id": texts([r.meter_id for r in records]),
        "consumption_kwh": numbers([r.consumption_kwh for r in records]),
        "delay_seconds": numbers([r.delay_seconds for r in records]),
        "allowed_lateness_seconds": numbers([r.allowed_lateness_seconds for r in records]),
        "flags": arrays([r.flags for r in records]),
        "watermark": instants([r.watermark for r in records]),
        **origin_values(records),
        "id": texts([r.id for r in records]),
    }


LATE_EVENTS = TopicTable(
    sql=late_events,
    topic=topics.LATE_EVENTS,
    columns=_values,
    compression=Compression("meter_id", '"time" DESC, id'),
    summaries=(
        Summary(
            "late_events_summary_hourly",
            """
        SELECT time_bucket(INTERVAL '1 hour', "time") AS bucket, count(*) AS late_events,
               avg(delay_seconds) AS avg_delay_seconds, max(delay_seconds) AS max_delay_seconds,
               count(DISTINCT meter_id) AS meters
        FROM late_events GROUP BY 1""",
        ),
    ),
)
