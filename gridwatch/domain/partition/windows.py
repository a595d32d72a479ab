"""Counts of one partition by event-time window.

A reading counts in the window of its own timestamp. Everything else (dead letters, too late readings, gaps
opened and closed, slots that became missing) counts in the window of the watermark.

Windows that are new or changed are emitted, with their next revision, whenever the watermark crosses the end
of a window: all twelve counts of each, ordered by window and name. A window is dropped once the watermark
is at or beyond its end + allowed lateness: nothing can count in it any more. Empty windows do not exist.

Energy over a gap of which a part came too late for the windows of consumption is counted in
``energy_unplaced_kwh``, where there is some.

``readings_received`` = validated + duplicate + too_late + invalid. Consumption is summed in whole micro-kWh,
half up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gridwatch.domain.outputs import Metric

_new: Final = tuple.__new__  # a named tuple's own constructor takes three times as long


class Window:
    """The counts of one window."""

    def __init__(self) -> None:
        self.on_time = 0
        """Validated with status OK."""
        self.late = 0
        """Validated with status LATE."""
        self.duplicate = 0
        self.revised = 0
        """Of the validated ones: those that replaced another value."""
        self.too_late = 0
        self.invalid = 0
        self.opened = 0
        self.closed = 0
        self.missing = 0
        self.active = 0
        """Meters with an applied reading in this window."""
        self.micro_kwh = 0
        self.unplaced = 0
        """Energy that is of windows of consumption which could not change any more, micro-Wh."""
        self.revision = 0
        """Revisions emitted so far."""
        self.changed = False


Windows = dict[int, Window]
"""Window by its start."""

METRICS: Final[dict[str, Callable[[Window], int | float]]] = {
    "active_meters": lambda window: window.active,
    "consumption_kwh": lambda window: window.micro_kwh / 1_000_000,
    "gaps_closed": lambda window: window.closed,
    "gaps_opened": lambda window: window.opened,
    "missing_intervals": lambda window: window.missing,
    "readings_duplicate": lambda window: window.duplicate,
    "readings_invalid": lambda window: window.invalid,
    "readings_late": lambda window: window.late,
    "readings_received": lambda window: (
        window.on_time + window.late + window.duplicate + window.too_late + window.invalid
    ),
    "readings_revised": lambda window: window.revised,
    "readings_too_late": lambda window: window.too_late,
    "readings_validated": lambda window: window.on_time + window.late,
}
"""Every count by its name, in order of the names."""


UNPLACED: Final = "energy_unplaced_kwh"
"""A count that is emitted only where there is something."""


def window_start(time: int, length: int) -> int:
    """Start of the window that ``time`` lies in."""
    return time - time % length


def window_at(windows: Windows, time: int, length: int) -> Window:
    """The window that ``time`` lies in, created if needed and marked as changed."""
    start = time - time % length
    window = windows.get(start)
    if window is None:
        window = windows[start] = Window()
    window.changed = True
    return window


def emit_changed(windows: Windows, partition: int, length: int) -> list[Metric]:
    """The metrics of the windows that are new or changed since they were last emitted."""
    emitted = []
    for start in sorted(start for start, window in windows.items() if window.changed):
        window = windows[start]
        window.revision += 1
        window.changed = False
        emitted += [
            _new(Metric, (name, count(window), start, start + length, window.revision, partition))
            for name, count in METRICS.items()
        ]
        if window.unplaced > 0:
            lost = window.unplaced / 1_000_000_000
            emitted.append(_new(Metric, (UNPLACED, lost, start, start + length, window.revision, partition)))
    return emitted


def drop_passed(windows: Windows, watermark: int, length: int, allowed_lateness: int) -> None:
    """Drop the windows in which nothing can count any more."""
    for start in [start for start in windows if start + length + allowed_lateness <= watermark]:
        del windows[start]
