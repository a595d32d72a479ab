"""Bytewax: its own fold over tumbling windows of event time, in memory, without recovery.

Its clock goes by event time alone: by default it adds the system time since the newest reading, which drops
readings of a replay as late that are not.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from functools import cache

import bytewax.operators as op
import bytewax.operators.windowing as w
import orjson
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from confluent_kafka import OFFSET_BEGINNING

from benchmarks.peers.windows.rules import LENGTH, WAIT, row, time_of

BROKERS = [os.environ["BENCH_BOOTSTRAP"]]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: Time and energy.
Used = tuple[datetime, float]


@cache
def moment_of(stamp: str) -> datetime:
    """The time that windows are made by."""
    return datetime.fromtimestamp(time_of(stamp), UTC)


def used(messages: list[KafkaSourceMessage]) -> list[tuple[str, Used]]:
    """Decode."""
    readings = [orjson.loads(message.value) for message in messages]
    return [(one["meter_id"], (moment_of(one["timestamp"]), one["consumption_kwh"])) for one in readings]


def write(closed: list[tuple[str, tuple[int, float]]]) -> list[KafkaSinkMessage]:
    """Encode; a window is numbered from the epoch on."""
    return [
        KafkaSinkMessage(meter.encode(), orjson.dumps(row(meter, number * LENGTH, energy)))
        for meter, (number, energy) in closed
    ]


flow = Dataflow("bench")
source = KafkaSource(BROKERS, [os.environ["BENCH_INPUT"]], starting_offset=OFFSET_BEGINNING, batch_size=5000)
sink = KafkaSink(
    BROKERS,
    os.environ["BENCH_OUTPUT"],
    add_config={"linger.ms": "20", "batch.size": "1000000", "partitioner": "murmur2_random"}
    | {"queue.buffering.max.messages": "2000000"},
)
clock = w.EventClock(
    ts_getter=lambda one: one[0],
    wait_for_system_duration=timedelta(seconds=WAIT),
    now_getter=lambda: EPOCH,
    to_system_utc=lambda _: None,
)
minutes = w.TumblingWindower(length=timedelta(seconds=LENGTH), align_to=EPOCH)
by_meter = op.flat_map_batch("used", op.input("raw", flow, source), used)
closed = w.fold_window(
    "sum",
    by_meter,
    clock,
    minutes,
    builder=float,
    folder=lambda energy, one: energy + one[1],
    merger=lambda one, other: one + other,
    ordered=False,
)
op.output("minutes", op.flat_map_batch("write", closed.down, write), sink)
