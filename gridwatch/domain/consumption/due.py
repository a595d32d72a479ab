"""The index of windows: which meters have a reading in a window that has not ended yet.

It is lazy, like that of deadlines: **for each window of its that has not ended, a meter has an entry of that
length at or before its end.** An entry whose window has nothing in it is moved to the next one that has.
Nothing of it is stored: after a recovery each meter with a recent reading gets one entry a length.
"""

from __future__ import annotations

from heapq import heappop, heappush

from gridwatch.domain.policy import NEVER


class DueWindows:
    """Names of meters by the end and the length of a window."""

    __slots__ = ("_ends", "_names")

    def __init__(self) -> None:
        self._names: dict[tuple[int, int], list[str]] = {}
        self._ends: list[tuple[int, int]] = []
        """Those that have names, as a heap."""

    def add(self, end: int, length: int, meter_id: str) -> None:
        """Note that ``meter_id`` may have something in a window."""
        self.names(end, length).append(meter_id)

    def names(self, end: int, length: int) -> list[str]:
        """The list of a window: to append further names to."""
        names = self._names.get((end, length))
        if names is None:
            names = self._names[end, length] = []
            heappush(self._ends, (end, length))
        return names

    def earliest(self) -> tuple[int, int]:
        """The window that ends first, of equal ones the shorter one: its end and length."""
        return self._ends[0] if self._ends else (NEVER, 0)

    def pop(self) -> list[str]:
        """Remove the window that ends first; its meters in order of their ids, each once."""
        return sorted(set(self._names.pop(heappop(self._ends))))
