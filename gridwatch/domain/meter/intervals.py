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
  itself; where the registry gives the interval, at its first slot from then on), though never before the
  first slot of the meter. Missing slots of the old grid from there on are retracted. Slots of the old grid
  before there that are not due yet still become missing when they are; an OPEN gap ends unless such slots
  follow it.

**Calendar.** An interval that is given may be one of local days or months (``calendar``). Where the clocks of
the policy's time zone change, one of 24 h is taken for a local day if the reading that decides lies at local
midnight; and a meter on 24 h whose next reading comes 23 or 25 h later at the same local time has local days,
too (*grown*).
"""

from __future__ import annotations

from typing import Final

from gridwatch.domain.calendar import DAILY, NEAR, Calendar, clocks_change, local
from gridwatch.domain.meter.changes import GapChanges
from gridwatch.domain.meter.grid import first_from, nearest, tolerance_of
from gridwatch.domain.meter.regrid import grow, restart
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.policy import DAY, HOUR, MINUTE, SECOND, Policy

END: Final = "end"
"""The anchor of readings that cover the time up to their stamp."""
ROW_TO_SHRINK: Final = 3
ROW_TO_GROW: Final = 6
ROW_TO_MOVE: Final = 3


def rounded(duration: int) -> int:
    """``duration`` as an interval is learned: in whole seconds below a minute, in whole minutes above, half
    up; microseconds."""
    unit = SECOND if duration < MINUTE else MINUTE
    return (duration + unit // 2) // unit * unit


def is_settled(meter: MeterState, policy: Policy) -> bool:
    """Whether the interval of a meter is known: given, learned, or seen between two readings on its grid."""
    if meter.given or meter.calendar is not None:
        return True
    return meter.interval != policy.default_interval or meter.last_slot > meter.start


def lag_of(meter: MeterState, policy: Policy) -> int:
    """How long before its stamp the time begins that a reading covers: one interval where readings cover the
    time up to their stamp, else nothing."""
    return meter.interval if _anchor(meter, policy) == END and is_settled(meter, policy) else 0


def longest_lag(meter: MeterState, policy: Policy) -> int:
    """The longest that ``lag_of`` can have been for remembered readings, as far as is known."""
    if _anchor(meter, policy) != END:
        return 0
    return max([meter.interval, *(grid.interval for grid in meter.older)])


def _anchor(meter: MeterState, policy: Policy) -> str:
    terms = meter.terms
    return policy.anchor if terms is None or terms.anchor is None else terms.anchor


def give(meter: MeterState, time: int, given: int, calendar: Calendar | None, changes: GapChanges) -> bool:
    """Apply the interval that a reading of ``time``, not before ``last_seen``, gives. Whether it changed."""
    if meter.terms is not None and meter.terms.fixed:
        return False
    meter.given = True
    meter.run = ()
    if given == meter.interval and calendar == meter.calendar:
        return False
    was, now = _words(meter.interval, meter.calendar), _words(given, calendar)
    reason = f"the meter gave an interval of {now} instead of {was}"
    start = time if calendar is None else calendar.slot_of(time)
    restart(meter, start, given, calendar, (time,), reason=reason, changes=changes)
    return True


def register(
    meter: MeterState, since: int, given: int, calendar: Calendar | None, changes: GapChanges
) -> None:
    """Apply the interval that the registry gives from ``since`` on; the phase of the grid stays."""
    meter.given = True
    meter.run = ()
    if given == meter.interval and calendar == meter.calendar:
        return
    was, now = _words(meter.interval, meter.calendar), _words(given, calendar)
    reason = f"the registry gives an interval of {now} instead of {was}"
    start = first_from(since, meter.last_slot, given, calendar)
    restart(meter, start, given, calendar, (), reason=reason, changes=changes)


def learn(meter: MeterState, before: int, time: int, slot: int | None, changes: GapChanges) -> bool:
    """Learn from ``last_seen`` moving from ``before`` to ``time``, in ``slot``. Whether the interval
    changed."""
    if meter.given:
        return False
    difference = rounded(time - before)
    interval, calendar = meter.interval, meter.calendar
    policy = changes.policy
    if calendar is None and interval == DAY and _is_next_day(before, time, difference, policy):
        calendar = Calendar(DAILY, policy.timezone)
        slot = calendar.slot_of(time)
        grow(meter, slot, DAY, calendar, before, f"the interval is {calendar}, not 24 h", changes)
        return True
    possible = policy.min_interval <= difference <= policy.max_learned_interval
    if not possible or _is_one_interval(calendar, before, time, difference, interval):
        meter.run = ()
        return False
    row = meter.run
    row = (*row, before) if row and row[0] == difference else (difference, before)
    meter.run = row
    jitter = interval <= MINUTE and interval - difference <= tolerance_of(interval)
    if len(row) <= (ROW_TO_SHRINK if difference < interval and not jitter else ROW_TO_GROW):
        return False
    learned = _learned_calendar(time, difference, policy)
    reason = f"the interval is {_words(difference, learned)}, not {_words(interval, calendar)}"
    if difference < interval or calendar is not None:
        start = row[1] if learned is None else learned.slot_of(row[1])
        restart(meter, start, difference, learned, (*row[1:], time), reason=reason, changes=changes)
    else:
        anchor = time if slot is None else slot
        if learned is not None:
            anchor = learned.slot_of(time)
        grow(meter, anchor, difference, learned, before, reason, changes)
    return True


def _is_one_interval(
    calendar: Calendar | None, before: int, time: int, difference: int, interval: int
) -> bool:
    if calendar is None:
        return difference == rounded(interval)
    return calendar.steps(calendar.slot_of(before), calendar.slot_of(time)) == 1


def _is_next_day(before: int, time: int, difference: int, policy: Policy) -> bool:
    """Whether two readings that are 23 or 25 hours apart are of the same local time, on two days."""
    if difference not in {23 * HOUR, 25 * HOUR}:
        return False
    first, second = (local(policy.timezone, rounded(stamp)) for stamp in (before, time))
    return first.time() == second.time() and (second.date() - first.date()).days == 1


def _learned_calendar(time: int, interval: int, policy: Policy) -> Calendar | None:
    """The calendar that an interval of 24 h is taken for: where the clocks change, and a reading of ``time``
    lies at local midnight."""
    if interval != DAY or not clocks_change(policy.timezone, time):
        return None
    calendar = Calendar(DAILY, policy.timezone)
    return calendar if abs(time - calendar.slot_of(time)) <= NEAR else None


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
    restart(meter, row[0], interval, None, row, reason=reason, changes=changes)


def _words(interval: int, calendar: Calendar | None) -> str:
    if calendar is not None:
        return str(calendar)
    return f"{interval / MINUTE:g} min" if interval % MINUTE == 0 else f"{interval / SECOND:g} s"
