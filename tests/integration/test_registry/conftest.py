"""A book of its own for each test: a database with the schema, and commands that work on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gridwatch.cli import run
from gridwatch.deployment.topics import recreate_topics
from gridwatch.embedded import EmbeddedKafka
from gridwatch.settings import Settings, load_settings
from gridwatch.topics import METER_REGISTRY, RAW
from tests.integration.test_sink.conftest import Query, database, empty_database, query

__all__ = ["Book", "Query", "database", "empty_database", "query"]

REGIONS = "region,capacity_kw\nR01,2500\nR02,1000\n"


class Book:
    """The commands on one database, and what they print."""

    def __init__(self, folder: Path, capture: Any, query: Query) -> None:
        self._folder = folder
        self._capture = capture
        self._query = query
        self.printed = ""
        self.errors = ""

    def run(self, *arguments: str) -> int:
        """Run a command; gives its exit code."""
        self._capture.readouterr()
        code = run(list(arguments))
        self.printed, self.errors = self._capture.readouterr()
        return code

    def json(self, *arguments: str) -> dict[str, Any]:
        """Run a command that must succeed; gives what it prints."""
        assert self.run(*arguments, "--json") == 0, self.errors
        found: dict[str, Any] = json.loads(self.printed)
        return found

    def file(self, text: str | bytes, name: str = "meters.csv") -> str:
        """A file with this text."""
        path = self._folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    def meters(self, text: str | bytes, *options: str) -> dict[str, Any]:
        """Import meters."""
        return self.json("registry", "import", self.file(text), *options)

    def outbox(self) -> list[tuple[str, str | None, dict[str, Any]]]:
        """Entity, topic and value of every row."""
        rows = self._query("SELECT entity, topic, value FROM outbox ORDER BY id")
        return [(entity, topic, json.loads(value)) for entity, topic, value in rows]

    def contents(self) -> list[list[tuple[Any, ...]]]:
        """Everything."""
        tables = ("meters", "regions", "planned_outages", "outbox")
        return [self._query(f"SELECT * FROM {table} ORDER BY 1") for table in tables]


@pytest.fixture
def book(database: str, query: Query, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> Book:
    """An empty book with two regions."""
    monkeypatch.setenv("GRIDWATCH_DATABASE_URL", database)
    book = Book(tmp_path, capsys, query)
    book.json("regions", "import", book.file(REGIONS, "regions.csv"))
    query("UPDATE outbox SET published_at = now()")
    return book


@pytest.fixture
def settings(kafka: EmbeddedKafka, database: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings that lead to the database, and to new topics; the commands have them, too."""
    monkeypatch.setenv("GRIDWATCH_BROKER", kafka.bootstrap)
    monkeypatch.setenv("GRIDWATCH_DATABASE_URL", database)
    settings = load_settings()
    recreate_topics(settings, topics=[RAW, METER_REGISTRY])
    return settings


@pytest.fixture
def flows(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Sets the flows that there are."""

    def have(*names: str) -> None:
        for module in ("gridwatch.registry.book", "gridwatch.registry.relay.service"):
            monkeypatch.setattr(f"{module}.flows_of", lambda _settings: names)

    yield have
