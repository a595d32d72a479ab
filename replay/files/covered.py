"""Which times series have readings of: whether hours and days of one meter would count the same energy twice.

Kept are the stretches without a hole, so that a file of hours beside days of other times is none.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

#: Stretches of a series that are kept apart.
_MOST_STRETCHES = 1_000


@dataclass
class Covered:
    """The times of a series in one file: `first` ≤ time < `last` of each stretch, in seconds since 1970."""

    file: str
    #: Seconds of each reading.
    interval: int
    stretches: list[tuple[int, int]] = field(default_factory=list)

    def add(self, start: int, duration: int) -> None:
        """A reading from `start` on; cheap where readings follow on each other, either way."""
        end, stretches = start + duration, self.stretches
        if stretches:
            first, last = stretches[-1]
            if first <= start <= last or first <= end <= last:
                stretches[-1] = (min(first, start), max(last, end))
                return
        stretches.append((start, end))
        if len(stretches) > 2 * _MOST_STRETCHES:
            self.stretches = self._joined()

    def overlap(self, other: Covered) -> tuple[int, int] | None:
        """The first stretch that both have; None where there is none."""
        theirs = other._joined()
        starts = [start for start, _ in theirs]
        for first, last in self._joined():
            for start, end in theirs[max(0, bisect_right(starts, first) - 1) :]:
                if start >= last:
                    break
                if end > first:
                    return max(first, start), min(last, end)
        return None

    def _joined(self) -> list[tuple[int, int]]:
        """The stretches in order, none of which touches another one; the nearest joined if they are many."""
        found: list[tuple[int, int]] = []
        for first, last in sorted(self.stretches):
            if found and first <= found[-1][1]:
                found[-1] = (found[-1][0], max(found[-1][1], last))
            else:
                found.append((first, last))
        while len(found) > _MOST_STRETCHES:
            found = [(one[0], other[1]) for one, other in zip(found[::2], found[1::2], strict=False)] + (
                found[-1:] if len(found) % 2 else []
            )
        return found
