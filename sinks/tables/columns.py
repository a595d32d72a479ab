"""Column types that several tables share, and their values as COPY text.

Identifiers have the collation "C": faster, and the same order on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Column, Integer, Text
from sqlalchemy.dialects.postgresql import TIMESTAMP

from gridwatch.models.late_event import LateEvent
from gridwatch.models.validated import Validated
from gridwatch.topics import DEFAULT_FLOW
from sinks.tables.copy_text import numbers

#: Name of a column → the COPY text of each row's value.
Values = dict[str, list[str]]


def instant(name: str, *, optional: bool = False) -> Column[Any]:
    """A point in time."""
    return Column(name, TIMESTAMP(timezone=True), nullable=optional)


def identifier(name: str) -> Column[Any]:
    """A name that rows are looked up by."""
    return Column(name, Text(collation="C"), nullable=False)


def flow() -> Column[Any]:
    """The flow of the topic that a row comes from; the sink fills it in (`TopicTable.copied`)."""
    return Column("flow", Text(collation="C"), nullable=False, server_default=DEFAULT_FLOW)


def origin() -> list[Column[Any]]:
    """The position on the raw topic that a row comes from."""
    return [
        Column("source_partition", Integer, nullable=False),
        Column("source_offset", BigInteger, nullable=False),
        Column("source_index", Integer, nullable=False),
    ]


def origin_values(records: Sequence[Validated] | Sequence[LateEvent]) -> Values:
    """The values of `origin`."""
    return {
        "source_partition": numbers([r.partition for r in records]),
        "source_offset": numbers([r.offset for r in records]),
        "source_index": numbers([r.index for r in records]),
    }
