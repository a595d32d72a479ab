"""The flow, topic by topic.

smartmeter_raw ──► readings ──┬─► smartmeter_validated      readings that were accepted
     ▲                        ├─► smartmeter_late_events    readings too late to be processed
     │                        ├─► smartmeter_gap_alerts     gaps, one record a revision
     │                        ├─► smartmeter_metrics        counts by event-time window
     │                        └─► smartmeter_dead_letters   what could not be read
     │                        └─► meters (RocksDB) + changelog, committed with the source offset
     └──────── idle_ticks         moves event time on in partitions that have fallen silent
               system_metrics ──► smartmeter_metrics        lag and cost, by wall clock
"""

from __future__ import annotations

from typing import Any

from gridwatch.agents import idle_ticks, readings, system_metrics
from gridwatch.kafka.emission import Emitter
from gridwatch.settings import Settings
from gridwatch.streaming.pipeline import Pipeline


def register(app: Any, settings: Settings, pipeline: Pipeline, emitter: Emitter) -> None:
    """Declare every agent and timer of the worker."""
    lanes = readings.register(app, pipeline, emitter)
    idle_ticks.register(app, settings, pipeline, lanes, emitter)
    system_metrics.register(app, pipeline, emitter)
