"""`dead_letters`, from `smartmeter_dead_letters`: records that could not be decoded or stored.

One row an id; an id is made from the origin, so a repetition is the same row.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    desc,
)
from sqlalchemy.dialects.postgresql import ARRAY

from gridwatch import topics
from gridwatch.models.dead_letter import DeadLetter
from sinks.tables.columns import Values, flow, identifier, instant
from sinks.tables.copy_text import arrays, booleans, instants, numbers, optional_texts, texts
from sinks.tables.table import Comparison, Compression, TopicTable, metadata

#: `time` is that of the Kafka record.
dead_letters = Table(
    "dead_letters",
    metadata,
    instant("time"),
    identifier("id"),
    Column("reasons", ARRAY(Text), nullable=False),
    Column("message", Text, nullable=False),
    Column("field", Text),
    Column("raw", Text, nullable=False),
    Column("raw_encoding", Text, nullable=False),
    Column("raw_size", BigInteger, nullable=False),
    Column("raw_truncated", Boolean, nullable=False),
    identifier("topic"),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("index", Integer, nullable=False),
    Column("meter_id", Text(collation="C")),
    flow(),
    PrimaryKeyConstraint("id", "time"),
    Index("dead_letters_time", desc("time")),
)

#: The part of a message that says how far a future timestamp is ahead of its record.
AHEAD = re.compile(r"(?<=is )\S+ s (?=after its record)")


def _values(records: Sequence[DeadLetter]) -> Values:
    records = [_storable(r) for r in records]
    return {
        "time": instants([r.record_timestamp for r in records]),
        "id": texts([r.id for r in records]),
        "reasons": arrays([r.reasons for r in records]),
        "message": texts([r.message for r in records]),
        "field": optional_texts([r.field for r in records]),
        "raw": texts([r.raw for r in records]),
        "raw_encoding": [r.raw_encoding for r in records],
        "raw_size": numbers([r.raw_size for r in records]),
        "raw_truncated": booleans([r.raw_truncated for r in records]),
        "topic": texts([r.topic for r in records]),
        "partition": numbers([r.partition for r in records]),
        "offset": numbers([r.offset for r in records]),
        "index": numbers([r.index for r in records]),
        "meter_id": optional_texts([r.meter_id for r in records]),
    }


def _storable(letter: DeadLetter) -> DeadLetter:
    """The same letter without NUL, which PostgreSQL's text cannot hold: raw as base64, the rest visible."""
    texts_of_it = (letter.raw, letter.message, letter.field or "", letter.meter_id or "")
    if not any("\0" in value for value in texts_of_it):
        return letter
    changes: dict[str, str] = {
        name: value.replace("\0", "\ufffd")
        for name in ("message", "field", "meter_id")
        if (value := getattr(letter, name)) is not None
    }
    if "\0" in letter.raw:
        changes |= {"raw": base64.b64encode(letter.raw.encode()).decode(), "raw_encoding": "base64"}
    return msgspec.structs.replace(letter, **changes)


DEAD_LETTERS = TopicTable(
    sql=dead_letters,
    topic=topics.DEAD_LETTERS,
    columns=_values,
    # An id names the topic that the letter is about.
    ids=(),
    compression=Compression("topic", '"time" DESC, id'),
    # The arrival time of a bad record is in the message too where its timestamp was in the future.
    comparison=Comparison(without=("time",), masked={"message": AHEAD}),
)
