"""The declaration of a database table, which everything else reads.

A table is fed by a topic (`TopicTable`), or selects some of the rows staged for another table
(`DerivedTable`). Both declare their columns, how equal keys are merged, their compression on TimescaleDB, the
settings of their retention, and which columns depend on the wall clock.

A table has the rows of every flow, each with its flow's name, and is fed by that topic of each flow. Ids of
other flows than the default one begin with `<flow>/`, so that no two flows share a key. Flows are merged one
by one: positions in a log are compared inside one flow only.

Rows are copied into a temporary staging table first. DISTINCT ON merges equal keys within a batch, because
one INSERT must not affect a row twice; ON CONFLICT merges them with the table's rows. So the contents of
every table are a function of the *set* of records, whatever their order, batches and repetitions.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import msgspec
from sqlalchemy import MetaData, Table

from gridwatch.topics import SMARTMETER, Flow, Topic
from sinks.tables.columns import Values
from sinks.tables.copy_text import numbers

#: The metadata of all tables. The migrations are its history; a test compares the two.
metadata = MetaData()

#: The condition on the staged rows that all statements of a merge have: those of one flow.
OF_FLOW = "flow = %(flow)s"

#: The condition on a staged row to replace one of another flow (`between_flows`): that it was received later,
#: at the same time that its flow has the later name.
LATER_RECEIVED = (
    "(coalesce(excluded.received_at, '-infinity'), excluded.flow)"
    " > (coalesce({there}.received_at, '-infinity'), {there}.flow)"
)

#: Marks columns that are not in the records, but computed in the merge (`Column(..., info=COMPUTED)`).
COMPUTED = {"computed": True}


class Position(Protocol):
    """Where a record is on its topic."""

    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...


@dataclass(frozen=True)
class Compression:
    """Rows of one segment are stored together, in this order; a key in it is found without decompression."""

    segment_by: str
    order_by: str


@dataclass(frozen=True)
class Summary:
    """An hourly view of a table; `query` is that of its continuous aggregate on TimescaleDB.

    The plain view of its name has the same query (`sinks/migrations/`).
    """

    name: str
    query: str


@dataclass(frozen=True)
class Comparison:
    """What is equal after every run over one input; the rest of a table depends on the wall clock."""

    #: SQL condition on the rows that are compared.
    where: str = "TRUE"
    #: Columns that are left out, of the key too.
    without: tuple[str, ...] = ()
    #: Column → the part of its text that is left out.
    masked: Mapping[str, re.Pattern[str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False)
class DatabaseTable(ABC):
    """Everything about one table. Settings are given by their names (`gridwatch/settings/`)."""

    #: Names, columns, key and indexes.
    sql: Table
    #: The column of event time, by which chunks and retention go; a part of the key, as hypertables require.
    time: str = "time"
    #: Columns that order rows with one key: the highest wins. Without them rows with one key are identical.
    newer: tuple[str, ...] = ()
    #: The condition to replace a row of another flow with the same key; `{there}` stands for that row.
    between_flows: str = ""
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
    def staging_table(self) -> str:
        """The name of the staging table that its rows come from."""

    @property
    @abstractmethod
    def row_filter(self) -> str:
        """The condition that selects its rows among the staged ones; empty for all."""

    @cached_property
    def merge(self) -> str:
        """The statement that merges staged rows into the table, those of the parameter `flow`. Of rows with
        one key the newest wins."""
        names, key = staged_names(self.sql), ", ".join(f'"{name}"' for name in self.key)
        order = "".join(f', "{name}" DESC' for name in self.newer)
        rows = " AND ".join(filter(None, (OF_FLOW if self.of_flows else "", self.row_filter))) or "TRUE"
        statement = (  # every name in it is a constant of the schema
            f"INSERT INTO {self.name} ({names}) "  # noqa: S608
            f"SELECT DISTINCT ON ({key}) {names} FROM {self.staging_table} "
            f"WHERE {rows} ORDER BY {key}{order} ON CONFLICT ({key}) DO "
        )
        if not self.newer:
            # Not DO NOTHING: up to 2.19.0 TimescaleDB silently drops all rows after the first that conflicts
            # in a compressed chunk.
            return statement + f'UPDATE SET "{self.key[0]}" = excluded."{self.key[0]}" WHERE FALSE'
        updates = ", ".join(
            f'"{name}" = excluded."{name}"' for name in staged_columns(self.sql) if name not in self.key
        )
        return statement + f"UPDATE SET {updates}{self.replaced} WHERE {self.is_newer(self.name)}"

    @property
    def of_flows(self) -> bool:
        """Whether it has the rows of every flow; else those of a topic that there is once."""
        return "flow" in self.sql.columns

    def is_newer(self, there: str) -> str:
        """The condition on a staged row (`excluded`) to replace the row `there` with the same key."""
        found = ", ".join(f'{there}."{name}"' for name in self.newer)
        incoming = ", ".join(f'excluded."{name}"' for name in self.newer)
        newer = f"({incoming}) > ({found})"
        if not self.between_flows:
            return newer
        between = self.between_flows.format(there=there)
        return f"CASE WHEN excluded.flow = {there}.flow THEN {newer} ELSE {between} END"


@dataclass(frozen=True, kw_only=True, eq=False)
class TopicTable(DatabaseTable):
    """A table whose rows are the records of a topic; the topic's model decodes them."""

    topic: Topic
    #: The records' values by column, as COPY text, but for those at the end of a row: position and `flow`.
    columns: Callable[[Sequence[Any]], Values]
    #: Whether rows have the position of their record on its topic, as `source_partition` and `source_offset`.
    positions: bool = False
    #: Whether a record is a row; None: every one is. What is not is skipped and counted.
    stores: Callable[[Any], bool] | None = None
    #: The columns of ids made from positions, windows or slots: unique inside one flow.
    ids: tuple[str, ...] = ("id",)
    #: The statement to run when fewer rows were merged than staged: some had equal keys.
    merge_repeated: str = ""

    def copied(self, records: Sequence[Any], flow: Flow, sources: Sequence[Position] = ()) -> Values:
        """The values of a flow's records by column, in the order of the table's columns, as COPY text.

        `sources` are the records' positions, needed where rows have them.
        """
        values = self.columns(records)
        if self.positions:
            values["source_partition"] = numbers([source.partition for source in sources])
            values["source_offset"] = numbers([source.offset for source in sources])
        if not self.of_flows:
            return values
        if flow != SMARTMETER:
            values |= {name: list(map(flow.id, values[name])) for name in self.ids}
        return values | {"flow": [flow.name] * len(records)}

    def topic_of(self, flow: Flow) -> Topic:
        """The topic that it has a flow's rows from."""
        return flow.of(self.topic) if self.of_flows else self.topic

    @property
    def staging_table(self) -> str:
        return f"staging_{self.name}"

    @property
    def row_filter(self) -> str:
        return ""

    @cached_property
    def decode(self) -> Callable[[bytes], Any]:
        """A record's value as the topic's model; msgspec.MsgspecError when it is not one."""
        return msgspec.json.Decoder(self.topic.model).decode

    @property
    def create_staging_table(self) -> str:
        """Creates the staging table, for the session; it is emptied by each commit."""
        return f"CREATE TEMPORARY TABLE {self.staging_table} (LIKE {self.name}) ON COMMIT DELETE ROWS"

    @property
    def copy(self) -> str:
        """Fills the staging table."""
        return f"COPY {self.staging_table} ({staged_names(self.sql)}) FROM STDIN"


@dataclass(frozen=True, kw_only=True, eq=False)
class DerivedTable(DatabaseTable):
    """A table of some of the rows staged for another one, under a key of its own."""

    source: TopicTable
    #: SQL condition on the staged rows.
    where: str

    @property
    def staging_table(self) -> str:
        return self.source.staging_table

    @property
    def row_filter(self) -> str:
        return self.where


def staged_columns(table: Table) -> list[str]:
    """The columns that come with the records."""
    return [column.name for column in table.columns if column.info != COMPUTED]


def staged_names(table: Table) -> str:
    """The staged columns as a quoted SQL list."""
    return ", ".join(f'"{name}"' for name in staged_columns(table))
