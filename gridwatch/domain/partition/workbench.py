"""The workbench: the states that one call of ``process`` works on, and what a step may do to them.

A step finds or creates a meter, notes a reading of it, marks it as changed, and ends with ``conclude`` for
the meters that it touched. ``settle_due`` settles those that the watermark has reached, and ``set_alarm``
finds out when there is more to do. The rules of a step are in ``stepper``; nothing in here decides one.

States are changed in place. A meter whose gaps were touched by a reading is settled in the same breath, so
that each of its gaps has one revision with its state at the end of the step; a meter that is merely due waits
for its turn in the index. Whichever it is, the index has an entry at or before its next deadline afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from gridwatch.domain.meter.deadlines import Deadlines
from gridwatch.domain.meter.gaps import GapChanges
from gridwatch.domain.meter.settlement import settle
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.meter.timeliness import key_of, seen_within
from gridwatch.domain.partition.outcome import Outcome
from gridwatch.domain.partition.reporting import report_gaps
from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.partition.windows import window_at, window_start
from gridwatch.domain.policy import NEVER, Policy


class Meters(Protocol):
    """The states that are there before a call of ``process``: committed ones and what was changed since."""

    def get(self, meter_id: str, /) -> MeterState | None: ...


Touched = dict[str, GapChanges]
"""The meters that a reading touched in this step, besides those that are merely due."""


class Workbench:
    """The states of one partition, the index of their deadlines, and the outcome of the call so far."""

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
        self.move_horizon()
        self.begin(Outcome(), 0)

    def begin(self, outcome: Outcome, budget: int) -> None:
        """Start a call: what comes of it is added to ``outcome``, until that weighs ``budget`` bytes (0: no
        limit)."""
        self.outputs, self.accepted, self.changed = outcome.outputs, outcome.accepted, outcome.changed
        self.budget, self.weight = budget, outcome.weight

    def move_horizon(self) -> None:
        """Find out before which stamp none needs to be remembered, after windows were told."""
        policy = self.policy
        self.horizon = window_start(self.partition.told - policy.allowed_lateness, policy.metrics_window)
        self.horizon_key = key_of(self.horizon)

    def find(self, meter_id: str) -> MeterState | None:
        """The state of ``meter_id`` as it is now."""
        if meter_id in self.changed:
            return self.changed[meter_id]
        return self._meters.get(meter_id)

    def create(self, time: int, given: int | None) -> MeterState:
        """The state of a meter whose first reading is of ``time``; it is there once that is noted."""
        self.partition.meters += 1
        interval = self.policy.default_interval if given is None else given
        return MeterState(time, interval, given is not None)

    def note(self, meter_id: str, meter: MeterState, time: int, kwh: float, region: str | None) -> None:
        """A reading was applied to ``meter``: remember it, and that the meter was active."""
        part, length = self.partition, self.policy.metrics_window
        start = window_start(time, length)
        if not seen_within(meter.recent, start, start + length):
            window_at(part.windows, time, length).active += 1
        meter.note(time, kwh, region, self.horizon)
        part.raise_highest(time)
        self.mark(meter_id, meter)

    def mark(self, meter_id: str, meter: MeterState) -> None:
        """``meter`` changed: it is part of the outcome."""
        if self.changed.get(meter_id) is None:
            self.changed[meter_id] = meter
            self.weight += meter.weight()

    def conclude(self, touched: Touched) -> None:
        """End the step for meters that readings touched: one whose gaps changed is settled with that."""
        watermark = self.partition.watermark
        for meter_id, changes in touched.items():
            meter = self.find(meter_id)
            if meter is None or watermark is None:
                continue
            before = meter.due
            changes.reach(watermark)
            if changes.was_open:
                self._end(meter_id, meter, settle(meter, changes), changes)
            else:
                meter.refresh(self.policy)
            if meter.due < before:
                self._deadlines.add(meter.due, meter_id)
                self.alarm = min(self.alarm, meter.due)

    def settle_due(self, watermark: int) -> bool:
        """Settle the meters that are due at ``watermark``, in order. Whether all were, or the budget ran out
        before."""
        while not 0 < self.budget <= self.weight:
            meter_id = self._deadlines.pop(watermark)
            if meter_id is None:
                return True
            self._settle(meter_id, watermark)
        self.sound_alarm()
        return False

    def sound_alarm(self) -> None:
        """There is more to do, whatever the watermark."""
        self.alarm = -NEVER

    def set_alarm(self) -> None:
        """All is done that the watermark has reached: find out when there is more to do."""
        part, policy = self.partition, self.policy
        self.move_horizon()
        ahead = min((kept.time for kept in part.kept), default=NEVER) - policy.max_out_of_orderness
        self.alarm = min(self._deadlines.earliest(), part.told + policy.metrics_window, ahead)

    def _settle(self, meter_id: str, watermark: int) -> None:
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
        self.mark(meter_id, meter)
        self.outputs += report_gaps(part, policy, meter_id, meter, changes)
        if dropped:
            self.changed[meter_id] = None
            part.meters -= 1
        elif part.watermark is not None:
            meter.tidy_gaps(part.watermark, policy)

    def _due_of(self, meter_id: str) -> int | None:
        meter = self.find(meter_id)
        return None if meter is None else meter.due
