"""The readings of one meter as the database has them, and what is certain about its slots.

The database has what was accepted, not what the worker knew of the meter. So the interval is the one that the
last readings have in common, and the grid the one that they lie on. Where that leaves a question open, what
hangs on it is not judged. Times in µs, energy in µWh.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from gridwatch.domain.policy import MINUTE

#: Flags of readings that fill no slot, as far as the reading itself shows.
_BESIDE = frozenset({"OFF_GRID", "EXTRA", "REVISED", "AHEAD"})
_LONGEST_TOLERANCE = 5 * MINUTE


class Reading(NamedTuple):
    """The value that stands for a meter and a stamp. `position` is that of the first value in the log;
    `versions` are all values in the order of the log, the last one stands."""

    time: int
    energy: int
    interval: int
    watermark: int
    position: tuple[int, int]
    flags: frozenset[str]
    region: str | None = None
    energy_from: int | None = None
    calendar: bool = False
    register: bool = False
    versions: tuple[int, ...] = ()
    power_kw: float | None = None
    voltage: float | None = None
    current: float | None = None
    power_factor: float | None = None
    frequency: float | None = None


class Stretch(NamedTuple):
    """Readings that follow one another in the log, all with one interval; `phase` is that of their grid, None
    where they do not lie on one exactly. `unsettled` are those from before their interval was known."""

    interval: int
    readings: tuple[Reading, ...]
    phase: int | None
    unsettled: frozenset[int]

    def slot_of(self, time: int) -> int | None:
        """The slot that a stamp belongs to, None where it lies beside the grid."""
        if self.phase is None:
            return None
        away = (time - self.phase + self.interval // 2) % self.interval - self.interval // 2
        return time - away if abs(away) <= min(self.interval // 4, _LONGEST_TOLERANCE) else None


def micro_watt_hours(kwh: float) -> int:
    """An energy in µWh, rounded the way that its sums are."""
    return int(kwh * 1e9 + 0.5)


def stretches(readings: Sequence[Reading]) -> list[Stretch]:
    """The readings of one meter, parted where its interval changes."""
    ordered = sorted(readings, key=lambda reading: reading.position)
    unsettled = _unsettled(ordered)
    found: list[Stretch] = []
    first = 0
    for end in range(1, len(ordered) + 1):
        interval = ordered[first].interval
        if end < len(ordered) and ordered[end].interval == interval:
            continue
        part = tuple(ordered[first:end])
        found.append(Stretch(interval, part, _phase(part, interval), unsettled))
        first = end
    return found


def _unsettled(ordered: Sequence[Reading]) -> frozenset[int]:
    """The times of readings before a second one of their meter lay on its grid. That the interval was given
    cannot be seen."""
    times = set()
    began: int | None = None
    for number, reading in enumerate(ordered):
        if number == 0 or "FIRST" in reading.flags:
            began = reading.time
        elif began is not None and reading.time > began and not reading.flags & _BESIDE:
            began = None
        if began is not None:
            times.add(reading.time)
    return frozenset(times)


def _phase(readings: Sequence[Reading], interval: int) -> int | None:
    on_grid = Counter(reading.time % interval for reading in readings if not reading.flags & _BESIDE)
    if not on_grid:
        return None
    phase, count = on_grid.most_common(1)[0]
    return phase if count == on_grid.total() else None
