"""Which pass of a repeated hour a stamp without offset means.

Where clocks go back, local stamps of one hour come twice, and one alone does not say which it is. A meter's
readings come in order, so its own order of arrival does: a stamp whose first instant the meter has reached
already means the second one. Hence:

- the second instant lies beyond the record's own time and the allowed skew: the first, since nobody has
  reached the second yet;
- the meter is unknown, or was last seen before the first instant: the first;
- otherwise the second; unless both instants have been heard and the value is the one that stands for the
  first, and another stands for the second: then it is the first once more.

What came out of order within that hour can be told wrongly, so both keep the flag ``AMBIGUOUS_TIME``. A
stamp with an offset is never ambiguous.
"""

from __future__ import annotations

from gridwatch.domain.instants import second_instant
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.meter.timeliness import recall
from gridwatch.domain.policy import Policy
from gridwatch.domain.reading import Reading


def told_apart(
    reading: Reading, meter: MeterState | None, record_time: int, watermark: int | None, policy: Policy
) -> Reading:
    """An ambiguous ``reading`` with the instant that it means; it has the first of the two. Times in µs."""
    first = reading.time
    second = second_instant(first, policy.timezone)
    if second > record_time + policy.max_future_skew or meter is None or meter.last_seen < first:
        return reading
    horizon = first if watermark is None else watermark - policy.allowed_lateness
    if first >= horizon:
        kwh = reading.raw.consumption_kwh
        again = recall(meter.recent, second)
        if again is not None and again != kwh and recall(meter.recent, first) == kwh:
            return reading
    return reading._replace(time=second)
