"""Applies a reading to its meter: fills the slot it belongs to.

- A slot not due yet is filled: it will not become missing. If it is the one after the extent of the OPEN
  gap, the gap ends.
- A slot that is missing is filled after all, if its gap is remembered.
- A slot that another stamp filled before stays as it is: the reading is EXTRA (or, of a reading
  that is TOO_LATE, SLOT_FILLED).
- A reading off the grid fills nothing; it is flagged OFF_GRID, and proves that the meter is alive.
- A reading before the first slot of its meter fills nothing: nothing there is ever missing.

Slots of forgotten gaps are known neither as filled nor as missing; for them the remembered stamps decide
whether a reading is EXTRA.

A TOO_LATE reading can only fill a slot of a gap that is remembered. It does not prove that the meter is alive
(``last_seen`` stays), teaches nothing about the interval, and does not fill a slot that is not missing yet.
"""

from __future__ import annotations

from gridwatch.domain.calendar import Calendar
from gridwatch.domain.meter.changes import GapChanges
from gridwatch.domain.meter.gaps import Gap, remembered
from gridwatch.domain.meter.grid import Grid, slot_of, tolerance_of
from gridwatch.domain.meter.intervals import follow_phase, give, learn
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.reading import EXTRA, INTERVAL_CHANGED, OFF_GRID, SLOT_FILLED


def accept(
    meter: MeterState, time: int, given: int | None, calendar: Calendar | None, changes: GapChanges
) -> int:
    """Apply a reading of ``time`` that is ON_TIME or LATE, of a stamp new to ``meter``. Returns its flags.

    ``given`` is the interval that the reading gives, with its calendar if it has one. The caller has to
    recompute ``meter.due``.
    """
    grid = meter.grid_at(time)
    slot = slot_on(grid, time)
    flags = 0
    if slot is None:
        flags = OFF_GRID
    elif slot >= grid.cursor and slot not in grid.ahead:
        if slot == grid.cursor:
            gap = meter.open_gap
            if gap is not None and gap.end == slot:
                changes.touch(gap)
                gap.conclude()
        grid.fill(slot)
        meter.last_slot = max(meter.last_slot, slot)
    elif not _fill_gap(meter, grid, time, changes) and _is_filled(meter, grid, slot, changes):
        # Slots that a wider grid has where the one before had none count as filled, without a reading; those
        # that passed while nothing was expected, too.
        terms = meter.terms
        known = terms is None or (terms.expected and slot >= terms.resumed) or slot == meter.last_slot
        surely = grid is meter and known
        flags = EXTRA if surely or _has_reading(grid, slot, changes) else 0
    before = meter.last_seen
    meter.last_seen = max(before, time)
    if given is not None and time >= before:
        if give(meter, time, given, calendar, changes):
            # The grid restarts at this reading, so the reading lies on it and nothing was there before.
            return INTERVAL_CHANGED
    elif time > before and learn(meter, before, time, slot, changes):
        return flags | INTERVAL_CHANGED
    follow_phase(meter, time, slot, changes)
    return flags


def revise(
    meter: MeterState, time: int, given: int | None, calendar: Calendar | None, changes: GapChanges
) -> int:
    """Apply a revision: another value for a stamp that ``meter`` had. Only an interval it gives changes the
    meter. Returns its flags."""
    if given is not None and time >= meter.last_seen and give(meter, time, given, calendar, changes):
        return INTERVAL_CHANGED
    return OFF_GRID if slot_on(meter.grid_at(time), time) is None else 0


def accept_too_late(meter: MeterState, time: int, changes: GapChanges) -> int:
    """Apply a reading of ``time`` that is TOO_LATE. Returns its flags."""
    grid = meter.grid_at(time)
    slot = slot_on(grid, time)
    if _fill_gap(meter, grid, time, changes):
        return 0
    if slot is None:
        return OFF_GRID
    return SLOT_FILLED if _is_filled(meter, grid, slot, changes) else 0


def slot_on(grid: Grid, time: int) -> int | None:
    """The slot of a grid that ``time`` is of; None if it is off the grid."""
    slot = grid.slot_of(time)
    # Points after the end belong to the next grid, and the reading is too far from that one's.
    return None if slot is not None and grid.end is not None and slot >= grid.end else slot


def _fill_gap(meter: MeterState, grid: Grid, time: int, changes: GapChanges) -> bool:
    """Fill the slot of ``time`` if it is missing in a remembered gap of its grid."""
    before_all = time < grid.start - tolerance_of(grid.interval)
    for gap in reversed(meter.gaps):
        # Gaps before the first known grid are of dropped grids: each still has the interval of its own.
        if (gap.first < grid.start) != before_all:
            continue
        slot = _slot_in(gap, time)
        if slot is not None and remembered(gap, changes.watermark, changes.policy):
            changes.touch(gap)
            gap.fill(slot)
            meter.last_slot = max(meter.last_slot, slot)
            return True
    return False


def _slot_in(gap: Gap, time: int) -> int | None:
    """The slot of ``time`` if ``gap`` lacks it."""
    slot = slot_of(time, gap.first, gap.interval, gap.calendar)
    return slot if slot is not None and gap.first <= slot <= gap.last and gap.lacks(slot) else None


def _has_reading(grid: Grid, slot: int, changes: GapChanges) -> bool:
    """Whether a remembered reading lies in ``slot`` of ``grid``."""
    return any(slot_of(at, slot, grid.interval, grid.calendar) == slot for at in changes.stamps())


def _is_filled(meter: MeterState, grid: Grid, slot: int, changes: GapChanges) -> bool:
    """Whether ``slot`` of ``grid``, which no remembered gap lacks, was filled by a reading."""
    if slot < grid.start or slot <= meter.forgotten:
        return _has_reading(grid, slot, changes)
    if slot >= grid.cursor:
        return slot in grid.ahead
    if any(gap.first <= slot <= gap.last and gap.lacks(slot) for gap in meter.gaps):
        # Of a gap that is not remembered any more, and not dropped yet.
        return _has_reading(grid, slot, changes)
    return True
