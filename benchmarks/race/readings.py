"""The input: readings in time order, a little late now and then, each about 170 bytes of JSON."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Any

import msgspec
from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from benchmarks.peers.rules import Rules
from gridwatch.deployment.polling import until
from gridwatch.domain.partitioning import partition_of
from gridwatch.topics import RAW

START = datetime(2024, 1, 1, tzinfo=UTC)
INTERVAL = timedelta(minutes=30)
LEADER_SECONDS = 60.0

_decode_reading = msgspec.json.Decoder(dict[str, Any]).decode


class Record(msgspec.Struct):
    """Of a validated reading, what every contestant can express."""

    meter_id: str
    timestamp: str
    status: str
    consumption_kwh: float
    delay_seconds: float


_decode_record = msgspec.json.Decoder(Record).decode


class Outputs:
    """A multiset of outputs: equal ones have the same count, and the same sum of 64-bit hashes."""

    def __init__(self) -> None:
        self.count = 0
        self._late = 0
        self._sum = 0

    def add(self, record: Record) -> None:
        """One more."""
        self.count += 1
        self._late += record.status != "OK"
        stated = (
            record.meter_id,
            record.timestamp,
            record.status,
            record.consumption_kwh,
            record.delay_seconds,
        )
        self._sum = (self._sum + hash(stated)) & 0xFFFFFFFFFFFFFFFF

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Outputs) and (self.count, self._sum) == (other.count, other._sum)

    def __hash__(self) -> int:
        return hash((self.count, self._sum))

    def __str__(self) -> str:
        return f"{self.count:,} readings, {self._late:,} of them late, sum {self._sum:016x}"


def readings(count: int, meters: int, seed: int = 1) -> Iterator[tuple[str, bytes]]:
    """`count` (meter_id, JSON) pairs: every slot all meters in a shuffled order, 1% of them a slot late."""
    chance = random.Random(seed)
    names = [f"METER_{number:07d}" for number in range(meters)]
    held: list[tuple[str, bytes]] = []
    made = 0
    slot = 0
    while made < count:
        stamp = (START + slot * INTERVAL).strftime("%Y-%m-%dT%H:%M:%SZ")
        chance.shuffle(names)
        late, held = held, []
        for name in names:
            kwh = round(chance.uniform(0.05, 2.5), 3)
            value = (
                f'{{"meter_id":"{name}","timestamp":"{stamp}","consumption_kwh":{kwh},'
                f'"interval_minutes":30,"region":"north-{int(name[-1]) % 4}","voltage":230.{slot % 10},'
                f'"power_factor":0.97}}'
            ).encode()
            if chance.random() < 0.01:
                held.append((name, value))
                continue
            yield name, value
            made += 1
            if made == count:
                return
        for reading in late:
            yield reading
            made += 1
            if made == count:
                return
        slot += 1


@dataclass(frozen=True)
class Span:
    """The records of a topic from the offsets `first` up to `last`, by partition."""

    topic: str
    first: list[int]
    last: list[int]

    @property
    def count(self) -> int:
        """How many they are."""
        return sum(self.last) - sum(self.first)


class Feed:
    """A topic that is filled with the input, and the expected outputs."""

    def __init__(self, bootstrap: str, topic: str, partitions: int, meters: int) -> None:
        self.topic = topic
        self.count = 0
        self.expected = Outputs()
        self._bootstrap = bootstrap
        self._partitions = partitions
        self._readings = self._endless(meters)
        self._rules = Rules()
        self._places: dict[str, int] = {}

    def wanted(self, output: str) -> int:
        """How many records belong into an output: one per reading."""
        return self.count

    def processed(self, output: Span) -> int:
        """How many readings a contestant has processed that has written these records."""
        return output.count

    def problem(self, output: str, values: Iterable[bytes]) -> str:
        """What is wrong with the records that a contestant wrote to `output`; empty if nothing is."""
        outputs = Outputs()
        for value in values:
            outputs.add(_decode_record(value))
        return "" if outputs == self.expected else f"wrote: {outputs}; expected: {self.expected}"

    def extend(self, count: int) -> None:
        """Go on until the topic holds `count` readings."""
        producer = Producer(
            # Idempotent, because a retry must not change the order: readings overtaken by others are late.
            {"bootstrap.servers": self._bootstrap, "enable.idempotence": True, "log_level": 0}
            | {"linger.ms": 20, "batch.size": 500_000}
            | {"queue.buffering.max.messages": 2_000_000, "queue.buffering.max.kbytes": 1_000_000}
        )
        for name, value in islice(self._readings, max(0, count - self.count)):
            place = self._places.get(name)
            if place is None:
                place = self._places[name] = partition_of(name, self._partitions)
            reading = _decode_reading(value)
            time, watermark = self._rules.place(place, reading)
            self._expect(reading, time, watermark)
            producer.produce(self.topic, key=name, value=value, partition=place)
            self.count += 1
            if self.count % 10_000 == 0:
                producer.poll(0)
        producer.flush()

    def _endless(self, meters: int) -> Iterator[tuple[str, bytes]]:
        return readings(sys.maxsize, meters)

    def _expect(self, reading: dict[str, Any], time: float, watermark: float) -> None:
        """Take note of the outputs that belong to one more reading. Times in seconds since the epoch."""
        late = time < watermark
        self.expected.add(
            Record(
                reading["meter_id"],
                reading["timestamp"],
                "LATE" if late else "OK",
                reading["consumption_kwh"],
                watermark - time if late else 0.0,
            )
        )


def load(bootstrap: str, partitions: int, count: int, meters: int) -> None:
    """Put the input into the raw topic."""
    Feed(bootstrap, RAW.name, partitions, meters).extend(count)


@lru_cache(maxsize=1)
def _onlooker(bootstrap: str) -> AdminClient:
    """One client for all polls of end offsets: frequent polls must not cost the contestants anything."""
    return AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})


def end_offsets(bootstrap: str, topic: str, partitions: int) -> list[int]:
    """The end offset of each partition."""
    wanted = {TopicPartition(topic, number): OffsetSpec.latest() for number in range(partitions)}

    def ends() -> list[int]:
        asked = _onlooker(bootstrap).list_offsets(wanted, request_timeout=30)
        try:
            found = {partition.partition: future.result().offset for partition, future in asked.items()}
        except KafkaException:
            _onlooker.cache_clear()  # once a topic was deleted, a client may not see new ones any more
            raise
        return [found[number] for number in range(partitions)]

    # A topic just made may not have its leaders yet.
    return until("every partition has a leader", ends, LEADER_SECONDS, pause=0.1, transient=(KafkaException,))


def written_to(bootstrap: str, topic: str, partitions: int) -> Span:
    """All that is in a topic now."""
    return Span(topic, [0] * partitions, end_offsets(bootstrap, topic, partitions))


def records_of(bootstrap: str, span: Span) -> Iterator[Message]:
    """The records of a span, each partition in order."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "benchmarks",
            "enable.auto.commit": False,
            "log_level": 0,
        }
    )
    consumer.assign([TopicPartition(span.topic, number, offset) for number, offset in enumerate(span.first)])
    left = span.count
    while left > 0:
        for message in consumer.consume(10_000, timeout=10):
            if message.offset() < span.last[message.partition()]:
                yield message
                left -= 1
    consumer.close()
