"""What a region can carry: the newest version of its record, in the windows that it holds for.

A version holds for windows from its ``valid_from`` on, and for none that had ended, by the watermark of the
bundle that brought it. Earlier windows keep what held for them, so that a row that was published does not
change by it.
"""

from __future__ import annotations

from gridwatch.domain.outputs import RegionLimit
from gridwatch.domain.regions.kept import Limit
from gridwatch.domain.regions.records import QUARTER

_MILLIWATTS = 1_000_000


def with_limit(limits: tuple[Limit, ...], record: RegionLimit, watermark: int) -> tuple[Limit, ...]:
    """The limits of a region after a record of it; the same if the record is not newer."""
    if limits and record.version <= limits[-1].version:
        return limits
    since = watermark - watermark % QUARTER
    if record.valid_from is not None:
        since = max(since, -(-record.valid_from // QUARTER) * QUARTER)
    capacity = int(record.capacity_kw * _MILLIWATTS + 0.5)
    kept = tuple(limit for limit in limits if limit.since < since)
    return (*kept, Limit(since, record.version, capacity))


def without_past(limits: tuple[Limit, ...], start: int) -> tuple[Limit, ...]:
    """The limits that hold for windows from ``start`` on."""
    first = 0
    while first + 1 < len(limits) and limits[first + 1].since <= start:
        first += 1
    return limits[first:]


def capacity_at(limits: tuple[Limit, ...], start: int) -> int | None:
    """What a region can carry in the window that begins at ``start``, mW; None if that is not known."""
    found: int | None = None
    for limit in limits:
        if limit.since > start:
            break
        found = limit.capacity
    return found if found is not None and found > 0 else None
