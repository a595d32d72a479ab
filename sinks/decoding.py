"""Decodes Kafka records of one partition into rows, and into dead letters where they are foreign.

A record that is neither is one that its table does not store (`TopicTable.stores`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import msgspec

from gridwatch.models.dead_letter import DeadLetter
from sinks import tables
from sinks.refusals import unreadable
from sinks.rows import Rows, SourceRecord


def decode_records(topic: str, records: Sequence[SourceRecord]) -> tuple[Rows, list[DeadLetter]]:
    """Decode the records of one topic and encode their rows; dead letters for those that are foreign."""
    table = tables.of_topic(topic)
    decode = table.decode
    letters: list[DeadLetter] = []
    try:
        decoded = [decode(record.value or b"") for record in records]
        rows = Rows(topic, decoded, records)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        rows, letters = _one_by_one(topic, records)
    if table.stores is not None:
        rows = rows.where(table.stores)
    # A value that no row can hold fails again in the writer, which finds the row.
    with contextlib.suppress(ValueError):
        rows.copy_text()
    return rows, letters


def _one_by_one(topic: str, records: Sequence[SourceRecord]) -> tuple[Rows, list[DeadLetter]]:
    decode = tables.of_topic(topic).decode
    decoded = []
    sources = []
    letters = []
    for record in records:
        try:
            decoded.append(decode(record.value or b""))
            sources.append(record)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            letters.append(unreadable(record, error))
    return Rows(topic, decoded, sources), letters
