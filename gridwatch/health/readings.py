"""Observes what only the readings stage has: event time, meters, gaps."""

from __future__ import annotations

from typing import Any

from gridwatch.clock import now_micros
from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.partition.ticks import idle_instant
from gridwatch.durations import micros
from gridwatch.health.checks import Partition
from gridwatch.health.progress import Progress
from gridwatch.health.stage import StageWatch
from gridwatch.kafka.broker_monitor import BrokerView
from gridwatch.settings import Settings
from gridwatch.streaming.stage.pipeline import Pipeline
from gridwatch.streaming.stage.take_over import OwnedPartition


def measure(
    pipeline: Pipeline[PartitionState], owned: OwnedPartition[PartitionState], now: int
) -> dict[str, float]:
    """The worker's system metrics of one partition at wall time `now` (µs)."""
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


class ReadingsWatch(StageWatch[PartitionState]):
    """Observes the partitions of the readings stage."""

    def __init__(
        self, app: Any, settings: Settings, pipeline: Pipeline[PartitionState], *, named: bool
    ) -> None:
        super().__init__(app, pipeline, named=named)
        self._idle_timeout = micros(settings.idle_timeout)
        self._idle_delay = micros(settings.idle_delay)
        self._watermarks = Progress()
        self._watermarks_stalled: dict[int, float] = {}

    def observe(self, now: float, view: BrokerView, *, state_ready: bool) -> list[Partition]:
        """The same; records the progress of watermarks too."""
        self._watermarks_stalled = self._watermarks.observe(now, self._moving_watermarks())
        return super().observe(now, view, state_ready=state_ready)

    def _moving_watermarks(self) -> dict[int, tuple[int, int]]:
        """The watermarks that should move with wall time, as positions that always have records waiting."""
        return {
            partition: (owned.state.watermark, owned.state.watermark + 1)
            for partition, owned in self._pipeline.owned.items()
            if owned.state.watermark is not None and not owned.state.replayed
        }

    def _ticks_overdue(self) -> dict[int, float]:
        now = now_micros()
        overdue = {}
        for partition, owned in self._pipeline.owned.items():
            due = idle_instant(
                owned.state,
                now,
                caught_up=owned.state.next_offset >= (self.end_offset(partition) or 0),
                idle_timeout=self._idle_timeout,
                idle_delay=self._idle_delay,
            )
            silent = now - (owned.state.record_time or now)
            overdue[partition] = 0.0 if due is None else (silent - self._idle_timeout) / 1e6
        return overdue

    def values(self, one: Partition, now: int, *, state_ready: bool) -> dict[str, float | None]:
        """The same, with meters and gaps from the committed state."""
        state = self.committed(one.number) if state_ready else None
        return {
            "state_meters": None if state is None else state.meters,
            "open_gaps": None if state is None else state.open_gaps,
            "jump_candidates": None if state is None else len(state.held),
            "watermark_stalled_seconds": self._watermarks_stalled.get(one.number),
            **super().values(one, now, state_ready=state_ready),
        }

    def measured(self, owned: OwnedPartition[PartitionState], now: int) -> dict[str, float | None]:
        """The system metrics of the metrics topic."""
        return dict(measure(self._pipeline, owned, now))
