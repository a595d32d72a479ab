"""Detects that a meter has another grid: differences of readings that repeat, stamps off the grid."""

from __future__ import annotations

from gridwatch.domain.policy import MINUTE

_SHRINK_AFTER, _GROW_AFTER, _MOVE_AFTER = 3, 6, 3


class GridChange:
    """The state of one meter that this needs. Times and intervals in µs."""

    __slots__ = ("given", "minutes", "off_grid", "repeated", "run_from")

    def __init__(self, given: bool) -> None:
        #: The meter says its interval: nothing is learned.
        self.given = given
        self.clear()

    def clear(self) -> None:
        """The grid has changed."""
        #: The difference of readings that repeats (minutes), how often it did, where that run began.
        self.minutes = self.repeated = self.run_from = 0
        self.off_grid: list[int] = []

    def interval_after(self, before: int, time: int, interval: int) -> int:
        """The latest reading is of `time` now; the interval that the differences have shown, or 0."""
        if self.given:
            return 0
        minutes = (time - before + MINUTE // 2) // MINUTE
        if minutes * MINUTE == interval or not 1 <= minutes <= 1440:
            self.minutes = self.repeated = self.run_from = 0
            return 0
        if minutes == self.minutes:
            self.repeated += 1
        else:
            self.minutes, self.repeated, self.run_from = minutes, 1, before
        enough = _SHRINK_AFTER if minutes * MINUTE < interval else _GROW_AFTER
        return minutes * MINUTE if self.repeated >= enough else 0

    def strays(self, time: int, slot: int | None, interval: int) -> bool:
        """Take the next reading; whether it is the one off the grid that moves the grid to its phase."""
        if slot is not None:
            self.off_grid = []
            return False
        if self.off_grid and nearest(time, self.off_grid[0], interval) is None:
            self.off_grid = []
        self.off_grid.append(time)
        return len(self.off_grid) == _MOVE_AFTER


def nearest(time: int, anchor: int, interval: int) -> int | None:
    """The point of a grid that a stamp belongs to, or None when it lies too far from all."""
    point = anchor + (time - anchor + interval // 2) // interval * interval
    return point if abs(time - point) <= tolerance(interval) else None


def tolerance(interval: int) -> int:
    """How far from its slot a stamp may lie."""
    return min(interval // 4, 5 * MINUTE)
