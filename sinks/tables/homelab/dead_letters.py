"""`homelab_dead_letters`, from `homelab.dead_letters`: messages of the home that are no measurement.

One row an id. A message that the broker delivered twice is two rows.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, PrimaryKeyConstraint, Table, Text, desc
from sqlalchemy.dialects.postgresql import ARRAY

from gridwatch import topics
from gridwatch.models.homelab import HomelabDeadLetter
from sinks.tables.columns import Values, identifier, instant
from sinks.tables.copy_text import arrays, booleans, instants, numbers, optional_texts, texts
from sinks.tables.table import Comparison, Compression, TopicTable, metadata

homelab_dead_letters = Table(
    "homelab_dead_letters",
    metadata,
    instant("received_at"),
    identifier("id"),
    Column("reasons", ARRAY(Text), nullable=False),
    Column("message", Text, nullable=False),
    Column("field", Text),
    Column("raw", Text, nullable=False),
    Column("raw_encoding", Text, nullable=False),
    Column("raw_size", BigInteger, nullable=False),
    Column("raw_truncated", Boolean, nullable=False),
    Column("device_id", Text(collation="C")),
    identifier("mqtt_topic"),
    Column("qos", Integer, nullable=False),
    Column("retained", Boolean, nullable=False),
    Column("bridge", Text, nullable=False),
    PrimaryKeyConstraint("id", "received_at"),
    Index("homelab_dead_letters_time", desc("received_at")),
)


def _values(records: Sequence[HomelabDeadLetter]) -> Values:
    return {
        "received_at": instants([r.received_at for r in records]),
        "id": texts([r.id for r in records]),
        "reasons": arrays([r.reasons for r in records]),
        "message": texts([r.message for r in records]),
        "field": optional_texts([r.field for r in records]),
        "raw": texts([r.raw for r in records]),
        "raw_encoding": [r.raw_encoding for r in records],
        "raw_size": numbers([r.raw_size for r in records]),
        "raw_truncated": booleans([r.raw_truncated for r in records]),
        "device_id": optional_texts([r.device_id for r in records]),
        "mqtt_topic": texts([r.source.mqtt_topic for r in records]),
        "qos": numbers([r.source.qos for r in records]),
        "retained": booleans([r.source.retained for r in records]),
        "bridge": texts([r.source.bridge for r in records]),
    }


HOMELAB_DEAD_LETTERS = TopicTable(
    sql=homelab_dead_letters,
    topic=topics.HOMELAB_DEAD_LETTERS,
    columns=_values,
    time="received_at",
    compression=Compression("mqtt_topic", "received_at DESC, id"),
    compress_after="homelab_compress_after",
    retention="homelab_retention",
    comparison=Comparison(without=("id", "received_at")),
)
