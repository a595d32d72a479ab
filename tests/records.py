"""Records that tests produce, and outputs that they consume.

Outputs are compared as an upserting consumer would see them: the last revision of each id counts, and records
with the same id and revision must be equal.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from gridwatch.domain.instants import format_instant
from gridwatch.domain.partitioning import partition_of
from gridwatch.tables.layout import PARTITION_KEY
from gridwatch.tables.readings import METERS
from gridwatch.topics import (
    AGGREGATES_1M,
    AGGREGATES_15M,
    ANOMALIES,
    DEAD_LETTERS,
    GAP_ALERTS,
    LATE_EVENTS,
    METRICS,
    RAW,
    TICK_HEADER,
    VALIDATED,
)
from gridwatch.topics import changelog as changelog_topic

#: The id field of a topic's records.
ID_FIELD = {
    VALIDATED.name: "id",
    LATE_EVENTS.name: "id",
    GAP_ALERTS.name: "gap_id",
    METRICS.name: "id",
    DEAD_LETTERS.name: "id",
    AGGREGATES_1M.name: "id",
    AGGREGATES_15M.name: "id",
    ANOMALIES.name: "anomaly_id",
}
PARTITIONS = 6
_READ_SECONDS = 30.0
#: Rows at the end of a changelog that usually include the end of its last commit.
_MARKS = 5

Outputs = dict[str, dict[str, dict[str, Any]]]
"""By topic, by id: the last revision."""


class Raw(NamedTuple):
    """A record for the raw topic."""

    partition: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


def reading(meter_id: str, timestamp: str, kwh: float = 1.0, **more: Any) -> Raw:
    """A valid reading, in the partition of its meter."""
    body = {"meter_id": meter_id, "timestamp": timestamp, "consumption_kwh": kwh, **more}
    return Raw(partition_of(meter_id, PARTITIONS), meter_id.encode(), json.dumps(body).encode())


def tick(instant: str | int, partition: int) -> Raw:
    """A tick of an instant, as text or µs, for one partition."""
    text = instant if isinstance(instant, str) else format_instant(instant)
    return Raw(partition, None, text.encode(), ((TICK_HEADER, b"1"),))


def ticks(instant: str | int) -> list[Raw]:
    """A tick for every partition."""
    return [tick(instant, partition) for partition in range(PARTITIONS)]


def meters_of(partition: int, count: int) -> list[str]:
    """The first meter ids of the form METER_0001 that live in the partition."""
    names = (f"METER_{number:04d}" for number in range(1, 10_000))
    found = [name for name in names if partition_of(name, PARTITIONS) == partition]
    return found[:count]


def produce(bootstrap: str, records: Iterable[Raw], topic: str = RAW.name) -> None:
    """Produce records to a raw topic, in this order within each partition, and wait for the acks."""
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "log_level": 0,
            "max.in.flight.requests.per.connection": 1,  # ordered, without initialising a producer id
            "linger.ms": 5,
            "message.max.bytes": 16 * 1024 * 1024,
        }
    )
    failed: list[KafkaError] = []
    for record in records:
        while True:
            try:
                producer.produce(
                    topic,
                    record.value,
                    record.key,
                    record.partition,
                    headers=list(record.headers),
                    on_delivery=lambda error, _message: failed.append(error) if error else None,
                )
                break
            except BufferError:
                producer.poll(0.1)
    left = producer.flush(_READ_SECONDS)
    assert not failed, failed
    assert not left, f"{left} records were not acknowledged"


def consumer(bootstrap: str, group: str = "tests") -> Consumer:
    """A consumer without group membership and commits."""
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            "log_level": 0,
            "group.id": group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
            "fetch.message.max.bytes": 32 * 1024 * 1024,
        }
    )


def ends(asking: Consumer, topic: str) -> dict[int, tuple[int, int]]:
    """(first, end) offsets of each partition with records."""
    partitions = asking.list_topics(topic, timeout=_READ_SECONDS).topics[topic].partitions
    found = {}
    for partition in sorted(partitions):
        low, high = asking.get_watermark_offsets(TopicPartition(topic, partition), timeout=_READ_SECONDS)
        if high > low:
            found[partition] = (low, high)
    return found


def read(bootstrap: str, topic: str, partition: int | None = None) -> list[Message]:
    """All records of a topic, or of one partition, at this moment, by partition and offset."""
    reader = consumer(bootstrap)
    try:
        found = {p: edges for p, edges in ends(reader, topic).items() if partition in {None, p}}
        return _read_to(reader, topic, {p: low for p, (low, _) in found.items()}, found)
    finally:
        reader.close()


def _read_to(
    reader: Consumer, topic: str, start: dict[int, int], found: dict[int, tuple[int, int]]
) -> list[Message]:
    if not start:
        return []
    reader.assign([TopicPartition(topic, partition, offset) for partition, offset in start.items()])
    waiting = set(start)
    messages: list[Message] = []
    deadline = time.monotonic() + _READ_SECONDS
    while waiting:
        batch = reader.consume(10_000, timeout=0.05)
        assert batch or time.monotonic() < deadline, f"{topic} could not be read to its end: {waiting}"
        for message in batch:
            error, end = message.error(), found.get(message.partition(), (0, 0))[1]
            if error is not None and error.code() != KafkaError._PARTITION_EOF:
                raise KafkaException(error)
            if error is None and message.offset() < end:
                messages.append(message)
            # Transaction markers and compacted offsets are never delivered.
            if error is not None or message.offset() + 1 >= end:
                waiting.discard(message.partition())
    return sorted(messages, key=lambda message: (message.partition(), message.offset()))


def positions(bootstrap: str, app_id: str) -> dict[int, int]:
    """The source position in the worker's committed state, by raw partition.

    It is in the last row of the last commit, which is followed at most by fences of new owners.
    """
    reader = consumer(bootstrap)
    reached: dict[int, int] = {}
    try:
        topic = changelog_topic(app_id).name
        found = ends(reader, topic)
        look_back = _MARKS
        while found:
            start = {partition: max(low, high - look_back) for partition, (low, high) in found.items()}
            for message in _read_to(reader, topic, start, found):
                key, row = message.key(), message.value()
                if key == PARTITION_KEY and METERS.is_ours(key, row):
                    state, _ = METERS.decode_partition(row or b"")
                    reached[message.partition()] = state.next_offset
            found = {p: edges for p, edges in found.items() if p not in reached and start[p] > edges[0]}
            look_back *= 10
    finally:
        reader.close()
    return reached


def raw_ends(bootstrap: str) -> dict[int, int]:
    """The end offset of each raw partition with records."""
    reader = consumer(bootstrap)
    try:
        return {partition: high for partition, (_, high) in ends(reader, RAW.name).items()}
    finally:
        reader.close()


def decoded(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """The records' values."""
    return [json.loads(message.value() or b"") for message in messages]


def last_revisions(topic: str, records: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The last revision of each id. Records with the same id and revision must be equal."""
    by_revision: dict[tuple[str, int], dict[str, Any]] = {}
    last: dict[str, dict[str, Any]] = {}
    for record in records:
        name, revision = record[ID_FIELD[topic]], record.get("revision", 0)
        before = by_revision.setdefault((name, revision), record)
        assert before == record, f"{topic}: {name} revision {revision} is inconsistent"
        if name not in last or last[name].get("revision", 0) < revision:
            last[name] = record
    return last


def all_outputs(bootstrap: str) -> Outputs:
    """The last revision of all outputs that are a function of the log."""
    found: Outputs = {}
    for topic in ID_FIELD:
        records = [record for record in decoded(read(bootstrap, topic)) if record.get("scope") != "system"]
        found[topic] = last_revisions(topic, records)
    return found
