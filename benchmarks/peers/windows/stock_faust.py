"""Stock Faust: a tumbling table in RocksDB with its changelog; a meter's readings close its minutes.

Its `on_window_close` is called by wall-clock time, long before readings of the past are complete, so that it
cannot give these sums. `expires` goes by the same clock and is left out, which saves it the cleaning.
"""

from __future__ import annotations

import os

import faust

from benchmarks.peers.windows.rules import LENGTH, over_at, row, time_of

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
minutes = app.topic(OUTPUT, key_type=str, value_serializer="json")


def event_time(event: faust.types.EventT) -> float:
    """What windows go by: the timestamp of the record is the broker's."""
    return time_of(event.value["timestamp"])


sums = app.Table("sums", key_type=str, partitions=partitions, default=float).tumbling(float(LENGTH))
sums = sums.relative_to(event_time)
#: The newest minute of each meter that was written; after a restart its next reading finds that out again.
written: dict[str, int] = {}


@app.agent(raw)
async def readings(stream: faust.Stream) -> None:
    """Add each reading, and write the minute of its meter that it completes."""
    async for event in stream.events():
        reading = event.value
        meter = reading["meter_id"]
        sums[meter] += reading["consumption_kwh"]
        minute = over_at(time_of(reading["timestamp"]))
        if minute > written.get(meter, 0):
            written[meter] = minute
            # Zero: the meter has no reading in it.
            if energy := sums.relative_to(float(minute))[meter].value():
                value = row(meter, minute, energy)
                await minutes.send(key=meter, value=value, partition=event.message.partition)
