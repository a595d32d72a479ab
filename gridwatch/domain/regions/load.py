"""The figures of a row, from the sums of the sources: exact until each is rounded once, half to even.

The load is the energy of the quarter as power, scaled up from the time for which readings came to that of all
meters. Where less than 80% of that time is known there is none. The lowest and the highest power are measured
ones: energy of slots that cover the whole quarter is spread evenly over its minutes.
"""

from __future__ import annotations

from collections.abc import Iterable

from gridwatch.domain.outputs import RegionWindow
from gridwatch.domain.regions.kept import Last
from gridwatch.domain.regions.records import QUARTER, RegionRow
from gridwatch.domain.rounding import half_even

_MINUTES = 15
#: µWh of a quarter of an hour in a mW.
_QUARTER_ENERGY = 250


def row_of(
    region: str,
    start: int,
    revision: int,
    state: str,
    *,
    complete: bool,
    entries: Iterable[RegionWindow],
    missing: Iterable[Last],
    capacity: int | None,
) -> RegionRow:
    """The row of the entries of some sources; of those that are missing the last known meters count."""
    flat = received = expected = active = uncovered = reporting = prorated = 0
    minutes = [0] * _MINUTES
    for entry in entries:
        flat += entry.flat
        received += entry.received
        expected += entry.expected
        active += entry.active
        uncovered += entry.uncovered
        reporting += entry.reporting
        prorated += entry.prorated
        for number, energy in enumerate(entry.minutes):
            minutes[number] += energy
    for last in missing:
        expected += last.active * QUARTER
        active += last.active
        uncovered += last.uncovered
    energy = flat + sum(minutes)
    completeness: int | None = None
    if expected > 0:
        completeness = half_even(10_000 * min(received, expected), expected)
    load: int | None = None
    percentage: int | None = None
    lowest: int | None = None
    highest: int | None = None
    if received > 0:
        lowest = half_even(flat + _MINUTES * min(minutes), _QUARTER_ENERGY)
        highest = half_even(flat + _MINUTES * max(minutes), _QUARTER_ENERGY)
        if 5 * received >= 4 * expected:
            scaled = energy * max(received, expected)
            load = half_even(scaled, _QUARTER_ENERGY * received)
            if capacity is not None:
                percentage = half_even(1000 * scaled, _QUARTER_ENERGY * received * capacity)
    return RegionRow(
        region,
        start,
        revision,
        state,
        complete,
        active,
        reporting,
        completeness,
        energy,
        load,
        lowest,
        highest,
        capacity,
        percentage,
        prorated > 0,
        uncovered,
    )
