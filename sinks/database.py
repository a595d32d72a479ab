"""How gridwatch connects to its database, what kind it is, and the errors when it is unavailable.

A database is named as host:port/name everywhere; the password of the URL never leaves this module.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg2.errors import LockNotAvailable
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from gridwatch.errors import GridwatchError, UsageProblem

#: Seconds for one address of the server to answer; a name may have two, and a command has 30 s in all.
CONNECT_TIMEOUT = 8
#: A connection whose peer has vanished is closed after about half a minute.
KEEPALIVE = {
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
MIN_SERVER_VERSION = 140_000

_REMEDY = "start the database, or set GRIDWATCH_DATABASE_URL to where it is (`gridwatch up` runs one)"
_LOCK_REMEDY = "end what holds the lock (`SELECT * FROM pg_stat_activity`), then do it again"


@dataclass(frozen=True)
class DatabaseKind:
    """What the server is: PostgreSQL's version, and TimescaleDB's where the extension is installed."""

    postgresql: str
    timescaledb: str | None = None

    def __str__(self) -> str:
        if self.timescaledb is None:
            return f"PostgreSQL {self.postgresql}"
        return f"TimescaleDB {self.timescaledb} on PostgreSQL {self.postgresql}"


def read_url(url: str) -> URL:
    """Parse the URL. UsageProblem, without the URL's text, when it is malformed."""
    try:
        parsed = make_url(url)
        if "@" in (parsed.host or ""):
            raise ValueError("part of the password was taken for the host")
    except (ArgumentError, ValueError):
        # The cause is left out: it would print the URL, and the password with it.
        raise UsageProblem(
            "GRIDWATCH_DATABASE_URL cannot be read as a URL",
            "write postgresql://user:password@host:port/database; in the password write @ as %40, / as %2F",
        ) from None
    return parsed


def address_of(url: str) -> str:
    """`host:port/database`, as messages name a database."""
    parts = read_url(url)
    host = parts.host or parts.query.get("host") or "local socket"
    return f"{host}:{parts.port or parts.query.get('port', 5432)}/{parts.database or ''}"


def open_engine(url: str) -> Engine:
    """An engine without a connection pool: for commands, which are short-lived."""
    return create_engine(
        read_url(url).set(drivername="postgresql+psycopg2"),
        poolclass=NullPool,
        connect_args={"connect_timeout": CONNECT_TIMEOUT, "application_name": "gridwatch", **KEEPALIVE},
    )


@contextmanager
def connect(url: str) -> Iterator[Connection]:
    """A connection with a transaction, committed at the end of the block.

    GridwatchError when the database cannot be reached, goes away, refuses what is asked, or is older
    than PostgreSQL 14.
    """
    try:
        with open_engine(url).begin() as connection:
            version = int(connection.scalar(text("SHOW server_version_num")) or 0)
            if version < MIN_SERVER_VERSION:
                raise GridwatchError(
                    f"{database_kind(connection)} at {address_of(url)} is too old: PostgreSQL 14 is needed",
                    "upgrade the server, or set GRIDWATCH_DATABASE_URL to a newer one",
                )
            yield connection
    except OperationalError as problem:
        raise GridwatchError(
            f"cannot work with the database at {address_of(url)}: {_first_line(problem)}",
            _LOCK_REMEDY if isinstance(problem.orig, LockNotAvailable) else _REMEDY,
        ) from None
    except DBAPIError as problem:
        raise GridwatchError(
            f"the database at {address_of(url)} refused: {_first_line(problem)}",
            "fix what the message names; `gridwatch db status` shows the schema's revision",
        ) from problem


def _first_line(problem: DBAPIError) -> str:
    text_of_it = str(problem.orig).strip()
    return text_of_it.splitlines()[0] if text_of_it else type(problem.orig).__name__


def database_kind(connection: Connection) -> DatabaseKind:
    """Detect the server's kind; TimescaleDB counts when its extension is created in this database."""
    version = str(connection.scalar(text("SHOW server_version"))).split()[0]
    timescaledb = connection.scalar(text("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'"))
    return DatabaseKind(version, timescaledb)
