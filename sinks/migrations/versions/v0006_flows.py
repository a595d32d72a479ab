"""Rows say which flow they are of; the summary of metrics counts each flow by itself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from sinks.migrations.versions.v0004_seconds import DECOMPRESS

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = (
    "validated_readings",
    "reading_revisions",
    "gap_alerts",
    "late_events",
    "metrics",
    "dead_letters",
)

METRICS_SUMMARY = """
CREATE VIEW metrics_summary_hourly AS
SELECT date_trunc('hour', "time", 'UTC') AS bucket,
       metric,
       avg(value) AS avg_value,
       min(value) AS min_value,
       max(value) AS max_value,
       sum(value) AS sum_value,
       count(*) AS samples,
       flow
FROM metrics
GROUP BY 1, 2, flow
"""

#: On TimescaleDB the summary is a continuous aggregate. `gridwatch db migrate` makes one of the new view
#: after the migrations, and its policy fills it.
DROP_SUMMARY = """
DO $$
BEGIN
    IF EXISTS (
        SELECT FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace
        WHERE relname = '{view}' AND nspname = current_schema() AND relkind = 'v'
    ) THEN
        IF EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
            IF EXISTS (
                SELECT FROM timescaledb_information.continuous_aggregates
                WHERE view_schema = current_schema() AND view_name = '{view}'
            ) THEN
                DROP MATERIALIZED VIEW {view};
                RETURN;
            END IF;
        END IF;
        DROP VIEW {view};
    END IF;
END
$$
"""


def upgrade() -> None:
    # A constant default: no row is written, in compressed chunks neither.
    for table in TABLES:
        flow = sa.Column("flow", sa.Text(collation="C"), nullable=False, server_default="smartmeter")
        op.add_column(table, flow)
    # TimescaleDB does not change the key of a table while compression is on.
    op.execute(DECOMPRESS.format(table="reading_revisions"))
    op.drop_constraint("reading_revisions_pkey", "reading_revisions")
    op.create_primary_key(
        "reading_revisions_pkey",
        "reading_revisions",
        ["meter_id", "time", "flow", "source_partition", "source_offset", "source_index"],
    )
    # What the dashboards ask of one flow is answered from an index alone, as it was of the only one.
    op.drop_index("metrics_values", "metrics")
    op.create_index(
        "metrics_values",
        "metrics",
        ["metric", sa.desc("time")],
        postgresql_include=["partition", "value", "window_end", "flow"],
    )
    op.drop_index("validated_readings_late", "validated_readings")
    op.create_index(
        "validated_readings_late",
        "validated_readings",
        ["time"],
        postgresql_include=["delay_seconds", "flow"],
        postgresql_where=sa.text("status = 'LATE'"),
    )
    op.execute(DROP_SUMMARY.format(view="metrics_summary_hourly"))
    op.execute(METRICS_SUMMARY)
