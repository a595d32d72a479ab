"""Checks whether values that never fall are those of a register, taken for the energy of intervals.

A handful of a file's meters is watched, each until one of its values falls, which those of intervals soon do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

_Row = tuple[int, str, float, int, str]
#: Meters of a file that are watched, and how long at most.
_WATCHED = 8
_MOST_READINGS = 500
#: Readings from which on values that never fall are reported; fewer rises than half of them say nothing.
_LEAST, _LEAST_FROM_ZERO = 12, 48
#: How much of the values a rise is at most, so that a morning of a solar panel is none.
_RISE = 0.5


#: By which the note is known.
NEVER_FALL = "never fall"


#: Takes rows; what it returns takes the next ones, None when there is nothing left to check.
Watch = Callable[[list[_Row]], Any]


class Notes(Protocol):
    """Where what is odd is counted."""

    @property
    def notes(self) -> dict[str, int]: ...


class _Meter:
    """What was seen of one meter."""

    def __init__(self, time: int, value: float) -> None:
        self.time, self.value = time, value
        self.first = self.last = value
        self.readings, self.rises = 1, 0

    def register(self) -> bool:
        """Whether it looks like a register by now."""
        if self.rises * 2 < self.readings:
            return False
        least = min(self.first, self.last)
        rise = abs(self.last - self.first) / max(1, self.rises)
        return self.readings >= (_LEAST if least > 0 and rise <= _RISE * least else _LEAST_FROM_ZERO)


class RegisterCheck:
    """Watches the rows of one file; adds one note at most."""

    def __init__(self, tally: Notes, file: str) -> None:
        self._notes = tally.notes
        self._file = file
        self._meters: dict[str, _Meter] = {}
        self._known: set[str] = set()

    def watch(self, block: list[_Row]) -> Watch | None:
        """Take the next rows; None when there is nothing left to check."""
        meters = self._meters
        for time, name, value, _, _ in block:
            meter = meters.get(name)
            if meter is None:
                if len(self._known) < _WATCHED and name not in self._known:
                    self._known.add(name)
                    meters[name] = _Meter(time, value)
                elif not meters:
                    return None
                continue
            if (time - meter.time) * (value - meter.last) < 0 or meter.readings >= _MOST_READINGS:
                del meters[name]
                continue
            meter.rises += value != meter.last
            meter.readings += 1
            meter.time, meter.last = time, value
            if meter.register():
                self._notes[
                    f"{self._file}: the values of {name} {NEVER_FALL} over {meter.readings} readings, from "
                    f"{min(meter.first, value):g} to {max(meter.first, value):g}: is it a register? Its "
                    "energy is the difference of two values: difference = true in a profile of your own"
                ] = 1
                return None
        return self.watch
