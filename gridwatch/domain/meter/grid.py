"""The grid: which slot of its meter a reading belongs to.

The slots of a meter lie one interval apart. A reading belongs to the nearest of them if it lies within a
quarter of the interval, at most five minutes, of it; else it is off the grid and fills no slot.

A meter's grid starts at its first reading and changes when its interval or phase does (``intervals``). A
grid is valid from its start to the start of the next one. A late reading from before a change is placed on
the grid of that time, and slots of the older grid that are not due yet still become missing. Points before
the start of the first grid are on the grid, but are never missing and never filled.

The slots of a calendar interval are local days or months (``calendar``), not all of one length. A reading
belongs to the day or month that it lies in, or to the next one if that is at most five minutes away: none is
off the grid.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from gridwatch.domain.calendar import Calendar
from gridwatch.domain.policy import MINUTE, NEVER

MAX_TOLERANCE: Final = 5 * MINUTE


def tolerance_of(interval: int) -> int:
    """How far a reading may be from its slot."""
    quarter = interval // 4
    return quarter if quarter < MAX_TOLERANCE else MAX_TOLERANCE


def nearest(time: int, anchor: int, interval: int) -> int:
    """The point of the grid through ``anchor`` that is nearest to ``time``."""
    return anchor + (time - anchor + interval // 2) // interval * interval


def slot_of(time: int, anchor: int, interval: int, calendar: Calendar | None = None) -> int | None:
    """The slot that a reading of ``time`` belongs to, None if it is off the grid."""
    if calendar is not None:
        return calendar.slot_of(time)
    slot = nearest(time, anchor, interval)
    return slot if abs(time - slot) <= tolerance_of(interval) else None


def first_from(time: int, anchor: int, interval: int, calendar: Calendar | None = None) -> int:
    """The first point of the grid through ``anchor`` that is not before ``time``."""
    if calendar is not None:
        return calendar.first_from(time)
    return anchor - (anchor - time) // interval * interval


def shift(slot: int, count: int, interval: int, calendar: Calendar | None) -> int:
    """The slot that is ``count`` slots after ``slot``."""
    return slot + count * interval if calendar is None else calendar.shift(slot, count)


def steps(start: int, stop: int, interval: int, calendar: Calendar | None) -> int:
    """How many slots there are from the slot ``start`` up to the slot ``stop``, exclusive."""
    return (stop - start) // interval if calendar is None else calendar.steps(start, stop)


def runs_of(slots: Sequence[int], interval: int, calendar: Calendar | None = None) -> tuple[int, ...]:
    """Ascending slots as runs of neighbours: from, to, from, to …, ``to`` exclusive."""
    runs: list[int] = []
    for slot in slots:
        after = shift(slot, 1, interval, calendar)
        if runs and runs[-1] == slot:
            runs[-1] = after
        else:
            runs += (slot, after)
    return tuple(runs)


def slots_of(runs: Sequence[int], interval: int, calendar: Calendar | None = None) -> tuple[int, ...]:
    """The slots of ``runs_of``."""
    return tuple(
        shift(start, place, interval, calendar)
        for start, stop in zip(runs[::2], runs[1::2], strict=True)
        for place in range(steps(start, stop, interval, calendar))
    )


class Grid:
    """A grid of slots: from ``start`` on, up to ``end`` if another grid follows.

    ``cursor`` is the first slot that is neither filled nor missing yet; every slot from ``start`` up to it is
    one or the other. ``ahead`` has the slots after the cursor that are already filled, ascending.
    """

    __slots__ = ("ahead", "calendar", "cursor", "end", "interval", "start")

    def __init__(  # noqa: PLR0917 - all that a grid is
        self,
        start: int,
        interval: int,
        cursor: int,
        end: int | None = None,
        ahead: tuple[int, ...] = (),
        calendar: Calendar | None = None,
    ) -> None:
        self.start = start
        self.interval = interval
        """Of a calendar: its nominal length."""
        self.calendar = calendar
        self.cursor = cursor
        self.end = end
        self.ahead = ahead

    @property
    def pending(self) -> bool:
        """Whether a slot of it can still become missing."""
        return self.end is None or self.cursor < self.end

    def stop(self, end: int) -> None:
        """End this grid at ``end``, where another one starts."""
        if self.end is None or end < self.end:
            self.end = end
            self.ahead = tuple(slot for slot in self.ahead if slot < end)

    def fill(self, slot: int) -> None:
        """Fill ``slot``, at or after the cursor and not filled yet."""
        if slot == self.cursor:
            self.advance(1)
        else:
            ahead = self.ahead
            at = bisect_left(ahead, slot)
            self.ahead = (*ahead[:at], slot, *ahead[at:])

    def advance(self, count: int) -> bool:
        """Move the cursor by ``count`` slots, then past the filled ones there. Whether there were any."""
        interval, calendar, ahead = self.interval, self.calendar, self.ahead
        cursor = shift(self.cursor, count, interval, calendar)
        met = 0
        while met < len(ahead) and ahead[met] == cursor:
            cursor = shift(cursor, 1, interval, calendar)
            met += 1
        if met:
            self.ahead = ahead[met:]
        self.cursor = cursor
        return met > 0

    def due_count(self, limit: int) -> int:
        """How many slots at or before ``limit`` there are from the cursor to the next filled one."""
        cursor, interval, calendar = self.cursor, self.interval, self.calendar
        if limit < cursor:
            return 0
        count = steps(cursor, limit if calendar is None else calendar.slot_at(limit), interval, calendar) + 1
        if self.ahead:
            count = min(count, steps(cursor, self.ahead[0], interval, calendar))
        if self.end is not None:
            count = min(count, steps(cursor, self._from(self.end), interval, calendar))
        return max(count, 0)

    def last_due(self) -> int:
        """The last slot before the next filled one, or before the end; ``NEVER`` if there is neither."""
        if self.ahead:
            return shift(self.ahead[0], -1, self.interval, self.calendar)
        if self.end is None:
            return NEVER
        return shift(self._from(self.end), -1, self.interval, self.calendar)

    def slot_of(self, time: int) -> int | None:
        """The slot that a reading of ``time`` belongs to, None if it is off the grid."""
        return slot_of(time, self.cursor, self.interval, self.calendar)

    def skip_to(self, time: int) -> None:
        """Pass over the slots before ``time`` that are not filled."""
        count = steps(self.cursor, self._from(time), self.interval, self.calendar)
        if count > 0:
            self.ahead = tuple(slot for slot in self.ahead if slot >= time)
            self.advance(count)

    def _from(self, time: int) -> int:
        """The first slot that is not before ``time``."""
        return first_from(time, self.cursor, self.interval, self.calendar)
