"""Rows in flight to the database, each with the Kafka record it comes from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sinks import tables
from sinks.tables import copy_text


class SourceRecord(Protocol):
    """What is needed of the Kafka record that a row comes from (`timestamp` in milliseconds)."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def value(self) -> bytes | None: ...


@dataclass(frozen=True, slots=True)
class Refused:
    """A record whose row the database refuses, and its error."""

    source: SourceRecord
    error: str


class Rows:
    """Rows of one topic: decoded records, their source records, and their COPY text."""

    __slots__ = ("_copy_text", "records", "sources", "topic")

    def __init__(self, topic: str, records: Sequence[Any], sources: Sequence[SourceRecord]) -> None:
        self.topic = topic
        self.records = records
        self.sources = sources
        self._copy_text: bytes | None = None

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, part: slice) -> Rows:
        return Rows(self.topic, self.records[part], self.sources[part])

    def where(self, condition: Callable[[Any], bool]) -> Rows:
        """The rows whose record meets a condition."""
        kept = [n for n, record in enumerate(self.records) if condition(record)]
        return Rows(self.topic, [self.records[n] for n in kept], [self.sources[n] for n in kept])

    def copy_text(self) -> bytes:
        """The rows as COPY text, encoded once. ValueError when a value is invalid for any database."""
        if self._copy_text is None:
            flow, table = tables.source_of(self.topic)
            self._copy_text = copy_text.rows(table.copied(self.records, flow, self.sources).values())
        return self._copy_text


def halve(batch: list[Rows]) -> tuple[list[Rows], list[Rows]]:
    """The batch in two, in order, with as many rows in each half (at least one)."""
    wanted = sum(map(len, batch)) // 2
    first: list[Rows] = []
    second: list[Rows] = []
    for rows in batch:
        if wanted >= len(rows):
            first.append(rows)
        elif wanted > 0:
            first.append(rows[:wanted])
            second.append(rows[wanted:])
        else:
            second.append(rows)
        wanted -= len(rows)
    return first, second
