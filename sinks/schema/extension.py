"""Whether a database has TimescaleDB, can have it, or why it stays plain PostgreSQL.

The extension is created on a session of its own: a server that has it installed, but not loaded at its
start, ends the session that asks.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from gridwatch.errors import GridwatchError
from sinks.database import connect
from sinks.schema.timescale import MIN_VERSION, is_supported, read_timescale_status

EXTENSION = "timescaledb"


def create_if_possible(url: str, extension: str = EXTENSION) -> str:
    """Create the extension where the server has it; returns the reason where that is refused, else "".

    GridwatchError when the database cannot be reached.
    """
    with connect(url) as connection:
        if not _is_available(connection, extension):
            return ""
    try:
        with connect(url) as connection:
            connection.exec_driver_sql(f"CREATE EXTENSION IF NOT EXISTS {extension}")
    except GridwatchError as refusal:
        return (
            f"plain PostgreSQL: the server has {extension}, but {refusal.message}."
            f" Have an administrator run CREATE EXTENSION {extension}, then: gridwatch db migrate"
        )
    return ""


def _is_available(connection: Connection, extension: str) -> bool:
    return bool(
        connection.scalar(
            text(
                "SELECT EXISTS (SELECT FROM pg_available_extensions"
                " WHERE name = :name AND installed_version IS NULL)"
            ),
            {"name": extension},
        )
    )


def limitation(connection: Connection, version: str | None) -> str:
    """Why TimescaleDB is not used, or not in full; "" when it is, or the server does not have it.

    `version` is that of the extension in this database, None where it was not created.
    """
    if version is None:
        if not _is_available(connection, EXTENSION):
            return ""
        return (
            "plain PostgreSQL: the server has TimescaleDB, but not in this database. gridwatch db migrate"
            " creates it where it may; else have an administrator run CREATE EXTENSION timescaledb first"
        )
    if not is_supported(version):
        wanted = ".".join(map(str, MIN_VERSION))
        return f"TimescaleDB {version} is not used: {wanted} is needed. The tables are plain ones"
    status = read_timescale_status(connection)
    if not status.complete:
        return "TimescaleDB is there, but not all tables are its own yet: gridwatch db migrate"
    if not status.full:
        return "TimescaleDB under its Apache licence: no compression, no policies, summaries are plain views"
    return ""
