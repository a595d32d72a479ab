"""Everything that a run leaves, as a reader that goes by ids and revisions sees it.

Two things follow the wall clock and are left out: system metrics, and when a bad record came (which is in a
dead letter, and for a stamp from the future in its words). Of a table its declaration says so
(`sinks/tables/`).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2

from chaos.changelog import Reader, State
from chaos.databases import contradictions, read_databases
from chaos.subject import Subject
from gridwatch.errors import GridwatchError
from gridwatch.kafka.topic_identity import describe_topic
from gridwatch.settings import Settings
from gridwatch.topics import DEAD_LETTERS, GAP_ALERTS, OUTPUTS
from sinks import tables
from sinks.tables.dead_letters import AHEAD
from sinks.tables.table import DatabaseTable

Things = dict[str, dict[str, Any]]
"""By place (table, topic, state), by key."""


@dataclass
class Snapshot:
    """What a run left, and what in it contradicts itself."""

    things: Things
    contradictions: list[str] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """How many things there are in each place."""
        return {place: len(found) for place, found in self.things.items()}


def take_snapshot(settings: Settings, subject: Subject, folders: Iterable[Path]) -> Snapshot:
    """Read everything anew: topics, changelogs, the workers' data folders (they have ended), database."""
    snapshot = Snapshot({})
    for observed in subject.stages:
        stage, state = observed.stage, State(settings, observed)
        try:
            state.read()
            snapshot.things[f"state of {stage.name}"] = state.plain()
            identity = _identity(settings, stage.changelog(settings.app_id).name)
            databases = read_databases(folders, stage.table, identity)
            snapshot.contradictions += contradictions(state.rows, databases)
        finally:
            state.close()
    for topic in (*OUTPUTS, *subject.outputs):
        reader = Reader(settings, topic.name)
        try:
            values = [json.loads(message.value() or b"") for message in reader.new()]
        finally:
            reader.close()
        snapshot.things[f"topic {topic.name}"], said_apart = last_revisions(topic.name, values)
        snapshot.contradictions += said_apart
    for name, found in read_database(settings.database).items():
        snapshot.things[f"table {name}"] = found
    return snapshot


def _identity(settings: Settings, changelog: str) -> bytes:
    """Which changelog there is now: a fault may have had it made anew."""
    log = asyncio.run(describe_topic(settings, changelog))
    if log is None:
        raise GridwatchError("the broker does not say which changelog it has")
    return log.topic_id


def last_revisions(topic: str, records: Iterable[dict[str, Any]]) -> tuple[dict[str, Any], list[str]]:
    """The last revision of each id; and what was said twice under one id and revision in different words."""
    said: dict[tuple[str, int], dict[str, Any]] = {}
    last: dict[str, Any] = {}
    contradictions = []
    for record in records:
        if record.get("scope") == "system":
            continue
        if topic == DEAD_LETTERS.name:
            del record["record_timestamp"]
            record["message"] = AHEAD.sub("", record["message"])
        name, revision = record["gap_id" if topic == GAP_ALERTS.name else "id"], record.get("revision", 0)
        if said.setdefault((name, revision), record) != record:
            before = said[name, revision]
            contradictions.append(f"{topic}: {name} revision {revision}: {before} and {record}")
        if name not in last or last[name].get("revision", 0) < revision:
            last[name] = record
    return last, contradictions


def read_database(url: str) -> Things:
    """Every row of every table by its key, less what follows the wall clock."""
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
    key = [name for name in table.key if name not in comparison.without]
    quoted = ", ".join(f'"{column}"' for column in columns)
    cursor.execute(f"SELECT {quoted} FROM {table.name} WHERE {comparison.where}")  # noqa: S608  names of our own
    found: dict[str, Any] = {}
    for values in cursor.fetchall():
        row = dict(zip(columns, values, strict=True))
        for column, clock in comparison.masked.items():
            row[column] = clock.sub("", row[column])
        place = "/".join(str(row[column]) for column in key)
        # A key without its time may come more than once: a second row of one id is a double.
        while place in found:
            place += " (once more)"
        found[place] = row
    return found
