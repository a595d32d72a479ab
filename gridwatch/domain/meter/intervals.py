"""The interval of a meter and its phase: given, learned or moved.

**Given** in a reading, the interval holds from that reading on, unless its time is before ``last_seen``. For
a meter that gave its interval learning stops.

**Learned** otherwise, starting from the default, by the differences of successive new ``last_seen`` values,
rounded to whole seconds below a minute and to whole minutes above (half up). Three equal smaller ones in a
row shrink the interval, six equal larger ones grow it. A difference that cannot be an interval (below a
second, above a day), or that equals the interval, ends the row. Up to a minute, a smaller one within the
tolerance of the interval is likely to be jitter, and needs six in a row as well.

**Moved**: three accepted readings in a row off the grid, of one phase (within the tolerance of the first of
them), move the grid to that phase. In a row means in order of arrival: any other accepted reading on the
grid ends it; a duplicate or a revision does not count.

What happens to gaps:

- *Grown*: the remembered gaps since the first reading or the last change are retracted. Those of their
  missing slots that lie on the new grid, which runs through the deciding reading, become gaps of their own.
- *Shrunk, moved, given*: the new grid starts at the first reading of the deciding row (the given one
  itself), though never before the first slot of the meter. Missing slots of the old grid from there on
  are retracted. Slots of the old grid before there that are not due yet still become missing when they are;
  an OPEN gap ends unless such slots follow it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from gridwatch.domain.meter.gaps import OPEN, Gap, GapChanges
from gridwatch.domain.meter.grid import Grid, first_from, nearest, runs_of, slot_of, tolerance_of
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.policy import MINUTE, SECOND

ROW_TO_SHRINK: Final = 3
ROW_TO_GROW: Final = 6
ROW_TO_MOVE: Final = 3


def rounded(duration: int) -> int:
    """``duration`` as an interval is learned: in whole seconds below a minute, in whole minutes above, half
    up; microseconds."""
    unit = SECOND if duration < MINUTE else MINUTE
    return (duration + unit // 2) // unit * unit


def give(meter: MeterState, time: int, given: int, changes: GapChanges) -> bool:
    """Apply the interval that a reading of ``time``, not before ``last_seen``, gives. Whether it changed."""
    meter.given = True
    meter.run = ()
    if given == meter.interval:
        return False
    reason = f"the meter gave an interval of {_words(given)} instead of {_words(meter.interval)}"
    _restart(meter, time, given, (time,), reason=reason, changes=changes)
    return True


def learn(meter: MeterState, before: int, time: int, slot: int | None, changes: GapChanges) -> bool:
    """Learn from ``last_seen`` moving from ``before`` to ``time``, in ``slot``. Whether the interval
    changed."""
    if meter.given:
        return False
    difference = rounded(time - before)
    interval = meter.interval
    policy = changes.policy
    possible = policy.min_interval <= difference <= policy.max_learned_interval
    if not possible or difference == rounded(interval):
        meter.run = ()
        return False
    row = meter.run
    row = (*row, before) if row and row[0] == difference else (difference, before)
    meter.run = row
    jitter = interval <= MINUTE and interval - difference <= tolerance_of(interval)
    if len(row) <= (ROW_TO_SHRINK if difference < interval and not jitter else ROW_TO_GROW):
        return False
    reason = f"the interval is {_words(difference)}, not {_words(interval)}"
    if difference < interval:
        _restart(meter, row[1], difference, (*row[1:], time), reason=reason, changes=changes)
    else:
        _grow(meter, time if slot is None else slot, difference, reason, changes)
    return True


def follow_phase(meter: MeterState, time: int, slot: int | None, changes: GapChanges) -> None:
    """Move the grid if an accepted reading of ``time``, in ``slot``, completes a row off the grid."""
    if slot is not None:
        meter.off_run = ()
        return
    row, interval = meter.off_run, meter.interval
    if row and abs(time - nearest(time, row[0], interval)) <= tolerance_of(interval):
        row = (*row, time)
    else:
        row = (time,)
    if len(row) < ROW_TO_MOVE:
        meter.off_run = row
        return
    reason = "the grid moved to another phase"
    _restart(meter, row[0], interval, row, reason=reason, changes=changes)


def _restart(
    meter: MeterState,
    start: int,
    interval: int,
    taken: Iterable[int],
    *,
    reason: str,
    changes: GapChanges,
) -> None:
    """Start a new grid at ``start``; the readings ``taken`` and the remembered ones fill their slots."""
    meter.tidy_gaps(changes.watermark, changes.policy)
    first = (meter.older[0] if meter.older else meter).start
    if start < first:
        start = first_from(first, start, interval)
    for gap in meter.gaps:
        if gap.last >= start:
            changes.touch(gap, reason)
            gap.truncate(start)
        elif gap.state == OPEN and gap.end >= start:
            changes.touch(gap)
            gap.conclude()
    meter.drop_retracted()
    before = Grid(meter.start, meter.interval, meter.cursor, None, meter.ahead)
    past = [grid for grid in (*meter.older, before) if grid.start < start]
    if past:
        past[-1].stop(start)
    meter.keep_older(past, changes.watermark, changes.policy)
    stamps = (*taken, *changes.stamps())
    slots = {slot_of(stamp, start, interval) for stamp in stamps}
    filled = sorted(slot for slot in slots if slot is not None and slot >= start)
    meter.start_grid(start, interval, filled)


def _grow(
    meter: MeterState,
    anchor: int,
    interval: int,
    reason: str,
    changes: GapChanges,
) -> None:
    """Replace the grid, from its start on, by a wider one through ``anchor``, where a new grid starts."""
    meter.tidy_gaps(changes.watermark, changes.policy)
    back = [gap for gap in meter.gaps if gap.first >= meter.start]
    lost = {slot for gap in back for slot in gap.slots() if slot < anchor and (anchor - slot) % interval == 0}
    waiting = {
        slot
        for slot in range(meter.cursor, anchor, meter.interval)
        if (anchor - slot) % interval == 0 and slot not in meter.ahead
    }
    for gap in back:
        changes.touch(gap, reason)
        gap.retract()
    cursor = min(waiting, default=anchor)
    filled = tuple(slot for slot in range(cursor, anchor, interval) if slot not in waiting)
    past = Grid(first_from(meter.start, anchor, interval), interval, cursor, anchor, filled)
    runs = runs_of(sorted(lost), interval)
    found = [
        Gap(first, stop - interval, interval, changes.watermark)
        for first, stop in zip(runs[::2], runs[1::2], strict=True)
    ]
    for gap in found:
        changes.touch(gap, reason)
        if gap.end not in waiting:
            gap.conclude()
    meter.drop_retracted()
    meter.add_gaps(found)
    if past.start < anchor:
        meter.keep_older((*meter.older, past), changes.watermark, changes.policy)
    meter.start_grid(anchor, interval, (anchor,))


def _words(interval: int) -> str:
    return f"{interval / MINUTE:g} min" if interval % MINUTE == 0 else f"{interval / SECOND:g} s"
