"""One meter as the perfect detector sees it: its grid, what moves the grid, and its gaps.

What can no longer change is reported at once. Where the grid changes, what it touches is not judged: the
meter is *unclear* from there until its latest reading lies on the new grid, and in time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from gridwatch.domain.meter.state import MAX_OLDER_GRIDS
from gridwatch.domain.policy import HOUR, MINUTE, NEVER, Policy, grace_of
from replay.truth.findings import SOFT, Finding, GapTruth, NothingTruth, Unjudged
from replay.truth.grid_change import GridChange, nearest, tolerance
from replay.truth.remembered import Remembered

FILLED = "its slot was filled by another reading"
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
        "interval",
        "last_seen",
        "name",
        "older",
        "open",
        "queued",
        "recent",
        "start",
        "unclear",
        "withheld",
    )  # fmt: skip
    edge: int

    def __init__(
        self, name: str, time: int, given: int, policy: Policy, report: Callable[[Finding], None]
    ) -> None:
        """Its first reading is of `time`, and gives an interval of `given`, 0 for none."""
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
        self.start = time
        self.older: list[tuple[int, int, int]] = []
        self._set_grid(time, time, given or policy.default_interval)

    def repeats(self, time: int, kwh: float) -> Literal["", "DUPLICATE", "REVISED"]:
        """Whether this stamp came before, with the same value or with another one."""
        standing = self.recent.value(time)
        return "" if standing is None else "DUPLICATE" if standing == kwh else "REVISED"

    def apply(self, time: int, given: int, watermark: int | None, late_by: str) -> None:
        """A reading that counts, of a meter that is settled to `watermark`."""
        latest = time > self.last_seen
        if given and time >= self.last_seen:
            self.change.given = True
            if given != self.interval:
                self.last_seen = time
                self._change_grid((time, time), given, "the interval was given anew")
                return
        if time in self.recent:
            return  # a revision: only an interval that it gives is news
        learned = self._learned(time) if latest else 0
        self.last_seen = max(self.last_seen, time)
        slot = self.slot(time)
        if learned > self.interval:
            # The gaps of the narrower grid go, all that are still held, and the wider one runs through here.
            span = (0, time if slot is None else slot)
            self._change_grid(span, learned, "the interval was being learned")
        elif learned:
            self._change_grid((self.change.run_from, time), learned, "the interval was being learned")
        elif self.change.strays(time, self._slot_then(time, slot), self.interval):
            self._change_grid((self.change.off_grid[0], time), self.interval, "the readings changed phase")
        elif slot is None or slot < self.edge:
            self.fill_missing(time, late_by)
        elif self.unclear is None:
            self.ahead.add(slot)
            self._pass_filled()
        elif latest and (watermark is None or watermark < slot + self.interval + self.grace):
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
        while self.unclear is None and (due := (limit - self.edge) // self.interval + 1) > 0:
            if not all_due and self.open is not None and self.interval < MINUTE and watermark < self.due:
                break
            if self.ahead:
                due = min(due, (min(self.ahead) - self.edge) // self.interval)
            last = self.edge + (due - 1) * self.interval
            if self.open is None:
                self.open = GapTruth(self.name, self.edge, last, self.interval)
            self.open.last = last
            for slot in [slot for slot in self.withheld if slot <= last]:
                self.open.causes[self.withheld.pop(slot)] += 1
            self.edge = last + self.interval
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
        return nearest(time, self.anchor, self.interval)

    def _learned(self, time: int) -> int:
        return self.change.interval_after(self.last_seen, time, self.interval, self._policy)

    def _slot_then(self, time: int, slot: int | None) -> int | None:
        """The slot of a stamp on the grid of its time, of which `slot` is that on the grid of now."""
        if time >= self.start - tolerance(self.interval) or not self.older:
            return slot
        _, anchor, interval = next(
            (one for one in reversed(self.older) if time >= one[0] - tolerance(one[2])), self.older[0]
        )
        return nearest(time, anchor, interval)

    def _set_grid(self, anchor: int, time: int, interval: int) -> None:
        """A grid through `anchor` on which all slots up to the one of the reading at `time` are decided."""
        self.anchor = anchor
        self.interval = interval
        self.edge = anchor + ((time - anchor + interval // 2) // interval + 1) * interval
        self.ahead: set[int] = set()

    def _change_grid(self, span: tuple[int, int], interval: int, why: str) -> None:
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
                one for one in (*self.older, (self.start, self.anchor, self.interval)) if one[0] < since
            ]
        else:
            self.older.append((self.start, time, interval))
        del self.older[:-MAX_OLDER_GRIDS]
        self.start = since or time
        _, before, _ = self.unclear or (first, 0, "")
        self.unclear = (min(first, (self.unclear or (first,))[0]), before + injected, why)
        self.change.clear()
        self._set_grid(since or time, time, interval)
        if time >= self.last_seen - interval // 2 and self.slot(time) is not None:
            self._clear_up(time)

    def _clear_up(self, time: int) -> None:
        """The latest reading lies on the grid: from its slot on the meter is judged again."""
        if self.unclear is None:
            return
        first, injected, why = self.unclear
        self.unclear = None
        self._set_grid(self.anchor, time, self.interval)
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
            self.edge += self.interval
        if self.withheld and self.edge > start:
            self._not_missing([slot for slot in self.withheld if slot < self.edge], FILLED)

    def _lacking(self, time: int) -> tuple[GapTruth, int] | None:
        """The gap, still held, in which the slot of this stamp is missing, and the slot."""
        for gap in (self.open, *self.ended):
            if gap is not None:
                slot = nearest(time, gap.first, gap.interval)
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
                self._report(NothingTruth(self.name, slot, slot + self.interval, 1, why, cause))


def _hard(causes: Iterable[str]) -> int:
    return sum(cause not in SOFT for cause in causes)
