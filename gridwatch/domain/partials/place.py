"""Where a meter counts: in the region that the registry says, else in that of its readings.

A registered meter counts as long as it is installed or active, heard or not. Another one counts from when its
interval is known until its state is dropped. One whose interval is longer than a reading may be late (days,
months) takes no part in the sums: the window would be over before its reading comes.
"""

from __future__ import annotations

from gridwatch.domain.meter.intervals import is_settled
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.meter.usage import Place
from gridwatch.domain.policy import Policy
from gridwatch.domain.registry.registration import Registration


def is_covered(meter: MeterState, policy: Policy) -> bool:
    """Whether the readings of a meter come soon enough for the windows that they are in."""
    return meter.calendar is None and meter.interval <= policy.allowed_lateness


def place_of(meter: MeterState | None, registration: Registration | None, policy: Policy) -> Place | None:
    """Where a meter counts now; None if it counts nowhere. ``meter``: its state, if it has one."""
    entry = None if registration is None else registration.entry
    if entry is None:
        if meter is None or meter.region is None or not is_settled(meter, policy):
            return None
        return Place(meter.region, None, None, is_covered(meter, policy))
    region = entry.region
    if region is None and meter is not None:
        region = meter.region
    if region is None or not entry.watched:
        return None
    if meter is not None:
        covered = is_covered(meter, policy)
    else:
        interval = policy.default_interval if entry.interval is None else entry.interval
        covered = entry.calendar is None and interval <= policy.allowed_lateness
    return Place(region, entry.feeder, entry.transformer, covered)
