"""Emits a revision of each gap that a step changed, and counts it.

Every changed gap gets exactly one revision, with its state at the end of the step. It counts in the window of
the watermark at that point: ``gaps_opened`` with its first revision, ``gaps_closed``
when it ended because the meter came back (CLOSED, PARTIAL or FILLED; neither EXPIRED nor RETRACTED),
``missing_intervals`` by the slots that became missing in the step.
"""

from __future__ import annotations

from gridwatch.domain.meter.changes import GapChanges
from gridwatch.domain.meter.gaps import CLOSED, FILLED, OPEN, PARTIAL
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.outputs import GapAlert
from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.partition.windows import window_at
from gridwatch.domain.policy import Policy


def report_gaps(
    part: PartitionState,
    policy: Policy,
    meter_id: str,
    meter: MeterState,
    changes: GapChanges,
    *,
    heard: bool = True,
) -> list[GapAlert]:
    """One alert for each gap of ``changes``, in order of their first slots; counts them in ``part``.

    heard: whether the meter had a reading, so that it is known when it usually reports.
    """
    if not changes.was_open or part.watermark is None:
        return []
    opened = closed = 0
    part.open_gaps -= sum(gap.revision > 0 and was_open for gap, was_open in changes.was_open.items())
    alerts = []
    for gap in changes.in_order():
        opened += gap.revise() == 1
        grace = meter.grace_of_gap(gap, policy) if heard else meter.grace_of(gap.interval, policy)
        closed += changes.was_open[gap] and gap.state in {CLOSED, PARTIAL, FILLED}
        part.open_gaps += gap.state == OPEN
        alerts.append(
            GapAlert(
                meter_id,
                gap.revision,
                gap.state,
                gap.first,
                gap.missing_to(grace),
                gap.missing_count,
                gap.ranges(),
                gap.filled_count,
                gap.interval,
                gap.first,
                gap.detected,
                meter.last_seen,
                grace,
                changes.reason(gap),
                meter.region,
                part.partition,
                part.offset,
                part.record_time or 0,
                gap.calendar,
            )
        )
    if opened or closed or changes.missing:
        window = window_at(part.windows, part.watermark, policy.metrics_window)
        window.opened += opened
        window.closed += closed
        window.missing += changes.missing
    return alerts
