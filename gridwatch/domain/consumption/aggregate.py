"""One window of one meter. All sums are whole numbers.

A window [start, end) has the readings whose covered time begins in it: at the stamp, or one interval before
it where readings cover the time up to their stamp. Each counts whole, with its current value; the energy of
one over a gap (``GAP_ENERGY``) is spread over the time that it is of, by cumulative floor, so that the shares
sum to it exactly. A meter takes part in windows that are not shorter than its interval; until that is known
in all of them, and nothing is expected of it.

Power is that of the readings which have one, else the energy of the interval by its length; energy over a gap
has no power. Means are plain ones, since the readings of a window cover the same time each.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from gridwatch.domain.consumption.sums import Sums, micro_wh
from gridwatch.domain.meter.archive import Archive
from gridwatch.domain.meter.changes import Plan
from gridwatch.domain.meter.grid import Grid, first_from, shift
from gridwatch.domain.meter.intervals import is_settled, lag_of
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.meter.timeliness import Recent, key_of
from gridwatch.domain.meter.usage import values_by_key
from gridwatch.domain.outputs import Aggregate
from gridwatch.domain.policy import SECOND, Policy
from gridwatch.domain.rounding import half_even

_READING: Final = struct.Struct(">8sd")


def takes_part(meter: MeterState, length: int, policy: Policy) -> bool:
    """Whether windows of this length are made of ``meter``."""
    return meter.calendar is None and (meter.interval <= length or not is_settled(meter, policy))


def share(energy: int, first: int, last: int, start: int, end: int) -> int:
    """The part of an energy, spread over [first, last) by cumulative floor, that lies in [start, end)."""
    if end <= first or last <= start:
        return 0
    length = last - first
    return energy * (min(end, last) - first) // length - energy * (max(start, first) - first) // length


def has_spans(meter: MeterState, start: int, end: int) -> bool:
    """Whether energy over a gap is of the time of a window."""
    usage = meter.usage
    return usage is not None and any(first < end and start < last for _, first, last, _ in usage.spans)


def expected_readings(
    meter: MeterState, start: int, end: int, policy: Policy, plan: Plan | None, *, readings: int
) -> int | None:
    """How many readings a window should have; None if that is not known yet. ``plan``: when the meter is
    planned not to deliver, if that matters here."""
    if not is_settled(meter, policy):
        return None
    if not meter.expected:
        return readings
    lag = lag_of(meter, policy)
    low, high = start + lag, end + lag
    if meter.terms is not None:
        low = max(low, meter.terms.resumed)
    if low >= meter.start:
        return _slots(meter, low, high, None, plan)
    count = _slots(meter, max(low, meter.start), high, None, plan)
    for grid in meter.older:
        count += _slots(grid, max(low, grid.start), high, grid.end, plan)
    return count


def _slots(grid: Grid, low: int, high: int, end: int | None, plan: Plan | None) -> int:
    """How many slots of a grid there are in [low, high), less the planned ones."""
    if end is not None and end < high:
        high = end
    interval, calendar = grid.interval, grid.calendar
    slot = first_from(low, grid.cursor, interval, calendar)
    if slot >= high:
        return 0
    count = 1 if calendar is not None else (high - 1 - slot) // interval + 1
    if plan is None:
        return count
    slots = [shift(slot, place, interval, calendar) for place in range(count)]
    return sum(not plan.covers(one, one, interval, calendar) for one in slots)


def sums_of(meter: MeterState, archive: Archive, start: int, length: int, policy: Policy) -> Sums | None:
    """The sums of a window, from the remembered readings of its meter; None if nothing is in it."""
    end, lag = start + length, lag_of(meter, policy)
    found = archive.between(start + lag, end + lag)
    settled = is_settled(meter, policy)
    sums = Sums(start, length, meter.interval // SECOND if settled else 0)
    over_gaps: set[bytes] = set()
    shared = False
    if meter.usage is not None:
        for time, first, last, spread in meter.usage.spans:
            over_gaps.add(key_of(time))
            if first < end and start < last:
                shared = True
                sums.energy += share(spread, first, last, start, end)
    if not found.readings and not shared:
        return None
    values = values_by_key(found.measures)
    readings: Iterator[tuple[bytes, float]] = _READING.iter_unpack(found.readings)
    for key, value in readings:
        if key in over_gaps:  # its energy is in the shares
            sums.add(0, values.get(key), known=False)
        else:
            used = micro_wh(_energy(key, value, found.energies))
            sums.add(used, values.get(key), known=settled)
    return sums


def aggregate(  # noqa: PLR0917 - all that it depends on
    meter_id: str,
    meter: MeterState,
    sums: Sums,
    revision: int,
    policy: Policy,
    plan: Plan | None,
    partition: int,
    received: int,
) -> Aggregate:
    """A window of ``meter``, as it stands now."""
    start, count, scale, powers = sums.start, sums.readings, sums.scale, sums.powers
    return Aggregate(
        meter_id,
        start,
        sums.length,
        revision,
        meter.region,
        count,
        expected_readings(meter, start, start + sums.length, policy, plan, readings=count),
        sums.energy,
        half_even(sums.power, scale * powers) if powers else None,
        half_even(sums.lowest, scale) if powers else None,
        half_even(sums.highest, scale) if powers else None,
        half_even(sums.voltage, sums.voltages) if sums.voltages else None,
        half_even(sums.current, sums.currents) if sums.currents else None,
        half_even(sums.factor, sums.factors) if sums.factors else None,
        partition,
        received,
        half_even(sums.frequency, sums.frequencies) if sums.frequencies else None,
    )


def _energy(key: bytes, value: float, energies: Recent) -> float:
    """The energy of a reading: the one counted for it, if it came with something else."""
    if not energies:
        return value
    at = energies.find(key)
    while at >= 0 and at % _READING.size:
        at = energies.find(key, at + 1)
    return value if at < 0 else float(_READING.unpack_from(energies, at)[1])
