"""The stages and timers of the worker, topic by topic; in another flow they have that one's name.

smartmeter_raw ──► readings ──┬─► smartmeter_validated      readings that were accepted
     ▲                        ├─► smartmeter_late_events    readings too late to be processed
     │                        ├─► smartmeter_gap_alerts     gaps, one record a revision
     │                        ├─► smartmeter_metrics        counts by event-time window
     │                        └─► smartmeter_dead_letters   records that could not be read
     │                        └─► meters (RocksDB) + changelog, committed with the source offset
     └──────── idle_ticks         advances event time in silent partitions
               system_metrics ──► smartmeter_metrics        lag and cost, by wall clock

regional_partials ──► regions ──┬─► regional_aggregates     load of the regions, by quarter of an hour
     ▲                          ├─► incidents               many meters that fell silent together
     │                          ├─► smartmeter_dead_letters what is no bundle of a known source
     │                          └─► regions (RocksDB) + changelog
     └──────── source_out           goes on without sources that stand still

Bundles of partial sums come from the readings stage of every flow that takes part. The stage `regions` is in
the worker of the default flow, unless no flow does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridwatch.agents import idle_ticks, source_out, system_metrics
from gridwatch.agents.readings import readings_of
from gridwatch.agents.regions import REGIONS
from gridwatch.kafka.emission import Emitter
from gridwatch.settings import Settings
from gridwatch.streaming.stage.declaration import Stage
from gridwatch.streaming.stage.pipeline import Pipeline
from gridwatch.tables.readings import METERS
from gridwatch.topics import flow


def stages(settings: Settings) -> tuple[Stage[Any], ...]:
    """The stages of the worker, each after its upstream stages."""
    readings = readings_of(flow(settings.flow))
    return (readings, REGIONS) if settings.adds_up_regions else (readings,)


def register(app: Any, settings: Settings, pipelines: Mapping[str, Pipeline[Any]], emitter: Emitter) -> None:
    """Declare the timers of the worker, whose pipelines are given by the names of the stages."""
    readings = pipelines[METERS.stage]
    idle_ticks.register(app, settings, readings, emitter)
    system_metrics.register(app, settings, readings, emitter)
    if settings.adds_up_regions:
        source_out.register(app, settings, pipelines[REGIONS.name], emitter)
