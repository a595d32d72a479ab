"""Tables and hourly views, on any PostgreSQL from 14 on."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# A gap that was taken back never was one. One that filled up afterwards was: it counts, with no
# intervals missing any more.
GAP_SUMMARY = """
CREATE VIEW gap_summary_hourly AS
SELECT date_trunc('hour', "time", 'UTC') AS bucket,
       count(*) AS gaps,
       sum(missing_intervals)::bigint AS missing_intervals,
       count(*) FILTER (WHERE state = 'OPEN') AS open_gaps,
       count(DISTINCT meter_id) AS meters
FROM gap_alerts
WHERE state <> 'RETRACTED'
GROUP BY 1
"""

LATE_SUMMARY = """
CREATE VIEW late_events_summary_hourly AS
SELECT date_trunc('hour', "time", 'UTC') AS bucket,
       count(*) AS late_events,
       avg(delay_seconds) AS avg_delay_seconds,
       max(delay_seconds) AS max_delay_seconds,
       count(DISTINCT meter_id) AS meters
FROM late_events
GROUP BY 1
"""

METRICS_SUMMARY = """
CREATE VIEW metrics_summary_hourly AS
SELECT date_trunc('hour', "time", 'UTC') AS bucket,
       metric,
       avg(value) AS avg_value,
       min(value) AS min_value,
       max(value) AS max_value,
       sum(value) AS sum_value,
       count(*) AS samples
FROM metrics
GROUP BY 1, 2
"""


def _instant(name: str) -> sa.Column[Any]:
    return sa.Column(name, TIMESTAMP(timezone=True), nullable=False)


def _name(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(collation="C"), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _number(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Double, nullable=nullable)


def _integer(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer, nullable=False)


def _bigint(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _texts(name: str) -> sa.Column[Any]:
    return sa.Column(name, ARRAY(sa.Text), nullable=False)


def _reading_columns() -> list[sa.Column[Any]]:
    return [
        _instant("time"),
        _name("meter_id"),
        _number("consumption_kwh"),
        _text("status"),
        _number("delay_seconds"),
        _texts("flags"),
        _integer("interval_minutes"),
        _text("region", nullable=True),
        _number("voltage", nullable=True),
        _number("current", nullable=True),
        _number("power_kw", nullable=True),
        _number("power_factor", nullable=True),
        _number("frequency", nullable=True),
        _integer("source_partition"),
        _bigint("source_offset"),
        _integer("source_index"),
        _name("id"),
        _instant("watermark"),
        _text("sent_at", nullable=True),
    ]


def upgrade() -> None:
    op.create_table(
        "validated_readings",
        *_reading_columns(),
        _number("first_kwh", nullable=True),
        sa.Column("first_offset", sa.BigInteger),
        sa.Column("first_index", sa.Integer),
        sa.PrimaryKeyConstraint("meter_id", "time"),
    )
    op.create_index("validated_readings_time", "validated_readings", ["time"], postgresql_using="brin")

    op.create_table(
        "reading_revisions",
        *_reading_columns(),
        sa.PrimaryKeyConstraint("meter_id", "time", "source_partition", "source_offset", "source_index"),
    )
    op.create_index("reading_revisions_time", "reading_revisions", ["time"])

    op.create_table(
        "gap_alerts",
        _instant("time"),
        _name("gap_id"),
        _name("meter_id"),
        _integer("revision"),
        _text("state"),
        _instant("missing_from"),
        _instant("missing_to"),
        _integer("missing_intervals"),
        _integer("filled_intervals"),
        sa.Column("missing_ranges", JSONB, nullable=False),
        _number("gap_minutes"),
        _integer("interval_minutes"),
        _instant("expected_at"),
        _instant("detected_at"),
        _instant("last_seen"),
        _number("grace_seconds"),
        _text("reason"),
        _text("region", nullable=True),
        _integer("source_partition"),
        _bigint("source_offset"),
        sa.PrimaryKeyConstraint("gap_id", "time"),
    )
    op.create_index("gap_alerts_time", "gap_alerts", [sa.desc("time")])
    op.create_index("gap_alerts_meter", "gap_alerts", ["meter_id", sa.desc("time")])
    op.create_index("gap_alerts_open", "gap_alerts", ["time"], postgresql_where=sa.text("state = 'OPEN'"))

    op.create_table(
        "late_events",
        _instant("time"),
        _name("meter_id"),
        _number("consumption_kwh"),
        _number("delay_seconds"),
        _number("allowed_lateness_seconds"),
        _texts("flags"),
        _instant("watermark"),
        _integer("source_partition"),
        _bigint("source_offset"),
        _integer("source_index"),
        _name("id"),
        sa.PrimaryKeyConstraint("id", "time"),
    )
    op.create_index("late_events_time", "late_events", [sa.desc("time")])
    op.create_index("late_events_meter", "late_events", ["meter_id", sa.desc("time")])

    op.create_table(
        "metrics",
        _instant("time"),
        _instant("window_end"),
        _name("metric"),
        _number("value"),
        _text("scope"),
        _integer("partition"),
        _integer("revision"),
        sa.Column("labels", JSONB, nullable=False),
        _name("id"),
        sa.PrimaryKeyConstraint("id", "time"),
    )
    op.create_index("metrics_metric_time", "metrics", ["metric", sa.desc("time")])

    op.create_table(
        "dead_letters",
        _instant("time"),
        _name("id"),
        _texts("reasons"),
        _text("message"),
        _text("field", nullable=True),
        _text("raw"),
        _text("raw_encoding"),
        _bigint("raw_size"),
        sa.Column("raw_truncated", sa.Boolean, nullable=False),
        _name("topic"),
        _integer("partition"),
        _bigint("offset"),
        _integer("index"),
        _name("meter_id", nullable=True),
        sa.PrimaryKeyConstraint("id", "time"),
    )
    op.create_index("dead_letters_time", "dead_letters", [sa.desc("time")])

    for view in (GAP_SUMMARY, LATE_SUMMARY, METRICS_SUMMARY):
        op.execute(view)
