"""The input: readings in time order, a little late now and then, each about 170 bytes of JSON."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from functools import lru_cache

import msgspec
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from gridwatch.domain.partitioning import partition_of
from gridwatch.topics import RAW

START = datetime(2024, 1, 1, tzinfo=timezone.utc)
INTERVAL = timedelta(minutes=30)


class _Said(msgspec.Struct):
    meter_id: str
    timestamp: str
    status: str


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


def load(bootstrap: str, partitions: int, count: int, meters: int) -> None:
    """Put the input into the raw topic."""
    producer = Producer(
        # Idempotent, because a retry must not change the order: readings overtaken by others are late.
        {"bootstrap.servers": bootstrap, "linger.ms": 20, "batch.size": 500_000, "enable.idempotence": True}
        | {"log_level": 0}
        | {"queue.buffering.max.messages": 2_000_000, "queue.buffering.max.kbytes": 1_000_000}
    )
    places: dict[str, int] = {}
    for number, (name, value) in enumerate(readings(count, meters)):
        place = places.get(name)
        if place is None:
            place = places[name] = partition_of(name, partitions)
        producer.produce(RAW.name, key=name, value=value, partition=place)
        if number % 10_000 == 0:
            producer.poll(0)
    producer.flush()


@lru_cache(maxsize=1)
def _onlooker(bootstrap: str) -> Consumer:
    """One client for all looks at end offsets: a look every moment must cost the contestants nothing."""
    return Consumer({"bootstrap.servers": bootstrap, "group.id": "benchmarks", "log_level": 0})


def end_offsets(bootstrap: str, topic: str, partitions: int) -> list[int]:
    """The end offset of each partition."""
    return [_end_offset(_onlooker(bootstrap), TopicPartition(topic, number)) for number in range(partitions)]


def _end_offset(consumer: Consumer, partition: TopicPartition) -> int:
    for _ in range(50):
        try:
            end: int = consumer.get_watermark_offsets(partition, timeout=30)[1]
            return end
        except KafkaException:  # a topic just made may not have its leader yet
            time.sleep(0.1)
    raise RuntimeError(f"{partition.topic}: no leader")


def said_between(bootstrap: str, topic: str, first: list[int], last: list[int]) -> list[list[bytes]]:
    """What a contestant wrote: for each partition, in order, `meter|timestamp|status` of each record."""
    decode = msgspec.json.Decoder(_Said).decode
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "benchmarks", "enable.auto.commit": False}
    )
    consumer.assign([TopicPartition(topic, number, offset) for number, offset in enumerate(first)])
    said: list[list[bytes]] = [[] for _ in first]
    left = sum(last) - sum(first)
    while left > 0:
        for message in consumer.consume(10_000, timeout=10):
            if message.offset() < last[message.partition()]:
                record = decode(message.value())
                said[message.partition()].append(
                    f"{record.meter_id}|{record.timestamp}|{record.status}".encode()
                )
                left -= 1
    consumer.close()
    return said
