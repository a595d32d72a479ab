"""`incidents`, from the topic of this name: many meters that fell silent together.

One row an incident, at its highest revision. The topic exists once for all flows.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, Table, Text, desc, text
from sqlalchemy.dialects.postgresql import JSONB

from gridwatch import topics
from gridwatch.models.incident import Incident
from sinks.tables.columns import Values, identifier, instant
from sinks.tables.copy_text import documents, instants, numbers, optional_instants, optional_texts, texts
from sinks.tables.table import Compression, TopicTable, metadata

#: `time` is the minute in which it began.
incidents = Table(
    "incidents",
    metadata,
    instant("time"),
    identifier("id"),
    Column("kind", Text, nullable=False),
    identifier("region"),
    identifier("target"),
    Column("state", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    instant("started_at"),
    instant("updated_at"),
    instant("ended_at", optional=True),
    Column("meters_open", Integer, nullable=False),
    Column("meters_active", Integer, nullable=False),
    Column("meters_peak", Integer, nullable=False),
    Column("meters", JSONB, nullable=False),
    Column("parent_id", Text(collation="C")),
    PrimaryKeyConstraint("id", "time"),
    Index("incidents_time", desc("time")),
    Index("incidents_open", "time", postgresql_where=text("state = 'OPEN'")),
)


def _values(records: Sequence[Incident]) -> Values:
    starts = instants([r.started_at for r in records])
    return {
        "time": starts,
        "id": texts([r.id for r in records]),
        "kind": [r.kind for r in records],
        "region": texts([r.region for r in records]),
        "target": texts([r.target for r in records]),
        "state": [r.state for r in records],
        "revision": numbers([r.revision for r in records]),
        "started_at": starts,
        "updated_at": instants([r.updated_at for r in records]),
        "ended_at": optional_instants([r.ended_at for r in records]),
        "meters_open": numbers([r.meters_open for r in records]),
        "meters_active": numbers([r.meters_active for r in records]),
        "meters_peak": numbers([r.meters_peak for r in records]),
        "meters": documents([r.meters for r in records]),
        "parent_id": optional_texts([r.parent_id for r in records]),
    }


INCIDENTS = TopicTable(
    sql=incidents,
    topic=topics.INCIDENTS,
    columns=_values,
    newer=("revision",),
    compression=Compression("region", '"time" DESC, id'),
)
