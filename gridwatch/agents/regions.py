"""The stage `regions`: bundles of partial sums in, rows of regions and incidents out."""

from __future__ import annotations

from typing import Any, Final

from gridwatch.codecs.regions import RegionsEncoder, partial_records
from gridwatch.domain.regions.kept import State
from gridwatch.domain.regions.processor import Processor
from gridwatch.domain.regions.records import source_name
from gridwatch.domain.regions.state import PartitionState
from gridwatch.settings import Settings
from gridwatch.streaming.stage.declaration import Stage
from gridwatch.tables.regions import REGIONS as LAYOUT
from gridwatch.tables.regions import stored_states
from gridwatch.tables.states import StoredStates
from gridwatch.topics import DEAD_LETTERS, INCIDENTS, REGIONAL_AGGREGATES, REGIONAL_PARTIALS, REGIONS_TABLE


def sources_of(settings: Settings) -> list[str]:
    """The names of all sources: every partition of the flows that take part."""
    return [
        source_name(flow, partition)
        for flow in settings.region_flows
        for partition in range(settings.partitions)
    ]


def _open(
    settings: Settings, partition: PartitionState, states: StoredStates[Any], stored: list[State]
) -> Processor:
    return Processor(sources_of(settings), settings.policy().allowed_lateness, partition, stored)


REGIONS: Final = Stage(
    name=LAYOUT.stage,
    meaning="Add up the load of regions, and notice when many meters fall silent together.",
    source=REGIONAL_PARTIALS,
    outputs=(REGIONAL_AGGREGATES, INCIDENTS, DEAD_LETTERS),
    table=REGIONS_TABLE,
    layout=LAYOUT,
    unpack=partial_records,
    new=PartitionState,
    index=stored_states,
    open=_open,
    encoder=RegionsEncoder,
)
