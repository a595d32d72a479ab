"""Quix Streams: its own tumbling windows of event time, summed in RocksDB, with changelog topics."""

from __future__ import annotations

import os
from typing import Any

from quixstreams import Application

from benchmarks.peers.windows.rules import LENGTH, WAIT, row, time_of

app = Application(
    broker_address=os.environ["BENCH_BOOTSTRAP"],
    consumer_group=os.environ["BENCH_OUTPUT"],
    auto_offset_reset="earliest",
    state_dir=os.environ["BENCH_DATADIR"],
    producer_extra_config={"linger.ms": 20, "batch.size": 1_000_000},
    loglevel="WARNING",
)


def stamp_of(value: dict[str, Any], headers: object, timestamp: float, kind: object) -> int:
    """Event time in milliseconds: that of the record is the broker's."""
    return int(time_of(value["timestamp"]) * 1000)


def energy_of(reading: dict[str, Any]) -> float:
    """What is summed."""
    energy: float = reading["consumption_kwh"]
    return energy


def record_of(window: dict[str, Any], key: str, timestamp: int, headers: object) -> dict[str, Any]:
    """The record of a window that was closed."""
    return row(key, window["start"] // 1000, window["value"])


raw = app.topic(
    os.environ["BENCH_INPUT"], key_deserializer="str", value_deserializer="json", timestamp_extractor=stamp_of
)
output = app.topic(os.environ["BENCH_OUTPUT"], key_serializer="str", value_serializer="json")
sums = app.dataframe(raw).apply(energy_of)
sums = sums.tumbling_window(duration_ms=LENGTH * 1000, grace_ms=WAIT * 1000).sum()
sums.final(closing_strategy=os.environ["BENCH_CLOSING"]).apply(record_of, metadata=True).to_topic(output)

if __name__ == "__main__":
    app.run()
