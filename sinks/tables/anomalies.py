"""`anomalies`, from the topic of this name: one row each, at its highest revision."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Column, Double, Index, Integer, PrimaryKeyConstraint, Table, Text, desc, text

from gridwatch import topics
from gridwatch.models.anomaly import Anomaly
from sinks.tables.columns import Values, flow, identifier, instant
from sinks.tables.copy_text import (
    instants,
    numbers,
    optional_instants,
    optional_numbers,
    optional_texts,
    texts,
)
from sinks.tables.table import Comparison, Compression, TopicTable, metadata

#: `time` is the start of its first window.
anomalies = Table(
    "anomalies",
    metadata,
    instant("time"),
    identifier("anomaly_id"),
    identifier("meter_id"),
    Column("kind", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("severity", Text, nullable=False),
    Column("confidence", Text, nullable=False),
    instant("window_start"),
    instant("window_end"),
    instant("detected_at"),
    instant("ended_at", optional=True),
    Column("unit", Text),
    Column("value", Double, nullable=False),
    Column("baseline", Double),
    Column("deviation_percent", Double),
    Column("region", Text),
    Column("source_partition", Integer, nullable=False),
    instant("received_at"),
    flow(),
    PrimaryKeyConstraint("anomaly_id", "time"),
    Index("anomalies_time", desc("time")),
    Index("anomalies_meter", "meter_id", desc("time")),
    Index("anomalies_open", "time", postgresql_where=text("state = 'OPEN'")),
)


def _values(records: Sequence[Anomaly]) -> Values:
    starts = instants([r.window_start for r in records])
    return {
        "time": starts,
        "anomaly_id": texts([r.anomaly_id for r in records]),
        "meter_id": texts([r.meter_id for r in records]),
        "kind": [r.kind for r in records],
        "revision": numbers([r.revision for r in records]),
        "state": [r.state for r in records],
        "reason": optional_texts([r.reason for r in records]),
        "severity": [r.severity for r in records],
        "confidence": [r.confidence for r in records],
        "window_start": starts,
        "window_end": instants([r.window_end for r in records]),
        "detected_at": instants([r.detected_at for r in records]),
        "ended_at": optional_instants([r.ended_at for r in records]),
        "unit": optional_texts([r.unit for r in records]),
        "value": numbers([r.value for r in records]),
        "baseline": optional_numbers([r.baseline for r in records]),
        "deviation_percent": optional_numbers([r.deviation_percent for r in records]),
        "region": optional_texts([r.region for r in records]),
        "source_partition": numbers([r.partition for r in records]),
        "received_at": instants([r.received_at for r in records]),
    }


ANOMALIES = TopicTable(
    sql=anomalies,
    topic=topics.ANOMALIES,
    comparison=Comparison(without=("received_at",)),
    columns=_values,
    ids=("anomaly_id",),
    newer=("revision",),
    compression=Compression("meter_id", '"time" DESC, anomaly_id'),
)
