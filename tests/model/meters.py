"""One meter by the contract: its grid, what filled which slot, its gaps. Everything is stored for ever.

The grid is a list of stretches, each with a start and a ruler: its interval, or the days of a calendar. A
stretch ends where the next one starts.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from tests.model.consumption.kept import Kept
from tests.model.rulers import NEAR, Ruler
from tests.model.stamps import HOUR, MINUTE, QUARTER

MOST_STRETCHES = 8  # that are sure to be known
MOST_DONE = 16  # ended grids without pending slots that are known
SHORT_RUN, LONG_RUN, PHASE_RUN = 3, 6, 3


@dataclass
class Stretch:
    """Grid points `start`, `start + interval`, … up to the start of the next stretch."""

    start: int
    ruler: Ruler

    @property
    def interval(self) -> int:
        return self.ruler.interval


@dataclass
class Known:
    """A grid as windows count its slots: unlike a stretch it is forgotten, too late for any reading."""

    start: int
    ruler: Ruler
    end: int | None = None

    def points(self) -> Iterator[int]:
        if self.ruler.unit is None:
            yield from every(self.start, self.ruler.interval, self.end)
            return
        slot = self.start
        while self.end is None or slot < self.end:
            yield slot
            slot = self.ruler.after(self.start, slot)


@dataclass(eq=False)
class Gap:
    """A run of neighbouring slots that were missing when their time came: True where still missing."""

    ruler: Ruler
    slots: dict[int, bool]  # ascending
    detected: int  # the watermark that settled its first slot
    state: str = "OPEN"
    planned: bool = False  # all of its slots are in planned outages
    never_heard: bool = False
    why: str = ""  # a word for its reason

    @property
    def interval(self) -> int:
        return self.ruler.interval

    def end_of(self, slot: int) -> int:
        return self.ruler.after(slot, slot)

    def reason(self) -> str:
        if self.state == "RETRACTED":
            return self.why
        if self.planned and self.state != "FILLED":
            return "PLANNED"
        return "NEVER_HEARD" if self.never_heard and self.state == "OPEN" else ""

    @property
    def first(self) -> int:
        return next(iter(self.slots))

    @property
    def last(self) -> int:
        return next(reversed(self.slots))

    def missing(self) -> list[int]:
        return sorted(slot for slot, still in self.slots.items() if still)

    def filled(self) -> int:
        return len(self.slots) - len(self.missing())

    def ended_state(self) -> str:
        return "FILLED" if not self.missing() else "PARTIAL" if self.filled() else "CLOSED"

    def ranges(self) -> list[list[int]]:
        found: list[list[int]] = []
        for slot in self.missing():
            if found and found[-1][1] == slot:
                found[-1][1] = self.end_of(slot)
            else:
                found.append([slot, self.end_of(slot)])
        return found


@dataclass
class Meter:
    meter_id: str
    stretches: list[Stretch]
    last_seen: int
    region: str | None = None
    given: bool = False
    readings: list[tuple[int, float]] = field(default_factory=list)  # accepted ones, in log order
    filled: dict[int, int] = field(default_factory=dict)  # slot -> the stamp that filled it
    passed: set[int] = field(default_factory=set)  # slots in which nothing was expected of it
    expected: bool = True
    expected_from: int = -(1 << 62)  # what lies before passes silently
    last_slot: int = 0  # filled last; of a grid with none the one before its first
    registered: bool = False  # the registry gives its interval
    grace: int | None = None  # as the registry gives it
    void: set[int] = field(default_factory=set)  # slots of a grown grid on which no judgement is passed
    gaps: list[Gap] = field(default_factory=list)  # open and remembered ones
    ever_missing: set[int] = field(default_factory=set)  # of forgotten gaps too
    steps: list[tuple[int, int]] = field(default_factory=list)  # equal ones in a row: (minutes, start)
    astray: list[int] = field(default_factory=list)  # off-grid stamps in a row, of one phase
    changed_at: int = 0  # gaps before this belong to an earlier grid
    touched: set[int] = field(default_factory=set)  # first slots of gaps changed in this step
    retracted: dict[int, Gap] = field(default_factory=dict)  # taken back in this step
    unclear: int = 0  # of slots up to here it is not known any more whether they were filled
    gap_count: int = 0
    late_count: int = 0
    energies: dict[int, Fraction] = field(default_factory=dict)  # of each stamp, as counted last
    known: list[Known] = field(default_factory=list)  # grids, the current one last
    regridded: bool = False  # in this step
    kept: dict[int, Kept] = field(default_factory=dict)  # by stamp
    shown: dict[tuple[int, int], int] = field(default_factory=dict)  # revisions by (length, start)
    marked: set[tuple[int, int]] = field(default_factory=set)  # windows that changed after their end
    counted: Any = None  # how its readings counted as one, or a turn, was taken last
    counted_since: int = -(1 << 62)  # windows that ended after this were emitted so

    # -- grid -----------------------------------------------------------------------------------------------

    @property
    def interval(self) -> int:
        return self.stretches[-1].interval

    @property
    def ruler(self) -> Ruler:
        return self.stretches[-1].ruler

    def settled(self, policy: Any) -> bool:
        """Whether its interval is known: given, learned, or shown by a second reading on the grid."""
        other = self.ruler != Ruler(policy.default_interval)
        return self.given or other or self.last_slot > self.changed_at

    def grace_of(self, ruler: Ruler, policy: Any) -> int:
        return int(policy.grace_of(ruler.interval)) if self.grace is None else self.grace

    def passes(self, slot: int) -> bool:
        """Whether a slot that comes due does so silently."""
        return not self.expected or slot < self.expected_from

    def points(self) -> Iterator[int]:
        """Every slot from the first one on, without end."""
        for stretch, after in itertools.zip_longest(self.stretches, self.stretches[1:]):
            if stretch.ruler.unit is None:
                yield from every(stretch.start, stretch.interval, None if after is None else after.start)
                continue
            slot = stretch.start
            while after is None or slot < after.start:
                yield slot
                slot = stretch.ruler.after(stretch.start, slot)

    def after(self, slot: int) -> int:
        """The first slot later than this one."""
        for stretch, later in zip(self.stretches[::-1], [None, *self.stretches[:0:-1]], strict=True):
            if stretch.start <= slot:
                point = stretch.ruler.after(stretch.start, slot)
                return point if later is None else min(point, later.start)
        return self.stretches[0].start

    def stretch_at(self, stamp: int) -> tuple[Stretch, int | None]:
        """The stretch that holds at `stamp`, and where it ends; the first one holds for all before it."""
        holding = [s for s in self.stretches if stamp >= s.start - tolerance(s.interval)] or self.stretches[
            :1
        ]
        later = self.stretches[self.stretches.index(holding[-1]) + 1 :]
        return holding[-1], later[0].start if later else None

    def slot_of(self, stamp: int) -> int | None:
        """The nearest grid point, if within a quarter of the interval and five minutes; of a calendar the
        one that holds it."""
        stretch, end = self.stretch_at(stamp)
        place = stretch.ruler.nearest(stretch.start, stamp)
        if stretch.ruler.unit is not None:
            return place if end is None or place < end else stretch.ruler.holding(stamp)
        if abs(place - stamp) > tolerance(stretch.interval) or (end is not None and place >= end):
            return None
        return place

    def waiting(self) -> Iterator[int]:
        """Slots neither filled nor called missing yet, in order of time, without end."""
        filled, missing, void, passed = self.filled, self.ever_missing, self.void, self.passed
        return (
            slot
            for slot in self.points()
            if not (slot in filled or slot in missing or slot in void or slot in passed)
        )

    def deadline(self, slot: int, policy: Any) -> int:
        """When the slot becomes missing: after the grace of its grid, or a later one's if that is shorter."""
        later = [s for s in self.stretches if s.start > slot]
        own = [s for s in self.stretches if s.start <= slot][-1:]
        grace = min(self.grace_of(stretch.ruler, policy) for stretch in own + later)
        ruler = (own or later)[0].ruler
        return int(slot + grace + ruler.usual_delay(self.last_seen, slot))

    def growth(self, policy: Any) -> int:
        """When the next slot is called missing: of a gap of seconds that is open, only on the minute, after
        an hour on the quarter; but at once what ends it."""
        slot = next(self.waiting())
        due, gap = self.deadline(slot, policy), self.open_gap()
        if gap is None or gap.interval >= MINUTE:
            return due
        unit = MINUTE if slot - gap.first < HOUR else QUARTER
        on_the_clock = due if due % unit == 0 else due + unit - due % unit
        starts = {stretch.start for stretch in self.stretches}
        while True:
            after = self.after(slot)
            if any(after in taken for taken in (self.filled, self.void, self.passed, starts)):
                return min(on_the_clock, self.deadline(slot, policy))
            if self.deadline(after, policy) > on_the_clock:
                return on_the_clock
            slot = after

    def expected_next(self) -> int:
        return self.after(max(self.filled))

    # -- gaps -----------------------------------------------------------------------------------------------

    def open_gap(self) -> Gap | None:
        return next((gap for gap in self.gaps if gap.state == "OPEN"), None)

    def ruler_at(self, slot: int) -> Ruler:
        return next(s.ruler for s in reversed(self.stretches) if s.start <= slot)

    def call_missing(self, slot: int, watermark: int, planned: bool) -> None:
        self.ever_missing.add(slot)
        ruler, gap = self.ruler_at(slot), self.open_gap()
        if gap is not None and gap.ruler == ruler and gap.end_of(gap.last) == slot:
            gap.slots[slot] = True
            gap.planned &= planned
        else:
            gap = Gap(ruler, {slot: True}, watermark, planned=planned)
            self.gaps.append(gap)
            self.gap_count += 1
        self.touched.add(gap.first)
        self.end_if_over(gap)

    def end_if_over(self, gap: Gap) -> None:
        if gap.state == "OPEN":
            after = self.after(gap.last)
            another = {stretch.start for stretch in self.stretches}  # no gap goes on to another grid
            over = any(after in taken for taken in (self.filled, self.void, self.passed, another))
            if gap.slots[gap.last] and not over:
                return
        elif gap.state not in ("CLOSED", "PARTIAL", "FILLED"):
            return
        gap.state = gap.ended_state()

    def slot_unheard(self, stamp: int) -> int | None:
        """The slot of the time when it had never been heard that a late reading still fills: on that gap's
        own grid."""
        for gap in self.gaps:
            if gap.never_heard:
                slot = gap.ruler.nearest(gap.first, stamp)
                near = gap.ruler.unit is not None or abs(slot - stamp) <= tolerance(gap.interval)
                if near and gap.slots.get(slot):
                    return slot
        return None

    def fill(self, slot: int, stamp: int) -> None:
        """A slot's first reading has come."""
        self.filled[slot] = stamp
        self.last_slot = max(self.last_slot, slot)
        for gap in self.gaps:
            before = gap.state
            if gap.slots.get(slot):
                gap.slots[slot] = False
                self.touched.add(gap.first)
            self.end_if_over(gap)
            if gap.state != before:
                self.touched.add(gap.first)

    def forget(self, watermark: int, memory: int, most: int) -> None:
        """Ended gaps are remembered for a while after their end, and so many at most."""
        ended = [gap for gap in self.gaps if gap.state != "OPEN" and gap.first not in self.touched]
        ended.sort(key=lambda gap: gap.first)
        for gap in [gap for gap in ended if watermark >= gap.end_of(gap.last) + memory]:
            ended.remove(gap)
            self.gaps.remove(gap)
        for gap in ended[: max(0, len(ended) - most)]:
            self.gaps.remove(gap)
        kept = {slot for gap in self.gaps for slot in gap.slots}
        self.unclear = max((slot for slot in self.ever_missing if slot not in kept), default=self.unclear)

    def remembers(self, stamp: int, since: int) -> bool:
        """Whether it is still known which slot a stamp has, and if that was filled: not of what lies before
        the first slot or of forgotten gaps, on a grid that ended before `since`, or was never judged."""
        stretch, end = self.stretch_at(stamp)
        slot = self.slot_of(stamp)
        if end is not None and end <= since:
            return False
        if len(self.stretches) - self.stretches.index(stretch) > MOST_STRETCHES:
            return False
        if slot is None:
            return True
        return slot >= self.stretches[0].start and slot > self.unclear and slot not in self.void

    # -- another grid ---------------------------------------------------------------------------------------

    def place_anew(self, start: int) -> None:
        """Everything from `start` on is filled by what the readings fill on the grid as it is now."""
        self.filled = {slot: stamp for slot, stamp in self.filled.items() if slot < start}
        self.ever_missing = {slot for slot in self.ever_missing if slot < start}
        self.void = {slot for slot in self.void if slot < start}
        self.passed = {slot for slot in self.passed if slot < start}
        for stamp, _ in self.readings:
            slot = self.slot_of(stamp)
            if slot is not None and slot >= start:
                self.filled.setdefault(slot, stamp)
        self.last_slot = max([self.ruler.before(start), *(slot for slot in self.filled if slot >= start)])
        self.steps, self.astray, self.changed_at = [], [], start

    def earliest(self, ruler: Ruler) -> int:
        """Where a grid may begin: with the first slot, or of a calendar with the slot that holds it."""
        first = self.stretches[0].start
        return first if ruler.unit is None else ruler.nearest(0, self.readings[0][0])

    def lay_from(self, start: int, ruler: Ruler) -> None:
        """Shrunk, moved or given: the new grid holds from `start` on, but not before the first reading."""
        first = self.earliest(ruler)
        while start < first:
            start = ruler.after(start, start)
        for gap in list(self.gaps):
            if gap.last < start:
                continue
            self.touched.add(gap.first)
            if gap.first >= start:
                self.gaps.remove(gap)
                self.take_back(gap)
            else:
                gap.slots = {slot: still for slot, still in gap.slots.items() if slot < start}
                gap.state = gap.ended_state()
        self.stretches = [s for s in self.stretches if s.start < start] + [Stretch(start, ruler)]
        self.known = [grid for grid in self.known if grid.start < start]
        if self.known and (self.known[-1].end is None or start < self.known[-1].end):
            self.known[-1].end = start
        self.known.append(Known(start, ruler))
        self.regridded = True
        self.place_anew(start)
        gap_left = self.open_gap()
        if gap_left is not None:
            self.end_if_over(gap_left)
            if gap_left.state != "OPEN":
                self.touched.add(gap_left.first)

    def is_pending(self, grid: Known) -> bool:
        """Whether a slot of it can still become missing."""
        judged = (self.filled, self.ever_missing, self.void, self.passed)
        return any(not any(slot in done for done in judged) for slot in grid.points())

    def forget_grids(self, horizon: int) -> None:
        """After a change of the grid: those that ended before the horizon, unless they are pending."""
        self.regridded = False
        older = [grid for grid in self.known[:-1] if self.is_pending(grid) or (grid.end or 0) > horizon]
        done = [grid for grid in older if not self.is_pending(grid)][:-MOST_DONE]
        self.known = [grid for grid in older if grid not in done] + self.known[-1:]

    def take_back(self, gap: Gap, why: str = "") -> None:
        gap.state, gap.why = "RETRACTED", why
        self.retracted[gap.first] = gap

    def grow(self, anchor: int, ruler: Ruler) -> list[int]:
        """Grown by learning: gaps since the last change go; what lies on the new grid stays missing, and is
        returned: gaps are to be made of it."""
        since = self.changed_at
        waiting = set(itertools.takewhile(lambda slot: slot < anchor, self.waiting()))
        taken = [gap for gap in self.gaps if gap.first >= since]
        for gap in taken:
            self.gaps.remove(gap)
            self.touched.add(gap.first)
            self.take_back(gap)
        old = self.stretches[-1].start
        if ruler.unit is None:
            start = anchor - (anchor - old) // ruler.interval * ruler.interval
        else:  # a first reading just after midnight is that day's
            start = ruler.first_from(old - NEAR)
        self.stretches[-1] = Stretch(start, ruler)
        self.place_anew(start)
        self.changed_at = anchor
        begin = self.known.pop().start
        if ruler.unit is None:
            begin = anchor - (anchor - begin) // ruler.interval * ruler.interval
        else:
            begin = ruler.first_from(begin)
        self.known += [Known(begin, ruler, anchor)] if begin < anchor else []
        self.known.append(Known(anchor, ruler))
        self.regridded = begin < anchor
        lost = {slot for gap in taken for slot in gap.missing()}
        if ruler.unit is not None:  # a missing slot is one of the day that holds it, unless that has another
            lost = {ruler.nearest(0, slot) for slot in lost} - set(self.filled)
            waiting = {ruler.nearest(0, slot) for slot in waiting} - set(self.filled)
        for slot in itertools.takewhile(lambda point: point < anchor, self.waiting()):
            if slot not in lost | waiting:
                self.void.add(slot)
        still = {slot for slot in lost if start <= slot < anchor and ruler.nearest(start, slot) == slot}
        unfilled = still | waiting
        self.filled = {slot: stamp for slot, stamp in self.filled.items() if slot not in unfilled}
        return sorted(still)


def every(start: int, interval: int, end: int | None) -> Iterator[int]:
    """`start`, `start + interval`, … below `end`."""
    return itertools.count(start, interval) if end is None else iter(range(start, end, interval))


def tolerance(interval: int) -> int:
    return min(interval // 4, 5 * MINUTE)


def round_half_up(value: int, unit: int) -> int:
    return (2 * value + unit) // (2 * unit)
