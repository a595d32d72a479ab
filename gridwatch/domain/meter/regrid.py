"""Gives a meter another grid, and makes its gaps follow: what ``intervals`` decided.

*Restart*: the new grid begins at some slot; what was missing of the old one from there on is taken back.
*Grow*: the whole grid is replaced by a wider one, and the gaps with it.
"""

from __future__ import annotations

from collections.abc import Iterable

from gridwatch.domain.calendar import Calendar
from gridwatch.domain.meter.changes import GapChanges
from gridwatch.domain.meter.gaps import OPEN, Gap
from gridwatch.domain.meter.grid import Grid, first_from, runs_of, shift, slot_of, slots_of
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.policy import DAY


def restart(
    meter: MeterState,
    start: int,
    interval: int,
    calendar: Calendar | None,
    taken: Iterable[int],
    *,
    reason: str,
    changes: GapChanges,
) -> None:
    """Start a new grid at ``start``; the readings ``taken`` and the remembered ones fill their slots."""
    meter.tidy_gaps(changes.watermark, changes.policy)
    first = (meter.older[0] if meter.older else meter).start
    if start < first:
        start = first_from(first, start, interval, calendar)
    for gap in meter.gaps:
        if gap.last >= start:
            changes.touch(gap, reason)
            gap.truncate(start)
        elif gap.state == OPEN and gap.end >= start:
            changes.touch(gap)
            gap.conclude()
    meter.drop_retracted()
    before = Grid(meter.start, meter.interval, meter.cursor, None, meter.ahead, meter.calendar)
    past = [grid for grid in (*meter.older, before) if grid.start < start]
    if past:
        past[-1].stop(start)
    meter.keep_older(past, changes.watermark, changes.policy)
    stamps = (*taken, *changes.stamps())
    slots = {slot_of(stamp, start, interval, calendar) for stamp in stamps}
    filled = sorted(slot for slot in slots if slot is not None and slot >= start)
    meter.start_grid(start, interval, calendar, filled)


def grow(  # noqa: PLR0917 - all that it depends on
    meter: MeterState,
    anchor: int,
    interval: int,
    calendar: Calendar | None,
    before: int,
    reason: str,
    changes: GapChanges,
) -> None:
    """Replace the grid, from its start on, by a wider one through ``anchor``, where a new grid starts.

    before: the reading before the one that decided.
    """
    meter.tidy_gaps(changes.watermark, changes.policy)
    days = meter.interval == DAY
    back = [gap for gap in meter.gaps if gap.first >= meter.start]

    def on_new_grid(slot: int) -> int | None:
        """The slot of the wider grid that ``slot`` is; None if it is none."""
        if calendar is None:
            return slot if slot < anchor and (anchor - slot) % interval == 0 else None
        if slot >= before:
            return None
        day = calendar.slot_of(slot) if days else calendar.slot_at(slot)
        return day if days or day == slot else None

    lost = {on_new_grid(slot) for gap in back for slot in gap.slots()}
    waiting = {
        on_new_grid(slot) for slot in range(meter.cursor, anchor, meter.interval) if slot not in meter.ahead
    }
    missing = sorted(slot for slot in lost if slot is not None)
    pending = sorted(slot for slot in waiting if slot is not None)
    for gap in back:
        changes.touch(gap, reason)
        gap.retract()
    cursor = pending[0] if pending else anchor
    between = slots_of((cursor, anchor), interval, calendar)
    filled = tuple(slot for slot in between if slot not in waiting)
    start = first_from(meter.start, anchor, interval, calendar)
    past = Grid(start, interval, cursor, anchor, filled, calendar)
    runs = runs_of(missing, interval, calendar)
    found = []
    for first, stop in zip(runs[::2], runs[1::2], strict=True):
        last = shift(stop, -1, interval, calendar)
        planned = changes.is_planned(first, last, interval, calendar)
        found.append(Gap(first, last, interval, changes.watermark, calendar=calendar, planned=planned))
    for gap in found:
        changes.touch(gap, reason)
        if gap.end not in waiting:
            gap.conclude()
    meter.drop_retracted()
    meter.add_gaps(found)
    if past.start < anchor:
        meter.keep_older((*meter.older, past), changes.watermark, changes.policy)
    meter.start_grid(anchor, interval, calendar, (anchor,))
