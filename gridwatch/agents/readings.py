"""The readings stage of a flow: readings and ticks in, validated readings, late events, gaps, metrics, dead
letters out."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, partial
from typing import Final

from gridwatch.codecs.decode import decode_readings, decode_telemetry, log_records
from gridwatch.codecs.wire import ReadingsEncoder
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.partition.processor import Processor
from gridwatch.domain.partition.state import PartitionState
from gridwatch.settings import Settings
from gridwatch.streaming.stage.declaration import Stage
from gridwatch.tables.readings import METERS, due_times
from gridwatch.tables.states import StoredStates
from gridwatch.topics import REGIONAL_PARTIALS, SMARTMETER, STATE_TABLE, Flow


def _open(
    settings: Settings,
    partition: PartitionState,
    meters: StoredStates[MeterState],
    due: Iterable[tuple[int, str, int]],
) -> Processor:
    return Processor(
        settings.policy(),
        partition,
        meters,
        due=due,
        decode=decode_readings,
        decode_other=decode_telemetry,
    )


@cache
def readings_of(flow: Flow) -> Stage[PartitionState]:
    """The stage on the topics of a flow."""
    return Stage(
        name=METERS.stage,
        meaning="Validate readings, tell late from on time, notice missing ones, keep each meter's state.",
        source=flow.raw,
        outputs=(*flow.outputs, REGIONAL_PARTIALS),
        table=STATE_TABLE,
        layout=METERS,
        unpack=log_records,
        new=PartitionState,
        index=due_times,
        open=_open,
        encoder=partial(ReadingsEncoder, flow),
    )


#: That of the default flow.
READINGS: Final = readings_of(SMARTMETER)
