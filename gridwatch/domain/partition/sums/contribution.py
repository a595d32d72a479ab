"""What one reading adds to windows and regions: which time its energy is of, and which slot it filled.

A reading that filled a slot covers the time of that slot; one whose slot was filled before, or that revises
another, counts there too. One off the grid, or of a meter whose interval is not known yet, counts at its
stamp. Energy over a gap is of the time since the register was read last.
"""

from __future__ import annotations

from typing import NamedTuple

from gridwatch.domain.consumption.aggregate import share, takes_part
from gridwatch.domain.consumption.sums import micro_wh
from gridwatch.domain.meter.arrival import slot_on
from gridwatch.domain.meter.intervals import is_settled, lag_of
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.meter.usage import Usage
from gridwatch.domain.partials.group import QUARTER
from gridwatch.domain.partials.place import is_covered
from gridwatch.domain.partition.windows import window_at
from gridwatch.domain.partition.workbench import Workbench
from gridwatch.domain.reading import EXTRA, GAP_ENERGY, OFF_GRID, REVISED, RawReading

Clean = tuple[RawReading, int, MeterState, int, int, int]
"""A clean reading, its event time, its meter, its slot, its interval, the timestamp of its record."""


class Applied(NamedTuple):
    """A reading that was applied to its meter, other than a clean one."""

    meter_id: str
    time: int
    flags: int
    energy: float
    """kWh."""
    replaced: float | None
    """Of a revision: the energy so far, kWh."""
    region: str | None
    measures: bytes
    base: int | None
    """Of an energy over a gap: the stamp that it counts from."""

    @property
    def is_revision(self) -> bool:
        return bool(self.flags & REVISED)


class Contribution:
    """What a reading that was applied to ``meter``, and is remembered, contributes."""

    __slots__ = (
        "_applied",
        "_bench",
        "_meter",
        "covered",
        "energy",
        "grid",
        "judged",
        "lag",
        "region",
        "slot",
        "span",
    )

    def __init__(self, bench: Workbench, applied: Applied, meter: MeterState) -> None:
        policy, time, flags = bench.policy, applied.time, applied.flags
        self._bench = bench
        self._applied = applied
        self._meter = meter
        self.lag = lag = lag_of(meter, policy)
        settled = is_settled(meter, policy)
        self.grid = grid = meter.grid_at(time)
        found = slot_on(grid, time)
        own = None if found is None else (found - lag, found - lag + grid.interval)
        filled = not flags & (EXTRA | OFF_GRID | REVISED) and found is not None and found >= _first(meter)
        self.slot = own if filled and settled else None
        """The time of the slot that it filled."""
        whole = filled and not flags & GAP_ENERGY
        self.judged = found if whole or flags & REVISED else None
        """The slot that is judged by it, if those of its meter are."""
        self.covered = (time - lag, time - lag)
        """The time that its energy is of; empty: an instant."""
        if own is not None and settled and (filled or flags & (EXTRA | REVISED)):
            self.covered = own
        self.span: tuple[int, int] | None = None
        """The same, where its energy is over a gap."""
        if applied.base is not None:
            end = time - lag + meter.interval
            self.span = self.covered = (end - (time - applied.base), end)
        self.energy = micro_wh(applied.energy)
        """Micro-Wh; of a revision the difference to what it replaces."""
        if applied.replaced is not None:
            self.energy -= micro_wh(applied.replaced)
        region = meter.region if applied.region is None else applied.region
        self.region = region if policy.regional and (not settled or is_covered(meter, policy)) else None
        """The region that it counts in."""

    @property
    def since(self) -> int:
        """From when on its meter counts, if this reading decides that."""
        return self._applied.time - self.lag if self.slot is None else self.slot[0]

    @property
    def usage(self) -> Usage:
        """What windows and regions know of its meter."""
        return self._meter.use()

    def remember(self) -> None:
        """Remember what windows need of it, and count what is of windows that can change no more."""
        bench, meter, applied, policy = self._bench, self._meter, self._applied, self._bench.policy
        if self.span is not None:
            meter.use().note_span(applied.time, *self.span, self.energy, bench.horizon)
        windowed = any(takes_part(meter, length, policy) for length in policy.windows)
        if windowed:
            bench.archive(applied.meter_id, meter).measure(applied.time, applied.measures)
        if self.region is not None or (windowed and QUARTER in policy.windows):
            first, last = self.covered
            if self.region is None and self.span is None:
                first = last = applied.time - self.lag
            count_unplaced(bench, self.energy, first, last)


def count_unplaced(bench: Workbench, energy: int, first: int, last: int) -> None:
    """Count what of the energy of [first, last), or of the instant ``first``, is of quarters that can change
    no more. It counts in the metrics window of the minute that was crossed last."""
    part, policy = bench.partition, bench.policy
    limit = part.over(policy.allowed_lateness)
    limit -= limit % QUARTER
    if first == last:
        lost = energy if first < limit else 0
    else:
        sign = 1 if energy >= 0 else -1
        lost = sign * share(abs(energy), first, last, first, max(first, limit))
    if lost:
        window_at(part.windows, part.crossed or 0, policy.metrics_window).unplaced += lost


def _first(meter: MeterState) -> int:
    """Where the first known grid of a meter starts."""
    return meter.older[0].start if meter.older else meter.start
