"""One meter as `truth` sees it: its grid, what may move the grid, its gaps."""

from __future__ import annotations

from typing import Literal

from replay.findings import GapTruth

_MINUTE = 60_000_000
_RECENT = 16
_SHRINK_AFTER, _GROW_AFTER, _MOVE_AFTER = 3, 6, 3


class MeterTruth:
    """Times in µs. `edge` is the first slot neither filled nor missing; `ahead` are filled ones after it."""

    __slots__ = (
        "ahead", "anchor", "differences", "edge", "ended", "given", "interval", "last_seen", "off_grid",
        "open", "recent", "unclear", "withheld",
    )  # fmt: skip

    def __init__(self, time: int, interval: int, given: bool) -> None:
        self.last_seen = time
        #: The difference of readings that repeats (minutes), how often it did, where that run began.
        self.differences = (0, 0, 0)
        self.off_grid: list[int] = []
        self.open: GapTruth | None = None
        self.ended: list[GapTruth] = []
        #: Slots not decided yet whose readings will not come, and which fault keeps them.
        self.withheld: dict[int, str] = {}
        #: The stamps that a duplicate could repeat, with their values.
        self.recent: dict[int, float] = {}
        #: Since a change of the grid that the latest reading does not lie on: from where, slots, why.
        self.unclear: tuple[int, int, str] | None = None
        self.given = given
        self.set_grid(time, time, interval)

    def set_grid(self, anchor: int, time: int, interval: int) -> None:
        """A grid through `anchor` on which all slots up to the one of the reading at `time` are decided."""
        self.anchor = anchor
        self.interval = interval
        self.edge = anchor + ((time - anchor + interval // 2) // interval + 1) * interval
        self.ahead: set[int] = set()
        self.off_grid = []
        self.differences = (0, 0, 0)

    def slot(self, time: int) -> int | None:
        """The slot a stamp belongs to, or None when it lies off the grid."""
        return _nearest(time, self.anchor, self.interval)

    def repeats(self, time: int, kwh: float) -> Literal["", "DUPLICATE", "REVISED"]:
        """Whether this stamp came before, with the same value or with another one."""
        standing = self.recent.get(time)
        return "" if standing is None else "DUPLICATE" if standing == kwh else "REVISED"

    def remember(self, time: int, kwh: float, horizon: int) -> None:
        """Take a stamp with its value; stamps before `horizon` cannot be repeated any more."""
        if len(self.recent) > _RECENT:
            self.recent = {stamp: value for stamp, value in self.recent.items() if stamp >= horizon}
        self.recent[time] = kwh

    def strays(self, time: int, slot: int | None) -> bool:
        """Take the next reading; whether it is the one off the grid that moves the grid to its phase."""
        if slot is not None:
            self.off_grid = []
            return False
        if self.off_grid and _nearest(time, self.off_grid[0], self.interval) is None:
            self.off_grid = []
        self.off_grid.append(time)
        return len(self.off_grid) == _MOVE_AFTER

    def learn(self, time: int) -> int:
        """Take a new latest reading; the interval (µs) that the differences have now shown, or 0."""
        if self.given:
            return 0
        minutes = (time - self.last_seen + _MINUTE // 2) // _MINUTE
        if minutes * _MINUTE == self.interval or not 1 <= minutes <= 1440:
            self.differences = (0, 0, 0)
            return 0
        repeated, count, first = self.differences
        count, first = (count + 1, first) if repeated == minutes else (1, self.last_seen)
        self.differences = (minutes, count, first)
        enough = _SHRINK_AFTER if minutes * _MINUTE < self.interval else _GROW_AFTER
        return minutes * _MINUTE if count >= enough else 0

    def fill_missing(self, time: int, why: str) -> None:
        """A reading of the past counts where its slot is missing in a gap still held, on that gap's grid."""
        lacking = self.lacking(time)
        if lacking is None:
            return
        gap, slot = lacking
        gap.fill(slot, why)
        if gap is not self.open:
            gap.end()
        elif slot == gap.last:
            self.end_open(gap)

    def lacking(self, time: int) -> tuple[GapTruth, int] | None:
        """The gap, still held, in which the slot of this stamp is missing, and the slot."""
        for gap in (self.open, *self.ended):
            if gap is not None:
                slot = _nearest(time, gap.first, gap.interval)
                if slot is not None and gap.has(slot):
                    return gap, slot
        return None

    def end_open(self, gap: GapTruth) -> None:
        """The meter is back."""
        gap.end()
        self.open = None
        self.ended.append(gap)


def _tolerance(interval: int) -> int:
    return min(interval // 4, 5 * _MINUTE)


def _nearest(time: int, anchor: int, interval: int) -> int | None:
    """The point of a grid that a stamp belongs to, or None when it lies too far from all."""
    nearest = anchor + (time - anchor + interval // 2) // interval * interval
    return nearest if abs(time - nearest) <= _tolerance(interval) else None
