"""Settlement: a slot is missing once the watermark has reached slot + grace and no reading filled it.

Equal counts as reached. All due slots of a meter are settled together: neighbours are one gap, and a slot
right after the extent of the OPEN gap extends it.

A meter that was silent for the time to live of its state (watermark at or beyond last_seen + state_ttl) is
dropped. First its due slots are settled, up to the watermark; then its OPEN gap becomes EXPIRED. Its next
reading is a first one again.
"""

from __future__ import annotations

from gridwatch.domain.meter.gaps import Gap, GapChanges
from gridwatch.domain.meter.grid import Grid
from gridwatch.domain.meter.state import MeterState


def settle(meter: MeterState, changes: GapChanges) -> bool:
    """Settle the slots of ``meter`` due at the watermark of ``changes``. Whether it is to be dropped.

    Afterwards ``meter.due`` lies after the watermark, unless the meter is dropped.
    """
    policy, watermark = changes.policy, changes.watermark
    for grid in meter.older:
        if grid.pending:
            _settle_grid(meter, grid, changes)
    _settle_grid(meter, meter, changes)
    if watermark < meter.last_seen + policy.state_ttl:
        meter.refresh(policy)
        return False
    gap = meter.open_gap
    if gap is not None:
        changes.touch(gap)
        gap.expire()
    return True


def _settle_grid(meter: MeterState, grid: Grid, changes: GapChanges) -> None:
    grace, watermark = changes.policy.grace, changes.watermark
    while count := grid.due_count(watermark, grace):
        slot = grid.cursor
        gap = meter.open_gap
        if gap is not None:
            changes.touch(gap)
            gap.extend(slot, count)
        else:
            gap = Gap(slot, slot + (count - 1) * grid.interval, grid.interval, watermark)
            changes.touch(gap)
            meter.add_gaps([gap])
        changes.count_missing(count)
        if grid.advance(count) or not grid.pending:
            gap.conclude()
