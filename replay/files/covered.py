"""Which times series have readings of: whether hours and days of one meter would count the same energy twice.

Kept are the stretches without a hole, so that a file of hours beside days of other times is none.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

#: Stretches of a series that are kept apart.
_MOST_STRETCHES = 1_000

#: `first` ≤ time < `last`.
Stretch = tuple[int, int]


@dataclass
class Stretches:
    """Times in stretches without a hole, in any one unit; the nearest are joined where they are too many."""

    stretches: list[Stretch] = field(default_factory=list, kw_only=True)
    most: int = field(default=_MOST_STRETCHES, kw_only=True)

    def add(self, start: int, duration: int) -> None:
        """From `start` on; cheap where what is added follows on what was there, either way."""
        end, stretches = start + duration, self.stretches
        if stretches:
            first, last = stretches[-1]
            if first <= start <= last or first <= end <= last:
                stretches[-1] = (min(first, start), max(last, end))
                return
        stretches.append((start, end))
        if len(stretches) > 2 * self.most:
            self.stretches = self.joined()

    def overlap(self, other: Stretches) -> Stretch | None:
        """The first stretch that both have; None where there is none."""
        return next(iter(self.overlaps(other, 1)), None)

    def overlaps(self, other: Stretches, most: int) -> list[Stretch]:
        """The first stretches that both have, in order of time."""
        found: list[Stretch] = []
        theirs = other.joined()
        starts = [start for start, _ in theirs]
        for first, last in self.joined():
            for start, end in theirs[max(0, bisect_right(starts, first) - 1) :]:
                if start >= last or len(found) >= most:
                    break
                if end > first:
                    found.append((max(first, start), min(last, end)))
        return found

    def joined(self) -> list[Stretch]:
        """The stretches in order, none of which touches another one; the nearest joined if they are many."""
        found: list[Stretch] = []
        for first, last in sorted(self.stretches):
            if found and first <= found[-1][1]:
                found[-1] = (found[-1][0], max(found[-1][1], last))
            else:
                found.append((first, last))
        while len(found) > self.most:
            found = [(one[0], other[1]) for one, other in zip(found[::2], found[1::2], strict=False)] + (
                found[-1:] if len(found) % 2 else []
            )
        return found


@dataclass
class Covered(Stretches):
    """The times of a series in one file, in seconds since 1970."""

    file: str
    #: Seconds of each reading.
    interval: int
