"""Settlement: a slot is missing once the watermark has reached slot + grace and no reading filled it.

Equal counts as reached. All due slots of a meter are settled together: neighbours are one gap, and a slot
right after the extent of the OPEN gap extends it.

After the end of a replayed run, which comes with its last tick, no slot becomes missing until a reading has
raised the watermark.

No slot of a meter that is not expected (it is removed, or not installed yet) becomes missing: its cursor just
moves on.

A meter that was silent for the time to live of its state (watermark at or beyond last_seen + state_ttl) is
dropped. First its due slots are settled, up to the watermark; then its OPEN gap becomes EXPIRED. Its next
reading is a first one again.
"""

from __future__ import annotations

from gridwatch.domain.meter.changes import GapChanges
from gridwatch.domain.meter.gaps import Gap
from gridwatch.domain.meter.grid import Grid, shift
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.policy import MINUTE, NEVER


def settle(meter: MeterState, changes: GapChanges, end: int = NEVER) -> bool:
    """Settle the slots of ``meter`` due at the watermark of ``changes``. Whether it is to be dropped.

    ``end``: slots after it do not become missing. Afterwards ``meter.due`` lies after the watermark, unless
    the meter is dropped or slots wait for the end to be passed.
    """
    policy, watermark = changes.policy, changes.watermark
    alive = watermark < meter.last_seen + policy.life_of(meter.interval)
    _settle_slots(meter, changes, end, rationed=alive)
    if alive:
        meter.refresh(policy)
        return False
    gap = meter.open_gap
    if gap is not None:
        changes.touch(gap)
        gap.expire()
    return True


def catch_up(meter: MeterState, changes: GapChanges, end: int) -> None:
    """Settle the slots that are due, but deferred: before a late reading of ``meter`` is applied. The caller
    has to recompute ``meter.due``."""
    if not meter.expected:
        _pass_over(meter, changes, end)
        return
    gap = meter.open_gap
    if gap is not None and gap.interval < MINUTE:
        _settle_slots(meter, changes, end, rationed=False)


def _pass_over(meter: MeterState, changes: GapChanges, end: int) -> None:
    """Let the slots that are due pass: nobody expects a reading there."""
    for place, grid in enumerate((*meter.older, meter)):
        while count := _due_count(meter, grid, place, changes, end):
            grid.advance(count)


def _due_count(meter: MeterState, grid: Grid, place: int, changes: GapChanges, end: int) -> int:
    """How many slots of a grid are due; of a calendar one at a time, since each has a grace of its own."""
    due = min(changes.watermark - meter.grace_at(place, changes.policy), end)
    count = grid.due_count(due)
    return count if grid.calendar is None else min(count, 1)


def _settle_slots(meter: MeterState, changes: GapChanges, end: int, *, rationed: bool) -> None:
    if not meter.expected:
        _pass_over(meter, changes, end)
        return
    if meter.terms is not None:
        for grid in (*meter.older, meter):
            grid.skip_to(meter.terms.resumed)
    for place, grid in enumerate(meter.older):
        if grid.pending:
            _settle_grid(meter, grid, place, changes, end, rationed=rationed)
    _settle_grid(meter, meter, len(meter.older), changes, end, rationed=rationed)


def _settle_grid(
    meter: MeterState, grid: Grid, place: int, changes: GapChanges, end: int, *, rationed: bool
) -> None:
    watermark = changes.watermark
    while count := _due_count(meter, grid, place, changes, end):
        slot = grid.cursor
        last = shift(slot, count - 1, grid.interval, grid.calendar)
        gap = meter.open_gap
        if gap is not None:
            if rationed and watermark < gap.growth_due(grid, meter.grace_at(place, changes.policy)):
                return
            changes.touch(gap)
            gap.planned = gap.planned and changes.is_planned(slot, last, grid.interval, grid.calendar)
            gap.extend(slot, count)
        else:
            planned = changes.is_planned(slot, last, grid.interval, grid.calendar)
            gap = Gap(slot, last, grid.interval, watermark, calendar=grid.calendar, planned=planned)
            changes.touch(gap)
            meter.add_gaps([gap])
        changes.count_missing(count)
        if grid.advance(count) or not grid.pending:
            gap.conclude()
