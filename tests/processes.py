"""gridwatch as it runs: workers and sinks as real processes on a real broker and database.

A Site is one deployment: a broker, consumer groups of its own, a folder, a database where it needs one, and
settings. Its processes are real ones, so that they can be killed. Nothing here waits by sleeping: a worker is
waited for by the source position in its state, a sink by its committed offsets.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import psycopg2
from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from gridwatch.embedded import EmbeddedPostgres
from gridwatch.embedded.ports import free_ports
from gridwatch.embedded.process import ServerProcess
from gridwatch.kafka.broker import Broker
from gridwatch.settings import PREFIX, load_settings
from gridwatch.topics import OUTPUTS, all_topics, changelog
from sinks import tables
from sinks.database import read_url
from sinks.schema.version import migrate
from tests import records

READY_SECONDS = 60.0
CAUGHT_UP_SECONDS = 120.0
_LOOK_SECONDS = 0.02

Database = dict[str, list[tuple[Any, ...]]]
"""The rows of each table, in order of its key."""


def until(what: str, holds: Callable[[], Any], seconds: float) -> Any:
    """Ask again until the answer is true, and return it; AssertionError that says what did not come."""
    deadline = time.monotonic() + seconds
    while True:
        answer = holds()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain until {what}"
        time.sleep(_LOOK_SECONDS)


class Service:
    """A worker or a sink: one process at a time, which may be killed and started again."""

    def __init__(
        self, name: str, arguments: list[str], env: Mapping[str, str], folder: Path, port: int
    ) -> None:
        self.name = name
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / f"{name}.log"
        self._command = ["env", *(f"{key}={value}" for key, value in env.items())]
        self._command += [sys.executable, "-m", "gridwatch", *arguments]
        self._process: ServerProcess | None = None

    @property
    def process(self) -> ServerProcess:
        """The running process."""
        assert self._process is not None, f"{self.name} was never started"
        return self._process

    def start(self, *, ready: bool = True) -> Service:
        """Start it, and wait until it says that it is ready."""
        lock = os.open(self.log.parent, os.O_RDONLY)
        try:
            self._process = ServerProcess(self.name, self._command, self.log, lock, grace=60.0)
        finally:
            os.close(lock)
        if ready:
            self.wait_ready()
        return self

    def wait_ready(self) -> None:
        """Wait until `/ready/` answers 200; fails at once, with its log, when the process ends."""
        try:
            until(f"{self.name} is ready", lambda: self.alive() and self.is_ready(), READY_SECONDS)
        except AssertionError as error:
            reasons = ""
            with suppress(OSError):
                reasons = self.refusal("/ready/")
            raise AssertionError(f"{error}; it says: {reasons or 'nothing'}") from error

    def alive(self) -> bool:
        """True while it runs; AssertionError with the end of its log when it has ended by itself."""
        assert self.process.running, f"{self.name} ended by itself:\n{self.process.said(40)}"
        return True

    def is_ready(self) -> bool:
        """What `/ready/` says."""
        with suppress(OSError):
            return self.status("/ready/") == 200
        return False

    def status(self, path: str) -> int:
        """The status of a page; OSError while nobody answers."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refusal:
            refusal.close()
            return refusal.code

    def refusal(self, path: str) -> str:
        """What a page that is not answered with 200 says, as it comes."""
        asked = urllib.request.Request(self.url + path, headers={"Accept": "application/json"})
        try:
            with urllib.request.urlopen(asked, timeout=20):
                return ""
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.read().decode()

    def page(self, path: str) -> Any:
        """A page as JSON."""
        asked = urllib.request.Request(self.url + path, headers={"Accept": "application/json"})
        with urllib.request.urlopen(asked, timeout=20) as answer:
            return json.load(answer)

    def stop(self) -> None:
        """End it in order."""
        self.process.stop()

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()

    def wait_ended(self, seconds: float) -> None:
        """Wait until it has ended by itself."""
        until(f"{self.name} ends by itself", lambda: not self.process.running, seconds)

    def end(self) -> None:
        """Leave nothing running."""
        if self._process is not None:
            self._process.kill()


