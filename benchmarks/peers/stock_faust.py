"""Stock Faust: the same job with a RocksDB table and its changelog, as in its documentation."""

from __future__ import annotations

import os

import faust

from benchmarks.peers.rules import Rules, judge

OUTPUT = os.environ["BENCH_OUTPUT"]
partitions = int(os.environ["BENCH_PARTITIONS"])

app = faust.App(
    OUTPUT,
    broker=f"kafka://{os.environ['BENCH_BOOTSTRAP']}",
    store="rocksdb://",
    datadir=os.environ["BENCH_DATADIR"],
    topic_partitions=partitions,
    topic_disable_leader=True,
    table_standby_replicas=0,
    consumer_auto_offset_reset="earliest",
    broker_max_poll_records=5000,
    stream_buffer_maxsize=16384,
    producer_linger=0.02,
    producer_max_batch_size=1_000_000,
    stream_recovery_delay=0.0,
    web_enabled=False,
)
raw = app.topic(os.environ["BENCH_INPUT"], key_type=str, value_serializer="json")
validated = app.topic(OUTPUT, key_type=str, value_serializer="json")
states = app.Table("states", key_type=str, partitions=partitions)
rules = Rules()


@app.agent(raw)
async def readings(stream: faust.Stream) -> None:
    """Classify each reading."""
    async for event in stream.events():
        reading = event.value
        partition = event.message.partition
        meter = reading["meter_id"]
        time, watermark = rules.place(partition, reading)
        states[meter], output = judge(reading, time, watermark, states.get(meter))
        await validated.send(key=meter, value=output, partition=partition)
