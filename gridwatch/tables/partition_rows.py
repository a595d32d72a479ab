"""The partition row of the readings stage: its state as plain values, by position."""

from __future__ import annotations

from typing import Any, Final

from gridwatch.domain.calendar import Calendar
from gridwatch.domain.meter.usage import NO_VALUE, packed_values
from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.partition.windows import Window
from gridwatch.domain.reading import HeldReading
from gridwatch.tables.row_kind import RowKind

#: The fields of a window, in the order in which they are stored.
_COUNTS: Final = (
    "active",
    "changed",
    "closed",
    "duplicate",
    "invalid",
    "late",
    "micro_kwh",
    "missing",
    "on_time",
    "opened",
    "revised",
    "revision",
    "too_late",
    "unplaced",
)

_WITH_END: Final = 4
_WITH_REGISTRY: Final = 5
_WITH_SUMS: Final = 6
_WITH_FREQUENCY: Final = 7


def plain_state(state: PartitionState) -> tuple[Any, ...]:
    """A partition's state as plain values."""
    return (
        state.partition,
        state.watermark,
        state.offset,
        state.index,
        state.done,
        state.emitted_until,
        state.invalid_before,
        tuple(tuple(reading) for reading in state.held),
        tuple((start, _plain_window(state.windows[start])) for start in sorted(state.windows)),
        state.highest,
        state.record_time,
        state.reading_time,
        state.tick,
        state.replayed,
        state.meters,
        state.open_gaps,
        state.end,
        state.end_reached,
        state.tick_time,
        state.crossed,
        state.crossing,
        state.new_regions,
        state.resident,
    )


def _state(row: Any, version: int) -> PartitionState:
    held = tuple(_held(reading, version) for reading in row[7])
    windows = {start: _window(window) for start, window in row[8]}
    partition, watermark, offset, index, done, emitted_until, invalid = row[:7]
    state = PartitionState(partition, watermark, offset, index, done, emitted_until, invalid, held, windows)
    state.highest, state.record_time, state.reading_time, state.tick, state.replayed = row[9:14]
    state.meters, state.open_gaps = row[14:16]
    if version >= _WITH_END:
        state.end, state.end_reached = row[16:18]
    state.tick_time = row[18] if version >= _WITH_REGISTRY else state.record_time
    if version >= _WITH_SUMS:
        state.crossed, crossing, new_regions, state.resident = row[19:23]
        state.crossing = None if crossing is None else tuple(crossing)
        state.new_regions = tuple(new_regions)
    return state


def _held(reading: Any, version: int) -> HeldReading:
    meter_id, time, kwh, interval, region = reading[:5]
    value = reading[5] if version >= _WITH_END else kwh
    calendar = reading[6] if version >= _WITH_REGISTRY else None
    known = None if calendar is None else Calendar(*calendar)
    measures = reading[7] if version >= _WITH_SUMS else b""
    if measures and version < _WITH_FREQUENCY:
        measures += packed_values((0, 0, 0, 0, NO_VALUE))[-4:]
    return HeldReading(meter_id, time, kwh, interval, region, value, known, measures)


def _plain_window(window: Window) -> tuple[Any, ...]:
    return tuple(getattr(window, name) for name in _COUNTS)


def _window(counts: Any) -> Window:
    window = Window()
    for name, value in zip(_COUNTS, counts, strict=False):  # older ones have fewer
        setattr(window, name, value)
    return window


PARTITION: Final = RowKind("partition", _WITH_FREQUENCY, plain_state, _state)
