"""The life cycle of a gap: one run of missing slots of one meter.

A gap is named by its meter and the first slot that was missing. Its *extent* runs from there to the last
slot that became missing in it. Filling a slot takes it out of what is missing, never out of the extent.

- ``OPEN``      slots may still become missing right after the extent, which then grows by them.
- It *ends* when the slot after its extent is filled, or the last slot of its extent is: ``CLOSED`` if
  none of its slots was filled, ``PARTIAL`` if some were, ``FILLED`` if all. Later fills move it from one
  to the next.
- ``EXPIRED``   its meter was silent for the state's life; ``RETRACTED`` another interval or phase of the
  grid shows that no reading was due. Both are final: the gap is forgotten with them.

Every step that touches a gap adds one revision, with its state at the end of the step.

Below an interval of a minute, growth is rationed: a silent 10 s meter would give 360 revisions an hour. An
OPEN gap grows when the watermark has reached the deadline of its next slot *and* a full minute, after its
first hour a full quarter of an hour; then by every slot due. The slot with which it ends is not deferred, and
a late reading of the meter first has every slot settled that is due.

``missing_to`` is exclusive: while OPEN the deadline of the last missing slot (slot + grace: that is how
far it is certain), afterwards the last slot + interval.

A gap whose slots were all planned to be missing when they became so (``Plan``) is *planned*: its reason is
``PLANNED`` as long as it misses any.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from gridwatch.domain.calendar import Calendar
from gridwatch.domain.meter.grid import Grid, first_from, shift, slots_of, steps
from gridwatch.domain.policy import HOUR, MINUTE, NEVER, Policy

OPEN: Final = "OPEN"
CLOSED: Final = "CLOSED"
PARTIAL: Final = "PARTIAL"
FILLED: Final = "FILLED"
EXPIRED: Final = "EXPIRED"
RETRACTED: Final = "RETRACTED"
PLANNED: Final = "PLANNED"
"""The reason of a gap that is planned."""
_QUARTER: Final = 15 * MINUTE


class Gap:
    """One gap; every instant in microseconds."""

    __slots__ = (
        "calendar",
        "detected",
        "first",
        "interval",
        "last",
        "missing",
        "planned",
        "revision",
        "state",
    )

    def __init__(
        self,
        first: int,
        last: int,
        interval: int,
        detected: int,
        *,
        calendar: Calendar | None = None,
        planned: bool = False,
        missing: tuple[int, ...] | None = None,
        state: str = OPEN,
        revision: int = 0,
    ) -> None:
        self.first = first
        """First slot of the extent: names the gap."""
        self.last = last
        """Last slot of the extent."""
        self.interval = interval
        self.calendar = calendar
        self.planned = planned
        """Whether all slots of its extent were planned to be missing."""
        self.detected = detected
        """The watermark at which the first slot became missing."""
        self.missing = (first, shift(last, 1, interval, calendar)) if missing is None else missing
        """The slots still missing: from, to, from, to … in ascending order, ``to`` exclusive."""
        self.state = state
        self.revision = revision
        """Revisions emitted so far."""

    @property
    def end(self) -> int:
        """The first instant after the extent."""
        return self.after(self.last)

    def after(self, slot: int) -> int:
        """The slot after ``slot``."""
        return shift(slot, 1, self.interval, self.calendar)

    @property
    def missing_count(self) -> int:
        missing, calendar = self.missing, self.calendar
        if calendar is None:
            return (sum(missing[1::2]) - sum(missing[::2])) // self.interval
        return sum(calendar.steps(start, stop) for start, stop in self.ranges())

    @property
    def filled_count(self) -> int:
        if self.state == RETRACTED:
            return 0
        return steps(self.first, self.last, self.interval, self.calendar) + 1 - self.missing_count

    def ranges(self) -> tuple[tuple[int, int], ...]:
        """The slots still missing, as [from, to) pairs."""
        return tuple(zip(self.missing[::2], self.missing[1::2], strict=True))

    def slots(self) -> tuple[int, ...]:
        """Every slot still missing."""
        return slots_of(self.missing, self.interval, self.calendar)

    def lacks(self, slot: int) -> bool:
        """Whether ``slot``, a point of this gap's grid, is still missing."""
        return bisect_right(self.missing, slot) & 1 == 1

    def extend(self, slot: int, count: int) -> None:
        """Add ``count`` missing slots from ``slot`` on, the one right after the extent."""
        missing = self.missing
        self.last = shift(slot, count - 1, self.interval, self.calendar)
        stop = self.after(self.last)
        self.missing = (*missing[:-1], stop) if missing and missing[-1] == slot else (*missing, slot, stop)

    def fill(self, slot: int) -> None:
        """Fill ``slot``, which was missing."""
        missing, after = self.missing, self.after(slot)
        at = bisect_right(missing, slot)
        start, stop = missing[at - 1], missing[at]
        rest: tuple[int, ...] = ()
        if start < slot:
            rest = (start, slot)
        if after < stop:
            rest = (*rest, after, stop)
        self.missing = missing[: at - 1] + rest + missing[at + 1 :]
        if self.state != OPEN or slot == self.last:
            self.conclude()

    def conclude(self) -> None:
        """Set the state of an ended gap by how much of it was filled."""
        if not self.missing:
            self.state = FILLED
        elif self.filled_count:
            self.state = PARTIAL
        else:
            self.state = CLOSED

    def truncate(self, at: int) -> None:
        """Remove the slots from ``at`` on from the extent. With none left the gap is ``RETRACTED``."""
        if at <= self.first:
            self.retract()
            return
        rest: list[int] = []
        for start, stop in self.ranges():
            if start < at:
                rest += (start, min(stop, first_from(at, start, self.interval, self.calendar)))
        self.missing = tuple(rest)
        first = first_from(at, self.first, self.interval, self.calendar)
        self.last = min(self.last, shift(first, -1, self.interval, self.calendar))
        self.conclude()

    def retract(self) -> None:
        """It was no gap: no reading was due."""
        self.missing = ()
        self.state = RETRACTED

    def expire(self) -> None:
        """Its meter was silent for the state's time to live."""
        self.state = EXPIRED

    def revise(self) -> int:
        """Add a revision; returns its number."""
        self.revision += 1
        return self.revision

    def missing_to(self, grace: int) -> int:
        """``grace``: that of its slots."""
        return self.last + grace if self.state == OPEN else self.end

    def growth_due(self, grid: Grid, grace: int) -> int:
        """When this OPEN gap grows by the slots from the cursor of ``grid`` on: see the rules above."""
        due = grid.cursor + grace
        if self.interval >= MINUTE:
            return due
        unit = MINUTE if grid.cursor - self.first < HOUR else _QUARTER
        return min(-(-due // unit) * unit, grid.last_due() + grace)


def remembered(gap: Gap, watermark: int, policy: Policy) -> bool:
    """Whether ``gap`` can still be filled: OPEN, or ended within the gap memory."""
    return gap.state == OPEN or watermark < gap.end + policy.gap_memory


def tidied(gaps: Sequence[Gap], watermark: int, policy: Policy) -> tuple[tuple[Gap, ...], int]:
    """The gaps of a meter without those that are final or too old, and without the oldest ones beyond the
    limit; and the last slot of those that could be filled before."""
    retained, forgotten = [], -NEVER
    for gap in gaps:
        if gap.state in {RETRACTED, EXPIRED}:
            continue
        if remembered(gap, watermark, policy):
            retained.append(gap)
        else:
            forgotten = max(forgotten, gap.last)
    surplus = len(retained) - policy.max_remembered_gaps - bool(gaps and gaps[-1].state == OPEN)
    if surplus > 0:
        forgotten = max(forgotten, *(gap.last for gap in retained[:surplus]))
        del retained[:surplus]
    return tuple(retained), forgotten