class Site:
    """A deployment on a broker that others use too: its topics are made anew, its names are its own."""

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
        self.folder = folder / uuid.uuid4().hex[:8]
        self.folder.mkdir()
        self.app_id = f"site-{self.folder.name}"
        self.database = database
        # Idle ticks come by wall clock: a test that wants them says so.
        self.settings = {"idle_timeout": "1d", **{key: str(value) for key, value in settings.items()}}
        self._services: list[Service] = []
        self.renew_topics(raw=fresh_raw)

    def env(self, **more: Any) -> dict[str, str]:
        """The environment of its processes."""
        settings = {"broker": self.bootstrap, "app_id": self.app_id, **self.settings, **more}
        if self.database is not None:
            settings["database_url"] = self.database
        kept = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(PREFIX) or key == "GRIDWATCH_CACHE"
        }
        return kept | {PREFIX + key.upper(): str(value) for key, value in settings.items()}

    def renew_topics(self, *, raw: bool) -> None:
        """Make the topics anew; the raw topic may stay with what it holds."""
        settings = load_settings(broker=self.bootstrap, app_id=self.app_id, **self.settings)
        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        renewed = {topic.name for topic in (all_topics(self.app_id) if raw else OUTPUTS)}
        there = set(admin.list_topics(timeout=30).topics) & renewed
        for deleted in admin.delete_topics(sorted(there)).values() if there else ():
            deleted.result(timeout=30)
        broker = Broker(settings)
        until("the old topics are gone", lambda: not (renewed & set(broker.partitions())), 30)
        broker.create()
        until("every new partition has a leader", lambda: self._have_leaders(admin), 30)

    def _have_leaders(self, admin: AdminClient) -> bool:
        there = admin.list_topics(timeout=30).topics
        if not there.keys() >= {topic.name for topic in all_topics(self.app_id)}:
            return False
        asked = {
            TopicPartition(topic.name, partition): OffsetSpec.latest()
            for topic in all_topics(self.app_id)
            for partition in there[topic.name].partitions
        }
        try:
            for answer in admin.list_offsets(asked).values():
                answer.result(timeout=30)
        except KafkaException:
            return False
        return True

    def worker(self, name: str = "worker", **settings: Any) -> Service:
        """A worker with a folder of its own, not started yet."""
        port = free_ports(1)[0]
        env = self.env(datadir=self.folder / name, web_port=port, **settings)
        return self._keep(Service(name, ["worker", "-l", "info"], env, self.folder, port))

    def sink(self, name: str = "sink", **settings: Any) -> Service:
        """A sink, not started yet."""
        port = free_ports(1)[0]
        env = self.env(datadir=self.folder / name, sink_web_port=port, **settings)
        return self._keep(Service(name, ["sink", "-l", "info"], env, self.folder, port))

    def _keep(self, service: Service) -> Service:
        self._services.append(service)
        return service

    def produce(self, raw: Any) -> None:
        """Put records on the raw topic."""
        records.produce(self.bootstrap, raw)

    def worked(self) -> float:
        """The share of the raw topic that is safe in the worker's state, 0 to 1."""
        wanted = records.raw_ends(self.bootstrap)
        reached = records.positions(self.bootstrap, self.app_id)
        return sum(reached.get(partition, 0) for partition in wanted) / max(1, sum(wanted.values()))

    def wait_worked(self, share: float = 1.0, *, seconds: float = CAUGHT_UP_SECONDS) -> None:
        """Wait until that share of the raw topic is worked on, and all that was said of it is out."""
        self._wait(f"{share:.0%} of the raw topic is worked on", lambda: self.worked() >= share, seconds)

    def wait_rows(self, count: int, *, seconds: float = CAUGHT_UP_SECONDS) -> None:
        """Wait until that many more rows of state are committed: a quick look, so as to kill in time."""
        asking = records.consumer(self.bootstrap)
        topic = changelog(self.app_id).name

        def committed() -> int:
            return sum(high for _, high in records.ends(asking, topic).values())

        try:
            wanted = committed() + count
            self._wait(f"{count} more rows of state are committed", lambda: committed() >= wanted, seconds)
        finally:
            asking.close()

    def stored(self) -> float:
        """The share of the output topics that the sink has committed, 0 to 1."""
        asking = records.consumer(self.bootstrap, f"{self.app_id}-sink")
        try:
            wanted = {
                (topic.name, partition): high
                for topic in OUTPUTS
                for partition, (_, high) in records.ends(asking, topic.name).items()
            }
            return self._stored(asking, wanted)
        finally:
            asking.close()

    @staticmethod
    def _stored(asking: Any, wanted: Mapping[tuple[str, int], int]) -> float:
        asked = [TopicPartition(topic, partition) for topic, partition in wanted]
        committed = asking.committed(asked, timeout=30) if asked else []
        reached = sum(min(max(one.offset, 0), wanted[one.topic, one.partition]) for one in committed)
        return float(reached / max(1, sum(wanted.values())))

    def wait_stored(self, share: float = 1.0, *, seconds: float = CAUGHT_UP_SECONDS) -> None:
        """Wait until that share of what is on the output topics at this moment is in the database."""
        asking = records.consumer(self.bootstrap, f"{self.app_id}-sink")
        try:
            wanted = {
                (topic.name, partition): high
                for topic in OUTPUTS
                for partition, (_, high) in records.ends(asking, topic.name).items()
            }
            self._wait(
                f"{share:.0%} of the outputs is stored",
                lambda: self._stored(asking, wanted) >= share,
                seconds,
            )
        finally:
            asking.close()

    def _wait(self, what: str, holds: Callable[[], bool], seconds: float) -> None:
        running = [service for service in self._services if service._process and service.process.running]
        until(what, lambda: all(service.alive() for service in running) and holds(), seconds)

    def said(self) -> records.Said:
        """The last revision of everything the workers said."""
        return records.all_said(self.bootstrap)

    def rows(self) -> Database:
        """Every row of every table, less what is measured by wall clock."""
        assert self.database is not None
        return dump(self.database)

    def __enter__(self) -> Site:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for service in self._services:
            service.end()
            if service.log.exists():  # pytest shows it where a test failed
                print(f"---- {service.name}\n{service.process.said(40)}", file=sys.stderr)


