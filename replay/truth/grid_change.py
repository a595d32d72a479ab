"""Detects that a meter has another grid: differences of readings that repeat, stamps off the grid."""

from __future__ import annotations

from gridwatch.domain.policy import DAY, HOUR, MINUTE, SECOND, Policy
from replay.files.spacing import DAILY, Spacing

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

    def interval_after(self, before: int, time: int, spacing: Spacing, policy: Policy) -> Spacing | None:
        """The latest reading is of `time` now; the interval that the differences have shown, or
        None."""
        if self.given:
            return None
        difference, interval = _whole(time - before), spacing.length
        if spacing == Spacing(DAY) and (days := _days(before, time, difference, policy)):
            return days
        possible = policy.min_interval <= difference <= policy.max_learned_interval
        usual = spacing.steps(before, time) == 1 if spacing.unit else difference == _whole(interval)
        if usual or not possible:
            self._end_run()
            return None
        if difference == self.difference:
            self.repeated += 1
        else:
            self.difference, self.repeated, self.run_from = difference, 1, before
        # Of a short interval, a difference that is a little less may be nothing but jitter.
        certain = difference + tolerance(interval) < interval if interval <= MINUTE else difference < interval
        if self.repeated < (_SHRINK_AFTER if certain else _GROW_AFTER):
            return None
        days = _from_midnight(time, policy) if difference == DAY else None
        return days or Spacing(difference)

    def strays(self, time: int, slot: int | None, spacing: Spacing) -> bool:
        """Take the next reading; whether it is the one off the grid that moves the grid to its phase."""
        if slot is not None:
            self.off_grid = []
            return False
        if self.off_grid and spacing.slot_of(time, self.off_grid[0]) is None:
            self.off_grid = []
        self.off_grid.append(time)
        return len(self.off_grid) == _MOVE_AFTER


def _whole(duration: int) -> int:
    """Whole seconds below a minute, whole minutes from there on, half of one up."""
    unit = MINUTE if duration >= MINUTE else SECOND
    return (2 * duration + unit) // (2 * unit) * unit


def _days(before: int, time: int, difference: int, policy: Policy) -> Spacing | None:
    """The local days that readings 23 or 25 hours apart at one local time show."""
    if difference not in {23 * HOUR, 25 * HOUR}:
        return None
    days, first, second = Spacing(DAY, DAILY, policy.timezone), _whole(before), _whole(time)
    same = days.clock(first) == days.clock(second) and days.steps(first, second) == 1
    return days if same else None


def _from_midnight(time: int, policy: Policy) -> Spacing | None:
    """The local days that 24 hours are taken for where the clocks change, and a reading lies at midnight."""
    days = Spacing(DAY, DAILY, policy.timezone)
    slot = days.nearest(time, 0)
    return days if days.changes(time) and abs(time - slot) <= tolerance(DAY) else None


def tolerance(interval: int) -> int:
    """How far from its slot a stamp may lie."""
    return Spacing(interval).tolerance
