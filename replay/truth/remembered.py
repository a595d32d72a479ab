"""The stamps of one meter that a duplicate could repeat, with their values: 16 bytes a reading."""

from __future__ import annotations

from array import array
from bisect import bisect_left

_AT_LEAST = 16


class Remembered:
    """Stamps (µs) in ascending order, and the value that stands for each."""

    __slots__ = ("_stamps", "_values")

    def __init__(self) -> None:
        self._stamps = array("q")
        self._values = array("d")

    def __contains__(self, time: int) -> bool:
        return self.value(time) is not None

    def value(self, time: int) -> float | None:
        """The value of a stamp, None when it is not known."""
        stamps = self._stamps
        if not stamps or time > stamps[-1]:
            return None
        at = bisect_left(stamps, time)
        return self._values[at] if stamps[at] == time else None

    def put(self, time: int, value: float, horizon: int) -> None:
        """Take a stamp with its value; stamps before `horizon` are forgotten, many at once."""
        stamps, values = self._stamps, self._values
        if not stamps or time > stamps[-1]:
            stamps.append(time)
            values.append(value)
        else:
            at = bisect_left(stamps, time)
            if stamps[at] == time:
                values[at] = value
            else:
                stamps.insert(at, time)
                values.insert(at, value)
        old = len(stamps) // 2
        if old > _AT_LEAST and stamps[old] < horizon:
            del stamps[:old], values[:old]
