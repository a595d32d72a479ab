"""The broker and the database that all runs share, and their topics and databases of each run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource

from chaos.subject import Subject
from gridwatch.deployment.databases import new_database
from gridwatch.deployment.polling import until
from gridwatch.deployment.topics import create_topics, delete_topics, recreate_topics
from gridwatch.embedded import EmbeddedKafka, EmbeddedPostgres
from gridwatch.embedded.server import EmbeddedServer
from gridwatch.errors import GridwatchError
from gridwatch.settings import Settings

_TIMEOUT_SECONDS = 60.0
_STARTS = 4
#: The most eager compaction: what otherwise takes hours happens within a run.
EAGER_COMPACTION = {
    "segment.ms": "1500",
    "min.compaction.lag.ms": "0",
    "max.compaction.lag.ms": "1500",
    "min.cleanable.dirty.ratio": "0.001",
    "delete.retention.ms": "1000",
}


def start(server: EmbeddedServer) -> None:
    """Start it, with retries: on a busy machine it may exceed its start time-out."""
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
        """Start both, unless they run."""
        start(self.postgres)
        start(self.kafka)

    def stop(self) -> None:
        """Stop both."""
        self.kafka.kill()  # its folder is removed next: no need for a graceful stop
        self.postgres.stop()

    def recreate_topics(
        self, settings: Settings, subject: Subject, *, compacted: bool, raw: bool = True
    ) -> None:
        """Delete and create every topic of the subject; without `raw` the raw topic keeps its records."""
        recreate_topics(settings, raw=raw, topics=subject.topics(settings.app_id))
        if compacted:
            self._compact_eagerly(subject.changelogs(settings.app_id))

    def recreate_changelogs(self, settings: Settings, subject: Subject, *, compacted: bool) -> None:
        """Delete and create the changelogs."""
        delete_topics(settings, subject.changelogs(settings.app_id))
        create_topics(settings, subject.topics(settings.app_id))
        if compacted:
            self._compact_eagerly(subject.changelogs(settings.app_id))

    def delete_offsets(self, groups: Sequence[str]) -> None:
        """Delete the committed offsets of groups that have no members, or lose them soon."""

        admin = self._admin()

        def deleted_all() -> bool:
            try:
                for deleted in admin.delete_consumer_groups(list(groups)).values():
                    deleted.result(timeout=_TIMEOUT_SECONDS)
            except KafkaException as problem:
                return bool(problem.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND)
            return True

        until("the groups are empty and their offsets deleted", deleted_all, _TIMEOUT_SECONDS)

    def _admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.kafka.bootstrap, "log_level": 0})

    def _compact_eagerly(self, changelogs: Iterable[str]) -> None:
        admin = self._admin()
        entries = [
            ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
            for key, value in EAGER_COMPACTION.items()
        ]
        topic = ConfigResource.Type.TOPIC
        resources = [ConfigResource(topic, name, incremental_configs=entries) for name in changelogs]
        for altered in admin.incremental_alter_configs(resources).values():
            altered.result(timeout=_TIMEOUT_SECONDS)

    @contextmanager
    def new_database(self, name: str) -> Iterator[str]:
        """URL of a database with the schema in it, dropped afterwards."""
        with new_database(self.postgres.url, name) as url:
            try:
                yield url
            finally:
                self.postgres.start()
