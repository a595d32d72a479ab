"""What is measured of a partition by wall clock: lag, cost, size."""

from __future__ import annotations

from gridwatch.domain.partition.state import PartitionState
from gridwatch.streaming.stage.pipeline import Pipeline
from gridwatch.streaming.stage.take_over import Owned

#: Every system metric of the worker, with its meaning.
SYSTEM_METRICS = {
    "watermark_lag_seconds": "wall time minus the partition's watermark",
    "consumer_lag_records": "raw records the broker holds beyond the committed state",
    "batch_seconds": "time the last batch took, from decode to RocksDB",
    "batch_records": "records in the last batch",
    "state_meters": "meters with state",
    "open_gaps": "gaps that are open now",
}


def measure(pipeline: Pipeline[PartitionState], owned: Owned[PartitionState], now: int) -> dict[str, float]:
    """The system metrics of one partition at wall time `now` (µs)."""
    state = owned.state
    measured = {
        "consumer_lag_records": float(pipeline.lag(owned.partition)),
        "batch_seconds": owned.batch_seconds,
        "batch_records": float(owned.batch_records),
        "state_meters": float(state.meters),
        "open_gaps": float(state.open_gaps),
    }
    if state.watermark is not None:
        measured["watermark_lag_seconds"] = (now - state.watermark) / 1e6
    return measured
