"""What a database table is to gridwatch: one declaration that everything else reads.

A table is fed by a topic (`TopicTable`), or its rows are picked out of those of another table on their way
into the database (`DerivedTable`). Both say their columns, how equal keys are merged, what TimescaleDB makes
of them, which setting says how long rows are kept, and what of them follows the wall clock.

Rows are staged in a temporary table first. DISTINCT ON settles equal keys within a batch, because one INSERT
must not meet a row twice; ON CONFLICT settles them against what the table has. So the contents of every table
are a function of the *set* of records, in whatever order, batches and repetitions they come.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import msgspec
from sqlalchemy import MetaData, Table

from gridwatch.topics import Topic
from sinks.tables.columns import Values

#: What all tables of the schema belong to. The migrations are its history; a test holds the two together.
metadata = MetaData()

#: Marks columns that are not in the records, but worked out as rows meet (`Column(..., info=WORKED_OUT)`).
WORKED_OUT = {"worked_out": True}


@dataclass(frozen=True)
class Compression:
    """Rows of one segment lie together, in this order; a key in the order is found without unpacking."""

    segment_by: str
    order_by: str


@dataclass(frozen=True)
class Summary:
    """An hourly view of a table; `query` is what its continuous aggregate asks on TimescaleDB.

    It is the same question as that of the plain view of its name (`sinks/migrations/`).
    """

    name: str
    query: str


@dataclass(frozen=True)
class Comparison:
    """What is equal after every run over one input; the rest of a table follows the wall clock."""

    #: SQL condition on the rows that are compared.
    where: str = "TRUE"
    #: Columns that are left out, of the key too.
    without: tuple[str, ...] = ()
    #: Column → the part of its text that is left out.
    masked: Mapping[str, re.Pattern[str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False)
class DatabaseTable(ABC):
    """Everything about one table. Settings are given by their names (`gridwatch/settings/`)."""

    #: Names, columns, key and indexes. `time` is part of the key, so that a table can be cut into chunks.
    sql: Table
    #: The column of event time: chunks and age go by it.
    time: str = "time"
    #: Columns that say which of two rows with one key is newer: the higher stands. Without them rows with one
    #: key are the same row.
    newer: tuple[str, ...] = ()
    #: Further assignments for a row that a newer one replaces.
    replaced: str = ""
    compression: Compression
    #: The hourly views of it, kept as long as its rows.
    summaries: tuple[Summary, ...] = ()
    #: The setting of the length of its chunks, of the age at which they are compressed, and of the age at
    #: which rows are removed.
    chunk_interval: str = "chunk_interval"
    compress_after: str = "compress_after"
    retention: str = "retention"
    comparison: Comparison = Comparison()

    @property
    def name(self) -> str:
        """The table's name in the database."""
        return self.sql.name

    @property
    def key(self) -> list[str]:
        """The columns of the primary key."""
        return [column.name for column in self.sql.primary_key.columns]

    @property
    @abstractmethod
    def stage(self) -> str:
        """The temporary table that its rows come from."""

    @property
    @abstractmethod
    def picked(self) -> str:
        """The WHERE clause that says which of the staged rows are its own; empty for all."""

    @cached_property
    def merge(self) -> str:
        """The statement that moves staged rows into the table: of rows with one key the newest stands."""
        names, key = staged_names(self.sql), ", ".join(f'"{name}"' for name in self.key)
        order = "".join(f', "{name}" DESC' for name in self.newer)
        statement = (  # every name in it is a constant of the schema
            f"INSERT INTO {self.name} ({names}) "  # noqa: S608
            f"SELECT DISTINCT ON ({key}) {names} FROM {self.stage} "
            f"{self.picked} ORDER BY {key}{order} ON CONFLICT ({key}) DO "
        )
        if not self.newer:
            # Not DO NOTHING: up to 2.19.0 TimescaleDB leaves out all rows after the first that it meets in a
            # compressed chunk, without a word.
            return statement + f'UPDATE SET "{self.key[0]}" = excluded."{self.key[0]}" WHERE FALSE'
        updates = ", ".join(
            f'"{name}" = excluded."{name}"' for name in staged_columns(self.sql) if name not in self.key
        )
        there = ", ".join(f'{self.name}."{name}"' for name in self.newer)
        incoming = ", ".join(f'excluded."{name}"' for name in self.newer)
        return statement + f"UPDATE SET {updates}{self.replaced} WHERE ({incoming}) > ({there})"


@dataclass(frozen=True, kw_only=True, eq=False)
class TopicTable(DatabaseTable):
    """A table whose rows are the records of a topic; the topic's model says how they are decoded."""

    topic: Topic
    #: The records' values by column, in the order of the table's columns, as COPY text.
    columns: Callable[[Sequence[Any]], Values]
    #: What is left to do when not every staged row went into the table: some had the same key as others.
    merge_repeated: str = ""

    @property
    def stage(self) -> str:
        return f"stage_{self.name}"

    @property
    def picked(self) -> str:
        return ""

    @cached_property
    def decode(self) -> Callable[[bytes], Any]:
        """A record's value as the topic's model; msgspec.MsgspecError when it is not one."""
        return msgspec.json.Decoder(self.topic.model).decode

    @property
    def create_stage(self) -> str:
        """Makes the temporary table; it lives as long as the connection and is empty after each commit."""
        return f"CREATE TEMPORARY TABLE {self.stage} (LIKE {self.name}) ON COMMIT DELETE ROWS"

    @property
    def copy(self) -> str:
        """Fills the temporary table."""
        return f"COPY {self.stage} ({staged_names(self.sql)}) FROM STDIN"


@dataclass(frozen=True, kw_only=True, eq=False)
class DerivedTable(DatabaseTable):
    """A table whose rows are some of those that are staged for another one, under a key of its own."""

    source: TopicTable
    #: SQL condition on the staged rows.
    where: str

    @property
    def stage(self) -> str:
        return self.source.stage

    @property
    def picked(self) -> str:
        return f"WHERE {self.where}"


def staged_columns(table: Table) -> list[str]:
    """The columns that come with the records."""
    return [column.name for column in table.columns if column.info != WORKED_OUT]


def staged_names(table: Table) -> str:
    """The same as SQL names them in a list."""
    return ", ".join(f'"{name}"' for name in staged_columns(table))
