"""Sums that are kept while a window is open, so that one of many readings need not be computed from them.

Only meters with several readings a window have them. They are of no state: where they are missing (after a
start, a revision, a change of the meter) the window is computed from the remembered readings, with the same
result. So whatever is in doubt is dropped here.

The finest windows that a meter takes part in are summed reading by reading; the next longer one is the sum of
those of them that were emitted.
"""

from __future__ import annotations

from typing import Final

from gridwatch.domain.consumption.sums import Sums
from gridwatch.domain.meter.usage import Values
from gridwatch.domain.policy import NEVER, SECOND

_FEWEST: Final = 4
"""A meter with fewer readings in the longest window has no running sums."""
_MOST_EARLIER: Final = 4
"""So many windows of a meter may be open at a time; of more, the earliest are computed."""


def is_frequent(interval: int, longest: int) -> bool:
    """Whether a meter of this interval has running sums, where windows are of this length at most."""
    return interval * _FEWEST <= longest


class Running:
    """The running sums of one meter. ``first``: the time that its first reading covers, if it is new."""

    __slots__ = ("_earlier", "_is_new", "_known_after", "_open", "_seen", "_whole")

    def __init__(self, first: int | None = None) -> None:
        self._open: Sums | None = None
        """Of the finest window that its newest reading is in."""
        self._earlier: list[Sums] = []
        """Of those before it that are not emitted yet."""
        self._is_new = first is not None
        """Whether all of its readings are known."""
        self._seen = NEVER if first is None else first
        """No reading covers a later time than this one; ``NEVER`` if that is not known."""
        self._whole: Sums | None = None
        """Of the longer window that the finest one which was emitted last is in."""
        self._known_after = -NEVER
        """Longer windows that begin after this instant have all that was emitted in them, unchanged."""

    def reset(self) -> None:
        """Drop all sums: what readings cover, or how they count, has changed."""
        self._open = self._whole = None
        self._earlier = []
        self._seen = NEVER
        self._is_new = False

    # -- readings

    def begin(self, start: int, length: int, interval: int) -> None:
        """Before a clean reading in a finest window that none of the clean ones before it was in."""
        if self._open is not None:
            if self._open.start == start:
                return
            self._earlier = [*self._earlier[1 - _MOST_EARLIER :], self._open]
        self._open = Sums(start, length, interval // SECOND) if self._seen < start else None

    def add(self, covered: int, energy: int, values: Values | None) -> None:
        """Add a clean reading: a later one than all others of its meter."""
        sums = self._open
        if sums is not None and covered < sums.start + sums.length:
            sums.add(energy, values, known=True)
        self._seen = covered

    def add_other(self, covered: int, energy: int, values: Values | None) -> None:
        """Add a reading that may be of an earlier time."""
        if self._seen != NEVER and covered > self._seen:
            self._seen = covered
        sums = self._sums_at(covered)
        if sums is not None:
            sums.add(energy, values, known=True)

    def drop(self, covered: int) -> None:
        """Drop the sums of the open window that has a reading which was revised."""
        sums = self._sums_at(covered)
        if sums is self._open:
            self._open = None
        self._earlier = [one for one in self._earlier if one is not sums]

    def _sums_at(self, covered: int) -> Sums | None:
        if self._open is not None and 0 <= covered - self._open.start < self._open.length:
            return self._open
        for sums in self._earlier:
            if 0 <= covered - sums.start < sums.length:
                return sums
        return None

    # -- windows

    def take(self, start: int) -> Sums | None:
        """The sums of a finest window, which is emitted now; None if they are to be computed."""
        if self._open is not None and self._open.start == start:
            sums, self._open = self._open, None
            self._earlier = []
            return sums
        found: Sums | None = None
        for sums in self._earlier:
            if sums.start == start:
                found = sums
        if self._earlier:
            self._earlier = [one for one in self._earlier if one.start > start]
        return found

    def fold(self, sums: Sums, length: int) -> None:
        """Add the sums of a finest window that was emitted to those of the window of ``length`` around it."""
        start = sums.start - sums.start % length
        whole = self._whole
        if whole is None or whole.start != start:
            if whole is None and not self._is_new:  # it is not known what was emitted before
                self._known_after = max(self._known_after, start)
            whole = self._whole = Sums(start, length, 0)
            whole.scale = sums.scale
        whole.merge(sums)

    def spoil(self, start: int) -> None:
        """A window changes that was emitted before, or ended without a reading."""
        self._known_after = max(self._known_after, start)

    def whole(self, start: int) -> Sums | None:
        """The sums of a longer window, which is emitted now; None if they are to be computed."""
        whole = self._whole
        return whole if whole is not None and whole.start == start > self._known_after else None
