"""The readings stage: readings and ticks in, validated readings, late events, gaps, metrics, dead letters
out."""

from __future__ import annotations

from collections.abc import Iterable
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
from gridwatch.topics import OUTPUTS, RAW, STATE_TABLE


def _open(
    settings: Settings,
    partition: PartitionState,
    meters: StoredStates[MeterState],
    due: Iterable[tuple[int, str]],
) -> Processor:
    return Processor(
        settings.policy(),
        partition,
        meters,
        due=due,
        decode=decode_readings,
        decode_other=decode_telemetry,
    )


READINGS: Final = Stage(
    name=METERS.stage,
    meaning="Validate readings, tell late from on time, notice missing ones, keep each meter's state.",
    source=RAW,
    outputs=OUTPUTS,
    table=STATE_TABLE,
    layout=METERS,
    unpack=log_records,
    new=PartitionState,
    index=due_times,
    open=_open,
    encoder=ReadingsEncoder,
)
