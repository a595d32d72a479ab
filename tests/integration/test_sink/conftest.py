"""A database of its own for each test, with the schema in it, on the server that all tests share."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import psycopg2
import pytest

from gridwatch.backoff import BackOff
from gridwatch.embedded import EmbeddedPostgres
from sinks.database import read_url
from sinks.schema.version import migrate
from sinks.writer import Writer

Query = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def empty_database(postgres: EmbeddedPostgres) -> Iterator[str]:
    """URL of a new, empty database."""
    name = f"sink_{uuid.uuid4().hex[:12]}"
    server = psycopg2.connect(postgres.url)
    server.autocommit = True
    with server.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    yield read_url(postgres.url).set(database=name).render_as_string(hide_password=False)
    with server.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
    server.close()


@pytest.fixture
def database(empty_database: str) -> str:
    """URL of a new database with the schema in it."""
    migrate(empty_database)
    return empty_database


@pytest.fixture
def query(empty_database: str) -> Iterator[Query]:
    """Runs a statement in a session of its own and gives its rows."""
    session = psycopg2.connect(empty_database)
    session.autocommit = True

    def run(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with session.cursor() as cursor:
            cursor.execute("SET TimeZone = 'UTC'")
            cursor.execute(statement, parameters or None)
            return cursor.fetchall() if cursor.description else []

    yield run
    session.close()


@pytest.fixture
def writer(database: str) -> Iterator[Writer]:
    """A writer that tries again at once and does not wait long for locks."""
    writer = Writer(database, back_off=BackOff(first=0.02, most=0.1), lock_timeout="100ms")
    yield writer
    writer.interrupt()
    writer.disconnect()
