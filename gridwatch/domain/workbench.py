"""The workbench: the states that one call of ``process`` works on, and how a step ends for a meter.

States are changed in place. A meter whose gaps were touched by a reading is settled in the same breath, so
that each of its gaps has one revision with its state at the end of the step; a meter that is merely due waits
for its turn in the index. Whichever it is, the index has an entry at or before its next deadline afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable
from sys import intern
from typing import Final, Protocol

from gridwatch.domain.deadlines import Deadlines
from gridwatch.domain.gaps import GapChanges
from gridwatch.domain.meter import MeterState
from gridwatch.domain.outcome import Outcome
from gridwatch.domain.partition import PartitionState
from gridwatch.domain.policy import NEVER, Policy
from gridwatch.domain.reporting import report_gaps
from gridwatch.domain.settlement import settle
from gridwatch.domain.timeliness import key_of, remember, seen_within
from gridwatch.domain.windows import window_at, window_start

MAX_REGION: Final = 256
"""Characters of a region that are remembered with its meter."""


def remembered(region: str | None) -> str | None:
    """A region as it is kept in the state: a reading may bring one of a megabyte."""
    return None if region is None else intern(region[:MAX_REGION])


class Meters(Protocol):
    """The states that are there before a call of ``process``: committed ones and what was changed since."""

    def get(self, meter_id: str, /) -> MeterState | None: ...


Touched = dict[str, GapChanges]
"""The meters that a reading touched in this step, besides those that are merely due."""


class Workbench:
    """The states of one partition, the index of their deadlines, and the outputs of the call so far."""

    def __init__(
        self, policy: Policy, partition: PartitionState, meters: Meters, due: Iterable[tuple[int, str]]
    ) -> None:
        self.policy = policy
        self.partition = partition
        self._meters = meters
        self._deadlines = Deadlines(self._due_of)
        for deadline, meter_id in due:
            self._deadlines.add(deadline, meter_id)
        self.alarm = -NEVER
        """The watermark from which on more than the reading itself is to be done."""
        self.look_back()
        self.begin(Outcome(), 0)

    def begin(self, outcome: Outcome, budget: int) -> None:
        """Start a call: what comes of it is added to ``outcome``, until that weighs ``budget`` bytes (0: no
        limit)."""
        self.outputs, self.accepted, self.changed = outcome.outputs, outcome.accepted, outcome.changed
        self.budget, self.weight = budget, outcome.weight

    def look_back(self) -> None:
        """Find out before which stamp none needs to be remembered, after windows were told."""
        policy = self.policy
        self.horizon = window_start(self.partition.told - policy.allowed_lateness, policy.metrics_window)
        self.horizon_key = key_of(self.horizon)

    def find(self, meter_id: str) -> MeterState | None:
        """The state of ``meter_id`` as it is now."""
        if meter_id in self.changed:
            return self.changed[meter_id]
        return self._meters.get(meter_id)

    def exhausted(self) -> bool:
        return 0 < self.budget <= self.weight

    def _create(self, time: int, given: int | None) -> MeterState:
        self.partition.meters += 1
        interval = self.policy.default_interval if given is None else given
        return MeterState(time, interval, given is not None)

    def _note(self, meter_id: str, meter: MeterState, time: int, kwh: float, region: str | None) -> None:
        """A reading was applied to ``meter``: remember it, and that the meter was active."""
        part, length = self.partition, self.policy.metrics_window
        start = window_start(time, length)
        if not seen_within(meter.recent, start, start + length):
            window_at(part.windows, time, length).active += 1
        # A row off the grid may move it from its first reading on: what came since has a slot there.
        horizon = min(self.horizon, meter.off_run[0]) if meter.off_run else self.horizon
        meter.recent = remember(meter.recent, time, kwh, horizon)
        if region is not None and time >= meter.last_seen:
            meter.region = remembered(region)
        part.highest = time if part.highest is None else max(part.highest, time)
        self._mark(meter_id, meter)

    def _mark(self, meter_id: str, meter: MeterState) -> None:
        if self.changed.get(meter_id) is None:
            self.changed[meter_id] = meter
            self.weight += meter.weight()

    def _conclude(self, touched: Touched) -> None:
        """End the step for meters that readings touched: one whose gaps changed is settled with that."""
        watermark = self.partition.watermark
        for meter_id, changes in touched.items():
            meter = self.find(meter_id)
            if meter is None or watermark is None:
                continue
            before = meter.due
            changes.watermark = watermark
            if changes.was_open:
                self._end(meter_id, meter, settle(meter, changes), changes)
            else:
                meter.refresh(self.policy)
            if meter.due < before:
                self._deadlines.add(meter.due, meter_id)
                self.alarm = min(self.alarm, meter.due)

    def _settle(self, meter_id: str, watermark: int) -> None:
        """Settle a meter that the index gave."""
        meter = self.find(meter_id)
        if meter is None:
            return
        changes = GapChanges(self.policy, watermark)
        dropped = settle(meter, changes)
        self._end(meter_id, meter, dropped, changes)
        if not dropped:
            self._deadlines.add(meter.due, meter_id)

    def _end(self, meter_id: str, meter: MeterState, dropped: bool, changes: GapChanges) -> None:
        part, policy = self.partition, self.policy
        self._mark(meter_id, meter)
        self.outputs += report_gaps(part, policy, meter_id, meter, changes)
        if dropped:
            self.changed[meter_id] = None
            part.meters -= 1
        elif part.watermark is not None:
            meter.tidy_gaps(part.watermark, policy)

    def _due_of(self, meter_id: str) -> int | None:
        meter = self.find(meter_id)
        return None if meter is None else meter.due
