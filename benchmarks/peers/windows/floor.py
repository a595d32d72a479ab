"""The floor: a plain confluent-kafka loop, sums in a dict. No durable state, no recovery."""

from __future__ import annotations

import os
from collections import defaultdict

import orjson
from confluent_kafka import Consumer, Producer, TopicPartition

from benchmarks.peers.windows.rules import minute_of, over_at, row, time_of

OUTPUT = os.environ["BENCH_OUTPUT"]
bootstrap = os.environ["BENCH_BOOTSTRAP"]
partitions = int(os.environ["BENCH_PARTITIONS"])

consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": OUTPUT, "enable.auto.commit": False})
consumer.assign([TopicPartition(os.environ["BENCH_INPUT"], number, 0) for number in range(partitions)])
producer = Producer(
    {"bootstrap.servers": bootstrap, "linger.ms": 20, "batch.size": 1_000_000, "acks": "all"}
    | {"queue.buffering.max.messages": 2_000_000, "queue.buffering.max.kbytes": 1_000_000}
)
#: Of each partition, the sums of its meters by minute, and the highest time.
open_minutes: list[dict[int, dict[str, float]]] = [{} for _ in range(partitions)]
highest = [0.0] * partitions


def close(partition: int, last: int) -> None:
    """Write the minutes of a partition up to `last`."""
    minutes = open_minutes[partition]
    for minute in [one for one in minutes if one <= last]:
        for meter, energy in minutes.pop(minute).items():
            value = orjson.dumps(row(meter, minute, energy))
            producer.produce(OUTPUT, key=meter, value=value, partition=partition)


while True:
    for message in consumer.consume(5000, timeout=0.02):
        reading = orjson.loads(message.value())
        partition = message.partition()
        time = time_of(reading["timestamp"])
        minute = minute_of(time)
        sums = open_minutes[partition].get(minute)
        if sums is None:
            sums = open_minutes[partition][minute] = defaultdict(float)
        sums[reading["meter_id"]] += reading["consumption_kwh"]
        if time > highest[partition]:
            highest[partition] = time
            close(partition, over_at(time))
    producer.poll(0)
