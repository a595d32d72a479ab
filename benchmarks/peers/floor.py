"""The floor: a plain confluent-kafka loop with orjson and a dict. No durable state, no recovery."""

from __future__ import annotations

import os

import orjson
from confluent_kafka import Consumer, Producer, TopicPartition

from benchmarks.peers.rules import Rules, State, judge

OUTPUT = os.environ["BENCH_OUTPUT"]
bootstrap = os.environ["BENCH_BOOTSTRAP"]
partitions = int(os.environ["BENCH_PARTITIONS"])

consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": OUTPUT, "enable.auto.commit": False})
consumer.assign([TopicPartition(os.environ["BENCH_INPUT"], number, 0) for number in range(partitions)])
producer = Producer(
    {"bootstrap.servers": bootstrap, "linger.ms": 20, "batch.size": 1_000_000, "acks": "all"}
    | {"queue.buffering.max.messages": 2_000_000, "queue.buffering.max.kbytes": 1_000_000}
)
rules = Rules()
states: dict[str, State] = {}
while True:
    for message in consumer.consume(5000, timeout=0.02):
        reading = orjson.loads(message.value())
        meter = reading["meter_id"]
        partition = message.partition()
        time, watermark = rules.place(partition, reading)
        states[meter], validated = judge(reading, time, watermark, states.get(meter))
        producer.produce(OUTPUT, key=meter, value=orjson.dumps(validated), partition=partition)
    producer.poll(0)
