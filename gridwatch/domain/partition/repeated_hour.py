"""Resolves a stamp without offset in a repeated hour: which of the two passes it means.

Where clocks go back, the local stamps of one hour occur twice, and a stamp alone does not say which one it
is. A meter's readings come in order, so its order of arrival does: a stamp whose first instant the meter has
already reached means the second one. Hence:

- the second instant lies beyond the record's own time and the allowed skew: the first, since the second has
  not come yet;
- the meter is unknown, or was last seen before the first instant: the first;
- otherwise the second; unless the meter has readings of both instants, the value is that of the first, and
  that of the second differs: then it is a duplicate of the first.

Readings out of order within that hour can be resolved wrongly, so both keep the flag ``AMBIGUOUS_TIME``. A
stamp with an offset is never ambiguous.
"""

from __future__ import annotations

from gridwatch.domain.instants import second_instant
from gridwatch.domain.meter.archive import Archive
from gridwatch.domain.meter.energy import measured
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.policy import Policy
from gridwatch.domain.reading import Reading


def resolve(  # noqa: PLR0917 - all that it depends on
    reading: Reading,
    meter: MeterState | None,
    archive: Archive | None,
    record_time: int,
    watermark: int | None,
    policy: Policy,
) -> Reading:
    """An ambiguous ``reading``, which has the first of its two instants, with the one it means. Times in
    µs."""
    first = reading.time
    second = second_instant(first, policy.timezone)
    if second > record_time + policy.max_future_skew:
        return reading
    if meter is None or archive is None or meter.last_seen < first:
        return reading
    horizon = first if watermark is None else watermark - policy.allowed_lateness
    if first >= horizon:
        value = measured(reading.raw)
        again = archive.recall(second)
        if again is not None and again != value and archive.recall(first) == value:
            return reading
    return reading._replace(time=second)
