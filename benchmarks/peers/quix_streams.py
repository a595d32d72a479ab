"""Quix Streams: the same job with its RocksDB state; BENCH_CHANGELOG switches its changelog topics on."""

from __future__ import annotations

import os
from typing import Any

from quixstreams import Application, State, message_context

from benchmarks.peers.rules import Rules, judge

app = Application(
    broker_address=os.environ["BENCH_BOOTSTRAP"],
    consumer_group=os.environ["BENCH_OUTPUT"],
    auto_offset_reset="earliest",
    state_dir=os.environ["BENCH_DATADIR"],
    use_changelog_topics=os.environ["BENCH_CHANGELOG"] == "1",
    producer_extra_config={"linger.ms": 20, "batch.size": 1_000_000},
    loglevel="WARNING",
)
rules = Rules()


def keep(reading: dict[str, Any], state: State) -> dict[str, Any]:
    """Classify each reading; the state is by its key, the meter."""
    time, watermark = rules.place(message_context().partition, reading)
    kept, validated = judge(reading, time, watermark, state.get("meter"))
    state.set("meter", kept)
    return validated


readings = app.dataframe(app.topic(os.environ["BENCH_INPUT"], value_deserializer="json"))
readings = readings.apply(keep, stateful=True)
readings.to_topic(app.topic(os.environ["BENCH_OUTPUT"], value_serializer="json"))

if __name__ == "__main__":
    app.run()
