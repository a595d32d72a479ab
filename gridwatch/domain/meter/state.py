"""The state of one meter.

Plain data, and small: there may be a million of them in a worker. The state *is* its current grid (start,
interval, cursor, slots filled ahead), with the grids before it in ``older`` for as long as a late reading may
need them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from gridwatch.domain.anomalies.habit import Habit
from gridwatch.domain.calendar import Calendar
from gridwatch.domain.meter.energy import Derived
from gridwatch.domain.meter.gaps import OPEN, RETRACTED, Gap, tidied
from gridwatch.domain.meter.grid import Grid, shift, tolerance_of
from gridwatch.domain.meter.terms import Terms
from gridwatch.domain.meter.timeliness import Recent, remember
from gridwatch.domain.meter.usage import Usage
from gridwatch.domain.policy import NEVER, Policy, grace_of
from gridwatch.domain.reading import stored_region

MAX_OLDER_GRIDS: Final = 16
"""Grids without pending slots that are retained for late readings."""


class MeterState(Grid):
    """The state of one meter; every instant in microseconds. Created by its first accepted reading."""

    __slots__ = (
        "calm",
        "cold_first",
        "cold_last",
        "cold_next",
        "derived",
        "due",
        "forgotten",
        "gap_count",
        "gaps",
        "given",
        "habit",
        "last_seen",
        "last_slot",
        "late_count",
        "off_run",
        "older",
        "recent",
        "region",
        "run",
        "terms",
        "usage",
    )

    def __init__(
        self, first: int, interval: int, given: bool = False, calendar: Calendar | None = None
    ) -> None:
        start = first if calendar is None else calendar.slot_of(first)
        super().__init__(start, interval, shift(start, 1, interval, calendar), calendar=calendar)
        self.due = NEVER
        """Its earliest deadline: of its first slot that may become missing, or of its time to live."""
        self.last_seen = first
        """Highest event time of its accepted readings."""
        self.last_slot = start
        """Last slot filled."""
        self.recent: Recent = b""
        """The newest readings by which duplicates are recognised, each with the value that it came with."""
        self.cold_first = self.cold_next = 0
        self.cold_last = -NEVER
        """The blocks of older ones: numbers from the first up to the next (``archive``); the last stamp."""
        self.derived: Derived | None = None
        """Of a meter whose energy is that of its register or its power."""
        self.gaps: tuple[Gap, ...] = ()
        """Remembered gaps in order of time; only the last one can be OPEN."""
        self.older: tuple[Grid, ...] = ()
        self.run: tuple[int, ...] = ()
        """Equal differences in a row that may become the interval: the difference, the stamps before each."""
        self.off_run: tuple[int, ...] = ()
        """Stamps of readings in a row off the grid, of one phase."""
        self.gap_count = 0
        """Gaps found, less the retracted ones."""
        self.late_count = 0  # LATE and TOO_LATE readings
        self.region: str | None = None
        self.terms: Terms | None = None  # of a registered meter
        self.usage: Usage | None = None
        self.habit: Habit | None = None
        """Of a meter that windows or regions are made of; of one whose windows are judged."""
        self.given = given
        """Its interval was given, so it is not learned."""
        self.forgotten = -NEVER
        """Up to this slot it is no longer known which slots were filled."""
        self.calm = True
        """Nothing is open, ahead, pending or being learned; no energy derived, no calendar, no special terms.
        A reading for the cursor just fills it."""

    @property
    def expected_next(self) -> int:
        """The slot after the last one filled."""
        return shift(self.last_slot, 1, self.interval, self.calendar)

    @property
    def expected(self) -> bool:
        """Whether its slots can become missing at all."""
        return self.terms is None or self.terms.expected

    @property
    def open_gap(self) -> Gap | None:
        gaps = self.gaps
        return gaps[-1] if gaps and gaps[-1].state == OPEN else None

    def grid_at(self, time: int) -> Grid:
        """The grid that applies to a reading of ``time``; the first known one for any time before it."""
        if not self.older or time >= self.start - tolerance_of(self.interval):
            return self
        for grid in reversed(self.older):
            if time >= grid.start - tolerance_of(grid.interval):
                return grid
        return self.older[0]

    def derive(self) -> Derived:
        """What its energy is derived from, from now on."""
        if self.derived is None:
            self.derived = Derived()
        return self.derived

    def use(self) -> Usage:
        """What windows and regions need to know of it, from now on."""
        if self.usage is None:
            self.usage = Usage()
        return self.usage

    @property
    def is_wide(self) -> bool:
        """Whether each of its remembered readings takes more room than stamp and value."""
        return self.derived is not None or (self.usage is not None and self.usage.measures != b"")

    def held_since(self, time: int, before: int | None) -> int:
        """How long a power measured at ``time`` has held, if the reading before is of ``before``: see
        ``energy``. µs."""
        if self.given:
            return self.interval
        return 0 if before is None else min(time - before, self.grid_at(time).interval)

    def refresh(self, policy: Policy) -> None:
        """Recompute ``due`` and ``calm`` after a change."""
        place = len(self.older)
        grid: Grid = self
        for at, older in enumerate(self.older):
            if older.pending:
                place, grid = at, older
                break
        due = self.last_seen + policy.life_of(self.interval)
        terms = self.terms
        if self.expected:
            grace = self.grace_at(place, policy)
            gap = self.open_gap
            due = min(due, grid.cursor + grace if gap is None else gap.growth_due(grid, grace))
        self.due = due if terms is None else min(due, terms.turn)
        self.update_calm()

    def grace_of(self, interval: int, policy: Policy) -> int:
        """The grace of slots of this ``interval``."""
        terms = self.terms
        return grace_of(interval, policy.grace) if terms is None or terms.grace is None else terms.grace

    def grace_at(self, place: int, policy: Policy) -> int:
        """The grace of the slots of ``older[place]``; of the current grid from ``len(older)`` on.

        Never more than that of a grid after it, so that slots become missing in their order. A slot of a
        calendar waits until the meter usually reports.
        """
        grace = self.grace_of(self.interval, policy)
        for grid in self.older[place:]:
            grace = min(grace, self.grace_of(grid.interval, policy))
        judged = self.older[place] if place < len(self.older) else self
        calendar = judged.calendar
        return grace if calendar is None else grace + calendar.delay(self.last_seen, judged.cursor)

    def grace_of_gap(self, gap: Gap, policy: Policy) -> int:
        """The grace of the slots of ``gap``."""
        grace, calendar = self.grace_of(gap.interval, policy), gap.calendar
        return grace if calendar is None else grace + calendar.delay(self.last_seen, gap.last)

    def update_calm(self) -> None:
        """Recompute ``calm``."""
        self.calm = not (
            self.derived is not None
            or self.calendar is not None
            or self.ahead
            or self.run
            or self.off_run
            or self.open_gap is not None
            or (self.older and any(grid.pending for grid in self.older))
            or (self.terms is not None and not self.terms.calm)
        )

    def note(self, time: int, value: float, energy: float, horizon: int) -> None:
        """Remember a reading newer than the blocks; forget what is before ``horizon``. ``value``: what it
        came with; ``energy``: kWh."""
        # A row off the grid may move it from its first reading on: readings since then have a slot there.
        horizon = min(horizon, self.off_run[0]) if self.off_run else horizon
        self.recent = remember(self.recent, time, value, horizon)
        if self.derived is not None:
            self.derived.energies = remember(self.derived.energies, time, energy, horizon)

    def note_region(self, time: int, region: str | None) -> None:
        """Remember the region of the last reading, unless the registry gives one."""
        if region is None or time < self.last_seen:
            return
        if self.terms is None or self.terms.region is None:
            self.region = stored_region(region)

    def start_grid(self, start: int, interval: int, calendar: Calendar | None, filled: Iterable[int]) -> None:
        """Start a new grid at ``start``, with the slots ``filled`` (ascending); rows being learned are
        reset."""
        self.start = self.cursor = start
        self.interval = interval
        self.calendar = calendar
        self.ahead = ()
        self.last_slot = shift(start, -1, interval, calendar)
        for slot in filled:
            self.fill(slot)
            self.last_slot = slot
        self.run = self.off_run = ()

    def add_gaps(self, found: Sequence[Gap]) -> None:
        """Append new gaps."""
        self.gaps = (*self.gaps, *found)
        self.gap_count += len(found)

    def drop_retracted(self) -> None:
        """Forget the retracted gaps, and do not count them any more."""
        retained = tuple(gap for gap in self.gaps if gap.state != RETRACTED)
        self.gap_count -= len(self.gaps) - len(retained)
        self.gaps = retained

    def tidy_gaps(self, watermark: int, policy: Policy) -> None:
        """Forget gaps that are final or too old, and the oldest ones beyond the limit."""
        self.gaps, forgotten = tidied(self.gaps, watermark, policy)
        self.forgotten = max(self.forgotten, forgotten)

    def keep_older(self, grids: Sequence[Grid], watermark: int, policy: Policy) -> None:
        """Retain those of the earlier ``grids`` that late readings or pending slots may need."""
        horizon = watermark - max(policy.gap_memory, policy.allowed_lateness)
        asked = [old for old in grids if old.pending or (old.end is not None and old.end > horizon)]
        done = [old for old in asked if not old.pending][:-MAX_OLDER_GRIDS]
        self.older = tuple(old for old in asked if old not in done)

    def weight(self) -> int:
        """Approximate size of the stored row, bytes."""
        weight = 72 + len(self.recent) + 9 * len(self.ahead) + (len(self.region) if self.region else 0)
        if self.derived is not None:
            weight += 48 + len(self.derived.energies)
        if self.usage is not None:
            weight += 16 + len(self.usage.measures)
        if self.gaps:  # most meters have none, and an empty sum takes longer than all the rest
            weight += sum(48 + 9 * len(gap.missing) for gap in self.gaps)
        if self.older:
            weight += sum(36 + 9 * len(grid.ahead) for grid in self.older)
        return weight
