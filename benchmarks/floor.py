"""The floor: a plain confluent-kafka loop with orjson and a dict. No durable state, no recovery."""

from __future__ import annotations

import os

import orjson
from confluent_kafka import Consumer, Producer, TopicPartition

from benchmarks.rules import Rules

OUTPUT = os.environ["BENCH_OUTPUT"]
bootstrap = os.environ["BENCH_BOOTSTRAP"]
partitions = int(os.environ["BENCH_PARTITIONS"])

consumer = Consumer(
    {
        "bootstrap.servers": bootstrap,
        "group.id": OUTPUT,
        "enable.auto.commit": False,
        "fetch.min.bytes": 100_000,
    }
)
consumer.assign([TopicPartition("smartmeter_raw", number, 0) for number in range(partitions)])
producer = Producer(
    {"bootstrap.servers": bootstrap, "linger.ms": 20, "batch.size": 1_000_000, "acks": "all"}
    | {"queue.buffering.max.messages": 2_000_000}
)
rules = Rules()
states: dict[str, list[float]] = {}
while True:
    for message in consumer.consume(5000, timeout=0.2):
        reading = orjson.loads(message.value())
        meter = reading["meter_id"]
        partition = message.partition()
        states[meter], validated = rules.judge(partition, reading, states.get(meter))
        producer.produce(OUTPUT, key=meter, value=orjson.dumps(validated), partition=partition)
    producer.poll(0)
