"""The outbox in the database, over one session, which holds the lock of the relay.

Rows are taken by what is not published, never by "after the last one": a transaction that began earlier may
commit later, with lower ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import psycopg2
from sqlalchemy import Connection

from gridwatch.errors import GridwatchError
from sinks.database import CONNECT_TIMEOUT, KEEPALIVE, address_of, read_url

#: Held by the relay as long as its session lives.
_RELAY_LOCK = 0x6772_6964_0002
_STATEMENT_TIMEOUT = "60s"
#: Old rows are removed so many at a time.
_REMOVED_AT_ONCE = 20_000

_NEXT = """
SELECT id, topic, partition, key, headers::text, value FROM outbox
WHERE published_at IS NULL ORDER BY id LIMIT %s
"""
_MARK = "UPDATE outbox SET published_at = now() WHERE id = ANY (%s::bigint[]) AND published_at IS NULL"
_BACKLOG = """
SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0)::double precision
FROM outbox WHERE published_at IS NULL
"""
_REMOVE = """
DELETE FROM outbox WHERE id IN (
    SELECT id FROM outbox WHERE published_at < now() - %s::interval ORDER BY id LIMIT %s
)
"""


#: A change that is not published for longer than this is late.
LATE_SECONDS = 60.0


class Backlog(NamedTuple):
    """What is not published yet."""

    rows: int
    oldest_seconds: float

    @property
    def late(self) -> bool:
        """Whether the relay is behind."""
        return self.oldest_seconds > LATE_SECONDS

    def __str__(self) -> str:
        if not self.rows:
            return "everything is published"
        return f"{self.rows:,} changes are not published, the oldest for {self.oldest_seconds:.0f} s"


def backlog(connection: Connection) -> Backlog:
    """What is not published yet."""
    return Backlog(*connection.exec_driver_sql(_BACKLOG).one())


class OutboxRow(NamedTuple):
    """A row that is to be published."""

    id: int
    #: None: the raw topic of every flow, all partitions.
    topic: str | None
    #: None: the partition of the key.
    partition: int | None
    key: str | None
    #: A JSON object of texts.
    headers: str
    value: str


class Outbox:
    """One session. Every method raises psycopg2.Error when the database is not there."""

    def __init__(self, url: str) -> None:
        target = read_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._session: Any = psycopg2.connect(
            target, connect_timeout=CONNECT_TIMEOUT, application_name="gridwatch-relay", **KEEPALIVE
        )
        self._session.autocommit = True
        self._run("SET TimeZone = 'UTC'")
        self._run(f"SET statement_timeout = '{_STATEMENT_TIMEOUT}'")

    def check(self, url: str) -> None:
        """GridwatchError unless there is an outbox."""
        if self._run("SELECT to_regclass('outbox')") == [(None,)]:
            raise GridwatchError(f"the database at {address_of(url)} has no outbox", "gridwatch db migrate")

    def lock(self) -> bool:
        """Whether this session is the relay's now: no other one has the lock."""
        return self._run("SELECT pg_try_advisory_lock(%s)", _RELAY_LOCK) == [(True,)]

    def next(self, most: int) -> list[OutboxRow]:
        """The first rows that are not published."""
        return [OutboxRow(*row) for row in self._run(_NEXT, most)]

    def mark(self, rows: Sequence[OutboxRow]) -> None:
        """Say that these rows are published."""
        self._run(_MARK, [row.id for row in rows])

    def remove_old(self, age: timedelta) -> int:
        """Remove some of the rows that were published so long ago; gives their number."""
        with self._session.cursor() as cursor:
            cursor.execute(_REMOVE, (age, _REMOVED_AT_ONCE))
            return int(cursor.rowcount)

    def close(self) -> None:
        """End the session, and with it the lock."""
        self._session.close()

    def _run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._session.cursor() as cursor:
            cursor.execute(statement, values or None)
            return list(cursor.fetchall()) if cursor.description else []
