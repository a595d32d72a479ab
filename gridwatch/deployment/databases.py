"""A database for one deployment, on a shared server."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2

from sinks.database import read_url
from sinks.schema.version import migrate


@contextmanager
def new_database(server: str, name: str = "") -> Iterator[str]:
    """URL of a database with the schema in it, dropped afterwards. server: URL of any database there."""
    name = name or f"site_{uuid.uuid4().hex[:12]}"
    _execute(server, f"CREATE DATABASE {name}")
    url = read_url(server).set(database=name).render_as_string(hide_password=False)
    migrate(url)
    try:
        yield url
    finally:
        _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def _execute(server: str, statement: str) -> None:
    """Run a statement outside of a transaction."""
    session = psycopg2.connect(server)
    session.autocommit = True
    try:
        with session.cursor() as cursor:
            cursor.execute(statement)
    finally:
        session.close()
