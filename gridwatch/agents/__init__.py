"""The stages and timers of the worker, topic by topic; in another flow they have that one's name.

smartmeter_raw ──► readings ──┬─► smartmeter_validated      readings that were accepted
     ▲                        ├─► smartmeter_late_events    readings too late to be processed
     │                        ├─► smartmeter_gap_alerts     gaps, one record a revision
     │                        ├─► smartmeter_metrics        counts by event-time window
     │                        └─► smartmeter_dead_letters   records that could not be read
     │                        └─► meters (RocksDB) + changelog, committed with the source offset
     └──────── idle_ticks         advances event time in silent partitions
               system_metrics ──► smartmeter_metrics        lag and cost, by wall clock
"""

from __future__ import annotations

from typing import Any

from gridwatch.agents import idle_ticks, system_metrics
from gridwatch.agents.readings import readings_of
from gridwatch.domain.partition.state import PartitionState
from gridwatch.kafka.emission import Emitter
from gridwatch.settings import Settings
from gridwatch.streaming.stage.declaration import Stage
from gridwatch.streaming.stage.pipeline import Pipeline
from gridwatch.topics import flow


def stages(settings: Settings) -> tuple[Stage[Any], ...]:
    """The stages of the worker, each after its upstream stages."""
    return (readings_of(flow(settings.flow)),)


def register(app: Any, settings: Settings, readings: Pipeline[PartitionState], emitter: Emitter) -> None:
    """Declare the timers of the worker."""
    idle_ticks.register(app, settings, readings, emitter)
    system_metrics.register(app, settings, readings, emitter)
