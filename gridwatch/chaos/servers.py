"""The broker and the database that all runs share, and what of them is made anew for each run."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg2
from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, OffsetSpec

from gridwatch.chaos.subject import Subject
from gridwatch.embedded import EmbeddedKafka, EmbeddedPostgres
from gridwatch.embedded.server import EmbeddedServer
from gridwatch.errors import GridwatchError
from gridwatch.kafka.broker import Broker
from gridwatch.kafka.security import librdkafka_config
from gridwatch.settings import Settings
from gridwatch.topics import RAW
from sinks.database import read_url
from sinks.schema.version import migrate

_PATIENCE_SECONDS = 60.0
_LOOK_SECONDS = 0.1
_STARTS = 4
#: Compaction as eager as it can be: what takes hours elsewhere happens within a run.
EAGER_COMPACTION = {
    "segment.ms": "1500",
    "min.compaction.lag.ms": "0",
    "max.compaction.lag.ms": "1500",
    "min.cleanable.dirty.ratio": "0.001",
    "delete.retention.ms": "1000",
}


def until(what: str, holds: Callable[[], bool], seconds: float = _PATIENCE_SECONDS) -> None:
    """Return once it holds; GridwatchError that says what did not come."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise GridwatchError(f"waited {seconds:g} s in vain until {what}")
        time.sleep(_LOOK_SECONDS)


def start(server: EmbeddedServer) -> None:
    """Start it; on a machine that is busy it may take several times as long as anybody waits for it."""
    for _ in range(_STARTS - 1):
        with contextlib.suppress(GridwatchError):
            server.start()
            return
    server.start()


class Servers:
    """A real Kafka and a real PostgreSQL in a folder."""

    def __init__(self, folder: Path) -> None:
        self.kafka = EmbeddedKafka(folder / "kafka", overrides={"log.cleaner.backoff.ms": "500"})
        self.postgres = EmbeddedPostgres(folder / "postgres", fsync=False)

    def start(self) -> None:
        """Start both, or what is not running of them."""
        start(self.postgres)
        start(self.kafka)

    def stop(self) -> None:
        """End both."""
        self.kafka.kill()  # its folder goes next: nothing is worth an orderly end
        self.postgres.stop()

    def renew_topics(
        self, settings: Settings, subject: Subject, *, compacted: bool, raw: bool = True
    ) -> None:
        """Make every topic of the subject anew, empty; the raw topic may stay with what it holds."""
        admin = self._admin()
        broker = Broker(settings)
        names = subject.topics(settings.app_id).keys() - (set() if raw else {RAW.name})
        there = names & set(broker.partitions())
        if there:
            for deleted in admin.delete_topics(sorted(there)).values():
                deleted.result(timeout=_PATIENCE_SECONDS)
        until("the old topics are gone", lambda: not names & set(broker.partitions()))
        self._create(settings, subject, compacted=compacted)

    def renew_changelogs(self, settings: Settings, subject: Subject, *, compacted: bool) -> None:
        """Delete the changelogs with all that is in them, and make them anew."""
        admin, names = self._admin(), subject.changelogs(settings.app_id)
        for deleted in admin.delete_topics(names).values():
            deleted.result(timeout=_PATIENCE_SECONDS)
        until("the old changelogs are gone", lambda: not set(names) & set(Broker(settings).partitions()))
        self._create(settings, subject, compacted=compacted)

    def forget_offsets(self, groups: Sequence[str]) -> None:
        """Delete what consumer groups have committed; they must have no members, or lose them soon."""

        admin = self._admin()

        def forgotten() -> bool:
            try:
                for deleted in admin.delete_consumer_groups(list(groups)).values():
                    deleted.result(timeout=_PATIENCE_SECONDS)
            except KafkaException as problem:
                return bool(problem.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND)
            return True

        until("the groups are empty and their offsets deleted", forgotten)

    def _admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.kafka.bootstrap, "log_level": 0})

    def _create(self, settings: Settings, subject: Subject, *, compacted: bool) -> None:
        topics = subject.topics(settings.app_id)
        Broker(settings, topics.values()).create()
        until("every new partition has a leader", lambda: _have_leaders(settings, topics))
        if compacted:
            admin = self._admin()
            entries = [
                ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
                for key, value in EAGER_COMPACTION.items()
            ]
            resources = [
                ConfigResource(ConfigResource.Type.TOPIC, name, incremental_configs=entries)
                for name in subject.changelogs(settings.app_id)
            ]
            for altered in admin.incremental_alter_configs(resources).values():
                altered.result(timeout=_PATIENCE_SECONDS)

    @contextmanager
    def new_database(self, name: str) -> Iterator[str]:
        """URL of a database with the schema in it, dropped afterwards."""
        self._as_owner(f"CREATE DATABASE {name}")
        url = read_url(self.postgres.url).set(database=name).render_as_string(hide_password=False)
        migrate(url)
        try:
            yield url
        finally:
            self.postgres.start()
            self._as_owner(f"DROP DATABASE {name} WITH (FORCE)")

    def _as_owner(self, statement: str) -> None:
        session = psycopg2.connect(self.postgres.url)
        try:
            session.autocommit = True
            with session.cursor() as cursor:
                cursor.execute(statement)
        finally:
            session.close()


def _have_leaders(settings: Settings, topics: Iterable[str]) -> bool:
    # A new connection at each look: an old one would go on asking for the topics of the same names before.
    admin = AdminClient(librdkafka_config(settings) | {"log_level": 0})
    asked = {
        TopicPartition(topic, partition): OffsetSpec.latest()
        for topic in topics
        for partition in range(settings.partitions)
    }
    try:
        for answer in admin.list_offsets(asked).values():
            answer.result(timeout=_PATIENCE_SECONDS)
    except KafkaException:
        return False
    return True
