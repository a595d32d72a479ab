"""The partition row of the readings stage: its state as plain values, by position, in one place.

Versions 1 and 2 did not name their stage: there was but one.
"""

from __future__ import annotations

from typing import Any, Final

from gridwatch.domain.partition import PartitionState
from gridwatch.domain.reading import KeptReading
from gridwatch.domain.windows import Window
from gridwatch.tables.row_kind import RowKind

#: The stage that the first versions are of.
READINGS: Final = "readings"

#: Everything a window holds, in the order in which it is stored.
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
)


def plain_state(state: PartitionState) -> tuple[Any, ...]:
    """A partition's state in plain values."""
    return (
        state.partition,
        state.watermark,
        state.offset,
        state.index,
        state.done,
        state.told,
        state.invalid_before,
        tuple(tuple(reading) for reading in state.kept),
        tuple((start, _plain_window(state.windows[start])) for start in sorted(state.windows)),
        state.highest,
        state.record_time,
        state.reading_time,
        state.tick,
        state.replayed,
        state.meters,
        state.open_gaps,
    )


def _state(row: Any) -> PartitionState:
    kept = tuple(KeptReading(*reading) for reading in row[7])
    windows = {start: _window(window) for start, window in row[8]}
    partition, watermark, offset, index, done, told, invalid = row[:7]
    state = PartitionState(partition, watermark, offset, index, done, told, invalid, kept, windows)
    state.highest, state.record_time, state.reading_time, state.tick, state.replayed = row[9:14]
    state.meters, state.open_gaps = row[14:]
    return state


def _plain_window(window: Window) -> tuple[Any, ...]:
    return tuple(getattr(window, name) for name in _COUNTS)


def _window(counts: Any) -> Window:
    window = Window()
    for name, value in zip(_COUNTS, counts, strict=True):
        setattr(window, name, value)
    return window


def _plain(row: tuple[str, int, PartitionState]) -> tuple[Any, ...]:
    stage, generation, state = row
    return stage, generation, plain_state(state)


def _row(plain: Any, version: int) -> tuple[str, int, PartitionState]:
    stage, generation, state = (READINGS, *plain) if version < 3 else plain
    return stage, generation, _state(state)


PARTITION: Final = RowKind("partition", 3, _plain, _row)
