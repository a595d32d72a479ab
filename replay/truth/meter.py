"""One meter as the perfect detector sees it: its grid, what moves the grid, and its gaps.

What can no longer change is reported at once. Where the grid changes, what it touches is not judged: the
meter is *unclear* from there until its latest reading lies on the new grid, and in time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from gridwatch.domain.meter.state import MAX_OLDER_GRIDS
from gridwatch.domain.policy import HOUR, MINUTE, NEVER, Policy, grace_of
from replay.files.spacing import Spacing
from replay.truth.findings import SOFT, Finding, GapTruth, NothingTruth, Unjudged
from replay.truth.grid_change import GridChange
from replay.truth.remembered import Remembered

FILLED = "its slot was filled by another reading"
_LEARNED = "the interval was being learned"
_SHARED = "another reading of its slot was withheld too"


class MeterTruth:
    """Times in µs. `edge` is the first slot neither filled nor missing; `ahead` are filled ones after it."""

    __slots__ = (
        "_policy",
        "_report",
        "ahead",
        "anchor",
        "change",
        "edge",
        "ended",
        "last_seen",
        "name",
        "older",
        "open",
        "queued",
        "recent",
        "spacing",
        "start",
        "unclear",
        "withheld",
    )  # fmt: skip
    edge: int
    spacing: Spacing

    def __init__(
        self,
        name: str,
        time: int,
        given: Spacing | None,
        policy: Policy,
        report: Callable[[Finding], None],
    ) -> None:
        """Its first reading is of `time`, and gives an interval of `given`, None for none."""
        self._policy = policy
        self._report = report
        self.name = name
        self.last_seen = time
        self.change = GridChange(bool(given))
        self.open: GapTruth | None = None
        self.ended: list[GapTruth] = []
        #: Slots not decided yet whose readings will not come, and which fault keeps them.
        self.withheld: dict[int, str] = {}
        self.recent = Remembered()
        #: When the detector looks at it next of itself, where that decides something.
        self.queued = NEVER
        #: Since a change of the grid that the latest reading does not lie on: from where, slots, why.
        self.unclear: tuple[int, int, str] | None = None
        #: Where the grid begins, and the grids before it: where each began, a point of it, its interval.
        spacing = given or Spacing(policy.default_interval)
        self.start = spacing.at(time) if spacing.unit else time
        self.older: list[tuple[int, int, Spacing]] = []
        self._set_grid(self.start, time, spacing)

    def repeats(self, time: int, kwh: float) -> Literal["", "DUPLICATE", "REVISED"]:
        """Whether this stamp came before, with the same value or with another one."""
        standing = self.recent.value(time)
        return "" if standing is None else "DUPLICATE" if standing == kwh else "REVISED"

    def apply(self, time: int, given: Spacing | None, watermark: int | None, late_by: str) -> None:
        """A reading that counts, of a meter that is settled to `watermark`."""
        latest = time > self.last_seen
        if given and time >= self.last_seen:
            self.change.given = True
            if given != self.spacing:
                self.last_seen = time
                self._change_grid((given.nearest(time, time), time), given, "the interval was given anew")
                return
        if time in self.recent:
            return  # a revision: only an interval that it gives is news
        learned = self._learned(time) if latest else None
        self.last_seen = max(self.last_seen, time)
        slot = self.slot(time)
        if learned is not None and self._is_wider(learned):
            # The gaps of the narrower grid go, all that are still held, and the wider one runs through here.
            here = time if slot is None else slot
            self._change_grid((0, learned.nearest(time, here) if learned.unit else here), learned, _LEARNED)
        elif learned is not None:
            since = self.change.run_from
            self._change_grid((learned.nearest(since, since), time), learned, _LEARNED)
        elif self.change.strays(time, self._slot_then(time, slot), self.spacing):
            self._change_grid((self.change.off_grid[0], time), self.spacing, "the readings changed phase")
        elif slot is None or slot < self.edge:
            self.fill_missing(time, late_by)
        elif self.unclear is None:
            self.ahead.add(slot)
            self._pass_filled()
        elif latest and (watermark is None or watermark < self.spacing.after(slot) + self.grace):
            # Were the next slot missing already, it would belong to a gap that began where nothing is judged.
            self._clear_up(time)

    def lack(self, time: int, cause: str) -> None:
        """A reading will not fill its slot, because of a fault."""
        slot = self.slot(time)
        if slot is not None and slot >= self.edge and slot not in self.ahead:
            known = self.withheld.get(slot)
            if known is None or known in SOFT:
                self.withheld[slot] = cause
            elif cause not in SOFT:
                self._report(NothingTruth(self.name, time, time + 1, 1, _SHARED, cause))
            return
        lacking = None if slot is None or slot >= self.edge else self._lacking(time)
        if lacking is not None:
            lacking[0].causes[cause] += 1
        elif self.unclear is not None:
            self.unclear = (self.unclear[0], self.unclear[1] + _hard([cause]), self.unclear[2])
        elif cause not in SOFT:
            why = "off the meter's grid" if slot is None else FILLED
            self._report(NothingTruth(self.name, time, time + 1, 1, why, cause))

    def fill_missing(self, time: int, why: str) -> None:
        """A reading of the past counts where its slot is missing in a gap still held, on that gap's grid."""
        lacking = self._lacking(time)
        if lacking is None:
            return
        gap, slot = lacking
        gap.fill(slot, why)
        if gap is not self.open:
            gap.end()
        elif slot == gap.last:
            self._end_open(gap)

    @property
    def grace(self) -> int:
        """How long after its slot a reading may be missing."""
        return grace_of(self.interval, self._policy.grace)

    @property
    def due(self) -> int:
        """The watermark at which the next slot becomes missing; `NEVER` where the state at any moment does
        not depend on when it is asked for.

        Below a minute it does: while a gap goes on it grows once a minute, after an hour once in a quarter.
        """
        if self.interval >= MINUTE or self.unclear is not None:
            return NEVER
        due = self.edge + self.grace
        if self.open is None:
            return due
        often = MINUTE if self.edge - self.open.first < HOUR else 15 * MINUTE
        later = due + -due % often
        return min(later, min(self.ahead) - self.interval + self.grace) if self.ahead else later

    def settle(self, watermark: int, end: int = NEVER, *, all_due: bool = False) -> None:
        """Every slot whose deadline the watermark has passed is missing now, but for those after `end`, and
        unless `all_due` for those by which an open gap does not grow yet."""
        limit = min(watermark - self.grace, end)
        spacing = self.spacing
        while self.unclear is None and limit >= self.edge:
            due = spacing.steps(self.edge, limit) + 1
            if not all_due and self.open is not None and self.interval < MINUTE and watermark < self.due:
                break
            if self.ahead:
                due = min(due, spacing.steps(self.edge, min(self.ahead)))
            last = spacing.after(self.edge, due - 1)
            if self.open is None:
                self.open = GapTruth(self.name, self.edge, last, spacing)
            self.open.last = last
            for slot in [slot for slot in self.withheld if slot <= last]:
                self.open.causes[self.withheld.pop(slot)] += 1
            self.edge = spacing.after(last)
            self._pass_filled()
        self.forget(watermark)

    def forget(self, watermark: int) -> None:
        """Report the gaps that no reading can fill any more."""
        while self.ended and (
            len(self.ended) > self._policy.max_remembered_gaps
            or self.ended[0].to + self._policy.gap_memory <= watermark
        ):
            self._report(self.ended.pop(0))

    def finish(self, until: int, *, expired: bool) -> None:
        """Report everything: its life is over, or the sequence is; what is unclear is so `until` then."""
        if self.open is not None and expired:
            self.open.end("EXPIRED")
        elif self.open is not None:
            self.open.to = self.open.last + self.grace
        for gap in (*self.ended, self.open):
            if gap is not None:
                self._report(gap)
        self._not_missing(
            self.withheld, "the meter had been given up" if expired else "not settled before the end"
        )
        self._clear_up(until)

    def slot(self, time: int) -> int | None:
        """The slot a stamp belongs to, or None when it lies off the grid."""
        return self.spacing.slot_of(time, self.anchor)

    @property
    def interval(self) -> int:
        """Its interval, of a calendar the nominal one."""
        return self.spacing.length

    def _learned(self, time: int) -> Spacing | None:
        return self.change.interval_after(self.last_seen, time, self.spacing, self._policy)

    def _is_wider(self, learned: Spacing) -> bool:
        """Whether its slots become fewer, or those of a length the days of a calendar."""
        before = self.spacing
        longer = learned.length > before.length or (bool(learned.unit) and learned.length == before.length)
        return longer and not before.unit

    def _slot_then(self, time: int, slot: int | None) -> int | None:
        """The slot of a stamp on the grid of its time, of which `slot` is that on the grid of now."""
        if time >= self.start - self.spacing.tolerance or not self.older:
            return slot
        _, anchor, spacing = next(
            (one for one in reversed(self.older) if time >= one[0] - one[2].tolerance), self.older[0]
        )
        return spacing.slot_of(time, anchor)

    def _set_grid(self, anchor: int, time: int, spacing: Spacing) -> None:
        """A grid through `anchor` on which all slots up to the one of the reading at `time` are decided."""
        self.anchor = anchor
        self.spacing = spacing
        self.edge = spacing.after(spacing.nearest(time, anchor))
        self.ahead: set[int] = set()

    def _change_grid(self, span: tuple[int, int], spacing: Spacing, why: str) -> None:
        """A new grid through the ends of `span`; what it touches from its beginning on is not judged."""
        since, time = span
        touched = [gap for gap in self.ended if gap.last >= since]
        self.ended = [gap for gap in self.ended if gap.last < since]
        if self.open is not None:
            touched.append(self.open)
            self.open = None
        first = min([since or time, self.edge, time, *(gap.first for gap in touched)])
        injected = sum(gap.injected for gap in touched) + _hard(self.withheld.values())
        self.withheld.clear()
        if since:
            self.older = [
                one for one in (*self.older, (self.start, self.anchor, self.spacing)) if one[0] < since
            ]
        else:
            self.older.append((self.start, time, spacing))
        del self.older[:-MAX_OLDER_GRIDS]
        self.start = since or time
        _, before, _ = self.unclear or (first, 0, "")
        self.unclear = (min(first, (self.unclear or (first,))[0]), before + injected, why)
        self.change.clear()
        self._set_grid(since or time, time, spacing)
        if time >= self.last_seen - spacing.length // 2 and self.slot(time) is not None:
            self._clear_up(time)

    def _clear_up(self, time: int) -> None:
        """The latest reading lies on the grid: from its slot on the meter is judged again."""
        if self.unclear is None:
            return
        first, injected, why = self.unclear
        self.unclear = None
        self._set_grid(self.anchor, time, self.spacing)
        injected += _hard([self.withheld.pop(slot) for slot in list(self.withheld) if slot < self.edge])
        if first < time or injected:
            self._report(Unjudged(self.name, min(first, time), time, why, injected))

    def _pass_filled(self) -> None:
        """Move the edge over slots that are filled; the first of them ends an open gap."""
        if self.edge in self.ahead and self.open is not None:
            self._end_open(self.open)
        start = self.edge
        while self.edge in self.ahead:
            self.ahead.remove(self.edge)
            self.edge = self.spacing.after(self.edge)
        if self.withheld and self.edge > start:
            self._not_missing([slot for slot in self.withheld if slot < self.edge], FILLED)

    def _lacking(self, time: int) -> tuple[GapTruth, int] | None:
        """The gap, still held, in which the slot of this stamp is missing, and the slot."""
        for gap in (self.open, *self.ended):
            if gap is not None:
                slot = gap.spacing.slot_of(time, gap.first)
                if slot is not None and gap.has(slot):
                    return gap, slot
        return None

    def _end_open(self, gap: GapTruth) -> None:
        """The meter is back."""
        gap.end()
        self.open = None
        self.ended.append(gap)

    def _not_missing(self, slots: Iterable[int], why: str) -> None:
        for slot in sorted(slots):
            cause = self.withheld.pop(slot)
            if cause not in SOFT:
                self._report(NothingTruth(self.name, slot, self.spacing.after(slot), 1, why, cause))


def _hard(causes: Iterable[str]) -> int:
    return sum(cause not in SOFT for cause in causes)
