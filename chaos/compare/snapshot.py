"""Everything that a run leaves, by id and last revision.

Three things depend on the wall clock and are left out: system metrics; `received_at`, when the broker got the
raw record; and the arrival time of a bad record (which is in a dead letter, and for a future timestamp in its
message). For tables the declarations say so (`sinks/tables/`).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2

from chaos.compare.changelog import Reader, State
from chaos.compare.databases import find_inconsistencies, read_databases
from chaos.subject import Subject
from gridwatch.errors import GridwatchError
from gridwatch.kafka.topic_identity import describe_topic
from gridwatch.settings import Settings
from gridwatch.topics import ANOMALIES, DEAD_LETTERS, GAP_ALERTS, INCIDENTS, OUTPUTS, REGIONAL_AGGREGATES
from sinks import tables
from sinks.tables.dead_letters import AHEAD
from sinks.tables.table import DatabaseTable

#: The outputs of the stage `regions`.
REGIONAL_OUTPUTS = (REGIONAL_AGGREGATES, INCIDENTS)
#: States of rows of regions that depend on how the sources ran ahead of each other.
_ON_THE_WAY = ("UPDATED",)
#: The field of the id, where it has a name of its own.
_ID_FIELDS = {GAP_ALERTS.name: "gap_id", ANOMALIES.name: "anomaly_id"}
#: In outputs. Records that repeat within a run must agree on it; two runs never do.
ARRIVAL = "received_at"

Contents = dict[str, dict[str, Any]]
"""By place (table, topic, state), by key."""


@dataclass
class Snapshot:
    """What a run left, and the inconsistencies within it."""

    contents: Contents
    inconsistencies: list[str] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """The number of entries in each place."""
        return {place: len(found) for place, found in self.contents.items()}


def take_snapshot(settings: Settings, subject: Subject, folders: Iterable[Path]) -> Snapshot:
    """Read everything: topics, changelogs, the data folders of the stopped workers, database."""
    snapshot = Snapshot({})
    for observed in subject.stages:
        stage, state = observed.stage, State(settings, observed)
        try:
            state.read()
            snapshot.contents[f"state of {stage.name}"] = state.plain()
            identity = _identity(settings, stage.changelog(settings.app_id).name)
            databases = read_databases(folders, stage.table, identity)
            snapshot.inconsistencies += find_inconsistencies(state.rows, databases)
        finally:
            state.close()
    names = [topic.name for topic in (*OUTPUTS, *REGIONAL_OUTPUTS, *subject.outputs)]
    for name in dict.fromkeys(names):
        reader = Reader(settings, name)
        try:
            values = [json.loads(message.value() or b"") for message in reader.new()]
        finally:
            reader.close()
        snapshot.contents[f"topic {name}"], conflicts = last_revisions(name, values)
        snapshot.inconsistencies += conflicts
    for name, found in read_database(settings.database).items():
        snapshot.contents[f"table {name}"] = found
    return snapshot


def _identity(settings: Settings, changelog: str) -> bytes:
    """The identity of the current changelog: a fault may have recreated it."""
    log = asyncio.run(describe_topic(settings, changelog))
    if log is None:
        raise GridwatchError("the broker does not answer with the identity of the changelog")
    return log.topic_id


def last_revisions(topic: str, records: Iterable[dict[str, Any]]) -> tuple[dict[str, Any], list[str]]:
    """The last revision of each id; and the records that differ under one id and revision."""
    by_revision: dict[tuple[str, int], dict[str, Any]] = {}
    last: dict[str, Any] = {}
    inconsistencies = []
    for record in records:
        if record.get("scope") == "system":
            continue
        if topic == DEAD_LETTERS.name:
            del record["record_timestamp"]
            record["message"] = AHEAD.sub("", record["message"])
        name, revision = _name_of(topic, record), record.get("revision", 0)
        if by_revision.setdefault((name, revision), record) != record:
            before = by_revision[name, revision]
            inconsistencies.append(f"{topic}: {name} revision {revision}: {before} and {record}")
        if name not in last or last[name].get("revision", 0) < revision:
            last[name] = record
    for record in last.values():
        record.pop(ARRIVAL, None)
    return {name: one for name, one in last.items() if one.get("state") not in _ON_THE_WAY}, inconsistencies


def _name_of(topic: str, record: dict[str, Any]) -> str:
    """The id of a record; of a row of a region with its state: the first one counts as the last does."""
    if topic == REGIONAL_AGGREGATES.name:
        return f"{record['id']} {record['state']}"
    return str(record[_ID_FIELDS.get(topic, "id")])


def read_database(url: str) -> Contents:
    """Every row of every table by its key, without what depends on the wall clock."""
    session = psycopg2.connect(url)
    try:
        with session.cursor() as cursor:
            cursor.execute("SET TimeZone = 'UTC'")
            return {table.name: _rows(cursor, table) for table in tables.TABLES}
    finally:
        session.close()


def _rows(cursor: Any, table: DatabaseTable) -> dict[str, Any]:
    comparison = table.comparison
    columns = [column.name for column in table.sql.columns if column.name not in comparison.without]
    # Rows of which no part of the key is the same after every run are known by all that they hold.
    key = [name for name in table.key if name not in comparison.without] or columns
    quoted = ", ".join(f'"{column}"' for column in columns)
    cursor.execute(f"SELECT {quoted} FROM {table.name} WHERE {comparison.where}")  # noqa: S608  names of our own
    found: dict[str, Any] = {}
    for values in cursor.fetchall():
        row = dict(zip(columns, values, strict=True))
        for column, clock in comparison.masked.items():
            row[column] = clock.sub("", row[column])
        place = "/".join(str(row[column]) for column in key)
        # A key without its time may occur more than once: a second row of one id is in excess.
        while place in found:
            place += " (once more)"
        found[place] = row
    return found