@contextmanager
def new_database(postgres: EmbeddedPostgres) -> Iterator[str]:
    """URL of a database with the schema in it, dropped afterwards."""
    name = f"site_{uuid.uuid4().hex[:12]}"
    _order(postgres.url, f"CREATE DATABASE {name}")
    url = read_url(postgres.url).set(database=name).render_as_string(hide_password=False)
    migrate(url)
    yield url
    _order(postgres.url, f"DROP DATABASE {name} WITH (FORCE)")


def _order(server: str, statement: str) -> None:
    """Run a statement that wants no transaction around it."""
    session = psycopg2.connect(server)
    session.autocommit = True
    try:
        with session.cursor() as cursor:
            cursor.execute(statement)
    finally:
        session.close()


def gridwatch(
    *arguments: str, env: Mapping[str, str], folder: Path, seconds: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run one command of gridwatch to its end."""
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
    """Every row of every table in order of its key, less system metrics."""
    found: Database = {}
    for table in tables.TABLES:
        key = ", ".join(f'"{name}"' for name in table.key)
        columns = ", ".join(f'"{column.name}"' for column in table.sql.columns)
        found[table.name] = query(
            database, f"SELECT {columns} FROM {table.name} WHERE {table.comparison.where} ORDER BY {key}"
        )
    return found
