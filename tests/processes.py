"""Workers and sinks as real processes, with a real broker and database.

A Site is one deployment with recreated topics. Its processes are real ones, so that they can be killed.
Nothing waits by sleeping: a worker is waited for by the source position in its state, a sink by its committed
offsets.
"""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import psycopg2

from gridwatch.deployment.catching_up import committed, output_ends
from gridwatch.deployment.service import Service
from gridwatch.deployment.site import Site as Deployment
from gridwatch.deployment.topics import recreate_topics
from gridwatch.kafka.positions import Positions
from gridwatch.topics import changelog
from sinks import tables
from tests import records

CAUGHT_UP_SECONDS = 120.0

Database = dict[str, list[tuple[Any, ...]]]
"""The rows of each table, in order of its key."""


class Site(Deployment[Service]):
    """A deployment on a shared broker: its topics are recreated, its names are unique."""

    def __init__(
        self,
        bootstrap: str,
        folder: Path,
        *,
        database: str | None = None,
        fresh_raw: bool = True,
        **settings: Any,
    ) -> None:
        self.bootstrap = bootstrap
        self.database = database
        own = folder / uuid.uuid4().hex[:8]
        own.mkdir()
        self.app_id = f"site-{own.name}"
        common = {"broker": bootstrap, "app_id": self.app_id}
        if database is not None:
            common["database_url"] = database
        # Idle ticks depend on the wall clock: off by default.
        super().__init__(own, {"idle_timeout": "1d", **settings, **common}, Service)
        recreate_topics(self.settings, raw=fresh_raw)

    def worker(self, name: str = "worker", **settings: Any) -> Service:
        """A worker with a folder of its own, not started yet."""
        return self.add("worker", name, **settings)

    def sink(self, name: str = "sink", **settings: Any) -> Service:
        """A sink, not started yet."""
        return self.add("sink", name, **settings)

    def produce(self, raw: Any) -> None:
        """Produce records to the raw topic."""
        records.produce(self.bootstrap, raw)

    def processed(self) -> float:
        """The share of the raw topic that is committed in the worker's state, 0 to 1."""
        wanted = records.raw_ends(self.bootstrap)
        reached = records.positions(self.bootstrap, self.app_id)
        return sum(reached.get(partition, 0) for partition in wanted) / max(1, sum(wanted.values()))

    def wait_processed(self, share: float = 1.0, *, seconds: float = CAUGHT_UP_SECONDS) -> None:
        """Wait until that share of the raw topic is processed, with its outputs acknowledged."""
        self.until(f"{share:.0%} of the raw topic is processed", lambda: self.processed() >= share, seconds)

    def wait_rows(self, count: int, *, seconds: float = CAUGHT_UP_SECONDS) -> None:
        """Wait until that many more rows of state are committed; polls fast, for kills at a certain point."""
        asking = records.consumer(self.bootstrap)
        topic = changelog(self.app_id).name

        def committed() -> int:
            return sum(high for _, high in records.ends(asking, topic).values())

        try:
            wanted = committed() + count
            self.until(f"{count} more rows of state are committed", lambda: committed() >= wanted, seconds)
        finally:
            asking.close()

    def stored(self) -> float:
        """The share of the output topics that the sink has committed, 0 to 1."""
        positions = Positions(self.settings)
        ends = output_ends(self.settings, positions)
        return committed(positions, self.settings.sink_group, ends) / max(1, sum(ends.values()))

    def wait_stored(self, share: float = 1.0, *, seconds: float = CAUGHT_UP_SECONDS) -> None:
        """Wait until that share of the current outputs is in the database."""
        positions = Positions(self.settings)
        ends = output_ends(self.settings, positions)
        wanted = share * sum(ends.values())
        self.until(
            f"{share:.0%} of the outputs is stored",
            lambda: committed(positions, self.settings.sink_group, ends) >= wanted,
            seconds,
        )

    def outputs(self) -> records.Outputs:
        """The last revision of all outputs of the workers."""
        return records.all_outputs(self.bootstrap)

    def rows(self) -> Database:
        """Every row of every table, without what depends on the wall clock."""
        assert self.database is not None
        return dump(self.database)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        for service in self.services:
            if service.started:  # pytest shows it where a test failed
                print(f"---- {service.name}\n{service.excerpt()}", file=sys.stderr)


def gridwatch(
    *arguments: str, env: Mapping[str, str], folder: Path, seconds: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run one command of gridwatch until it exits."""
    return subprocess.run(
        [sys.executable, "-m", "gridwatch", *arguments],
        env=dict(env),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def query(database: str, statement: str) -> list[tuple[Any, ...]]:
    """The rows of a statement, times in UTC."""
    session = psycopg2.connect(database)
    try:
        with session.cursor() as cursor:
            cursor.execute("SET TimeZone = 'UTC'")
            cursor.execute(statement)
            return list(cursor.fetchall())
    finally:
        session.close()


def dump(database: str) -> Database:
    """Every row of every table in order of its key, without system metrics and times of arrival."""
    found: Database = {}
    for table in tables.TABLES:
        key = ", ".join(f'"{name}"' for name in table.key)
        names = [column.name for column in table.sql.columns if column.name != "received_at"]
        columns = ", ".join(f'"{name}"' for name in names)
        found[table.name] = query(
            database, f"SELECT {columns} FROM {table.name} WHERE {table.comparison.where} ORDER BY {key}"
        )
    return found
