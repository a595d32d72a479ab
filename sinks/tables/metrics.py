"""`metrics`, from `smartmeter_metrics`: one value per metric and window, at its highest revision."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Column, Double, Index, Integer, PrimaryKeyConstraint, Table, Text, desc
from sqlalchemy.dialects.postgresql import JSONB

from gridwatch import topics
from gridwatch.models.metric import Metric
from sinks.tables.columns import Values, flow, identifier, instant
from sinks.tables.copy_text import documents, instants, numbers, texts
from sinks.tables.table import Comparison, Compression, Summary, TopicTable, metadata

#: `time` is the start of the window.
metrics = Table(
    "metrics",
    metadata,
    instant("time"),
    instant("window_end"),
    identifier("metric"),
    Column("value", Double, nullable=False),
    Column("scope", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("labels", JSONB, nullable=False),
    identifier("id"),
    flow(),
    PrimaryKeyConstraint("id", "time"),
    # Covers the queries of plots: thousands of rows each, by index-only scans.
    Index(
        "metrics_values",
        "metric",
        desc("time"),
        postgresql_include=["partition", "value", "window_end", "flow"],
    ),
)


def _values(records: Sequence[Metric]) -> Values:
    return {
        "time": instants([r.window_start for r in records]),
        "window_end": instants([r.window_end for r in records]),
        "metric": texts([r.metric for r in records]),
        "value": numbers([r.value for r in records]),
        "scope": [r.scope for r in records],
        "partition": numbers([r.partition for r in records]),
        "revision": numbers([r.revision for r in records]),
        "labels": documents([r.labels for r in records]),
        "id": texts([r.id for r in records]),
    }


METRICS = TopicTable(
    sql=metrics,
    topic=topics.METRICS,
    columns=_values,
    newer=("revision",),
    compression=Compression("metric", '"time" DESC, id'),
    retention="metrics_retention",
    summaries=(
        Summary(
            "metrics_summary_hourly",
            """
        SELECT time_bucket(INTERVAL '1 hour', "time") AS bucket, metric, avg(value) AS avg_value,
               min(value) AS min_value, max(value) AS max_value, sum(value) AS sum_value, count(*) AS samples,
               flow
        FROM metrics GROUP BY 1, 2, flow""",
        ),
    ),
    # The others, of scope `system`, are measured by the wall clock.
    comparison=Comparison(where="scope = 'event'"),
)
