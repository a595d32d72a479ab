"""Detects that a meter has another grid: differences of readings that repeat, stamps off the grid."""

from __future__ import annotations

from gridwatch.domain.policy import MINUTE, SECOND, Policy

_SHRINK_AFTER, _GROW_AFTER, _MOVE_AFTER = 3, 6, 3


class GridChange:
    """The state of one meter that this needs. Times and intervals in µs."""

    __slots__ = ("difference", "given", "off_grid", "repeated", "run_from")

    def __init__(self, given: bool) -> None:
        #: The meter says its interval: nothing is learned.
        self.given = given
        self.clear()

    def clear(self) -> None:
        """The grid has changed."""
        self._end_run()
        self.off_grid: list[int] = []

    def _end_run(self) -> None:
        #: The difference of readings that repeats, how often it did, where that run began.
        self.difference = self.repeated = self.run_from = 0

    def interval_after(self, before: int, time: int, interval: int, policy: Policy) -> int:
        """The latest reading is of `time` now; the interval that the differences have shown, or 0."""
        if self.given:
            return 0
        difference = _whole(time - before)
        possible = policy.min_interval <= difference <= policy.max_learned_interval
        if difference == _whole(interval) or not possible:
            self._end_run()
            return 0
        if difference == self.difference:
            self.repeated += 1
        else:
            self.difference, self.repeated, self.run_from = difference, 1, before
        # Of a short interval, a difference that is a little less may be nothing but jitter.
        certain = difference + tolerance(interval) < interval if interval <= MINUTE else difference < interval
        return difference if self.repeated >= (_SHRINK_AFTER if certain else _GROW_AFTER) else 0

    def strays(self, time: int, slot: int | None, interval: int) -> bool:
        """Take the next reading; whether it is the one off the grid that moves the grid to its phase."""
        if slot is not None:
            self.off_grid = []
            return False
        if self.off_grid and nearest(time, self.off_grid[0], interval) is None:
            self.off_grid = []
        self.off_grid.append(time)
        return len(self.off_grid) == _MOVE_AFTER


def _whole(duration: int) -> int:
    """Whole seconds below a minute, whole minutes from there on, half of one up."""
    unit = MINUTE if duration >= MINUTE else SECOND
    return (2 * duration + unit) // (2 * unit) * unit


def nearest(time: int, anchor: int, interval: int) -> int | None:
    """The point of a grid that a stamp belongs to, or None when it lies too far from all."""
    point = anchor + (time - anchor + interval // 2) // interval * interval
    return point if abs(time - point) <= tolerance(interval) else None


def tolerance(interval: int) -> int:
    """How far from its slot a stamp may lie."""
    return min(interval // 4, 5 * MINUTE)
