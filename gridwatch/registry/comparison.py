"""The book against the compacted topic: is the newest version of every row published?

The topic is read once from its beginning, within a time limit; rows with unpublished changes are left out, as
they are expected to be behind. A million meters take some seconds and 200 MB.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition
from sqlalchemy import Connection

from gridwatch.errors import GridwatchError
from gridwatch.kafka.positions import Positions
from gridwatch.kafka.security import librdkafka_config
from gridwatch.registry.entities import ENTITIES
from gridwatch.settings import Settings
from gridwatch.topics import METER_REGISTRY

_RECORDS_AT_ONCE = 10_000
_FETCH_ROWS = 20_000
_EXAMPLES = 3


class _Version(msgspec.Struct):
    version: int = 0


_decode = msgspec.json.Decoder(_Version).decode


@dataclass(frozen=True)
class Published:
    """The newest version of every key in the compacted topic; not `complete` if time ran out."""

    versions: dict[str, int]
    records: int
    complete: bool


@dataclass
class Comparison:
    """How many rows of the book are not in the topic, or in another version, with a few of their keys."""

    rows: int = 0
    missing: int = 0
    older: int = 0
    newer: int = 0
    examples: tuple[str, ...] = ()

    def _count(self, what: str, key: str) -> None:
        setattr(self, what, getattr(self, what) + 1)
        if len(self.examples) < _EXAMPLES:
            self.examples += (key,)

    def add(self, key: str, version: int, published: Published) -> None:
        """Compare one row."""
        self.rows += 1
        found = published.versions.get(key)
        if found is None:
            if published.complete:
                self._count("missing", key)
        elif found != version and (found > version or published.complete):
            self._count("newer" if found > version else "older", key)


def read_published(settings: Settings, seconds: float) -> Published:
    """Read the compacted topic. GridwatchError when the broker does not answer, or the topic is missing."""
    ends = Positions(settings).ends([METER_REGISTRY.name])
    left = {partition: end for (_, partition), end in ends.items() if end}
    versions: dict[str, int] = {}
    records = 0
    deadline = time.monotonic() + seconds
    consumer = Consumer(
        librdkafka_config(settings)
        | {
            "group.id": f"{settings.app_id}-doctor",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "log_level": 0,
            "error_cb": lambda _error: None,
        }
    )
    try:
        consumer.assign([TopicPartition(METER_REGISTRY.name, one, OFFSET_BEGINNING) for one in left])
        while left and time.monotonic() < deadline:
            for message in consumer.consume(_RECORDS_AT_ONCE, timeout=0.5):
                partition: Any = message.partition()
                if message.error() is not None:
                    left.pop(partition, None)  # the end of a partition
                    continue
                records += 1
                _add(versions, message.key(), message.value())
                if (message.offset() or 0) + 1 >= left.get(partition, 0):
                    left.pop(partition, None)
    except KafkaException as problem:
        raise GridwatchError(
            f"{METER_REGISTRY.name} cannot be read: {problem.args[0].str()}", "gridwatch topics check"
        ) from problem
    finally:
        consumer.close()
    return Published(versions, records, not left)


def compare_book(connection: Connection, published: Published) -> Comparison:
    """Compare every row of the book that has no unpublished change."""
    comparison = Comparison()
    for entity in ENTITIES:
        key = entity.key.stored
        found = connection.exec_driver_sql(
            f"SELECT {key}, version FROM {entity.table} WHERE '{entity.name}:' || {key} NOT IN"
            " (SELECT entity FROM outbox WHERE published_at IS NULL)",
            execution_options={"stream_results": True, "yield_per": _FETCH_ROWS},
        )
        for rows in found.partitions(_FETCH_ROWS):
            for name, version in rows:
                comparison.add(f"{entity.prefix}{name}", version, published)
    return comparison


def _add(versions: dict[str, int], key: bytes | str | None, value: bytes | str | None) -> None:
    if key is None or value is None:
        return
    name = key if isinstance(key, str) else key.decode(errors="replace")
    try:
        version = _decode(value).version
    except msgspec.DecodeError:
        return
    # The last one stands, as compaction keeps it.
    versions[name] = version
