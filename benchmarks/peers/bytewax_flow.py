"""Bytewax: the same job with its own keyed state, in memory, without recovery."""

from __future__ import annotations

import os
from typing import Any

import bytewax.operators as op
import orjson
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from confluent_kafka import OFFSET_BEGINNING

from benchmarks.peers.rules import Rules, State, judge

BROKERS = [os.environ["BENCH_BOOTSTRAP"]]
rules = Rules()

Placed = tuple[dict[str, Any], float, float]


def place(messages: list[KafkaSourceMessage]) -> list[tuple[str, Placed]]:
    """Decode, and compare with the partition's watermark, in log order."""
    placed = []
    for message in messages:
        reading = orjson.loads(message.value)
        time, watermark = rules.place(message.partition, reading)
        placed.append((reading["meter_id"], (reading, time, watermark)))
    return placed


def keep(state: State | None, placed: Placed) -> tuple[State, dict[str, Any]]:
    """Classify by the meter's state."""
    return judge(*placed, state)


def write(judged: list[tuple[str, dict[str, Any]]]) -> list[KafkaSinkMessage]:
    """Encode."""
    return [KafkaSinkMessage(meter.encode(), orjson.dumps(validated)) for meter, validated in judged]


flow = Dataflow("bench")
source = KafkaSource(BROKERS, [os.environ["BENCH_INPUT"]], starting_offset=OFFSET_BEGINNING, batch_size=5000)
sink = KafkaSink(
    BROKERS,
    os.environ["BENCH_OUTPUT"],
    add_config={"linger.ms": "20", "batch.size": "1000000", "partitioner": "murmur2_random"}
    | {"queue.buffering.max.messages": "2000000"},
)
raw = op.input("raw", flow, source)
by_meter = op.flat_map_batch("place", raw, place)
judged = op.stateful_map("keep", by_meter, keep)
op.output("validated", op.flat_map_batch("write", judged, write), sink)
