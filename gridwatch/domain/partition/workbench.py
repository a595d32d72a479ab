"""The workbench: the states that one call of ``process`` works on, and what a step may do to them.

A step finds or creates a meter, notes a reading of it, marks it as changed, and ends with ``end_step`` for
the meters that it touched. ``settle_due`` settles those that are due at the watermark, and ``set_timer``
computes when there is more to do. The rules of a step are in ``stepper``; none is decided here.

States are changed in place. A meter whose gaps a reading changed is settled in the same step, so that each of
its gaps has one revision with its state at the end of the step. A meter that is merely due waits for its turn
in the index. In both cases the index then has an entry at or before its next deadline.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Protocol

from gridwatch.domain.meter.archive import Archive
from gridwatch.domain.meter.deadlines import Deadlines
from gridwatch.domain.meter.energy import Derived, Register
from gridwatch.domain.meter.gaps import GapChanges
from gridwatch.domain.meter.settlement import settle
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.meter.timeliness import READING_BYTES, key_of
from gridwatch.domain.partition.outcome import Outcome
from gridwatch.domain.partition.reporting import report_gaps
from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.partition.windows import window_at, window_start
from gridwatch.domain.policy import NEVER, Policy


class Meters(Protocol):
    """The states before a call of ``process``: of meters, and kept registers (``KEPT``)."""

    def get(self, name: str, /) -> Any: ...


KEPT: Final = "\x01"
"""Before a meter id: the name of its register, which outlives its state."""
Touched = dict[str, GapChanges]
"""The meters that a reading touched in this step, apart from those that are merely due."""


def horizon_of(partition: PartitionState, policy: Policy) -> int:
    """Readings with earlier stamps are not remembered."""
    return window_start(partition.emitted_until - policy.allowed_lateness, policy.metrics_window)


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
        self.timer = -NEVER
        """The watermark at which ``finish_step`` has work to do."""
        self._postponed: dict[str, None] = {}
        """Meters with slots after the end of the run that is settled."""
        self.move_horizon()
        self.begin(Outcome(), 0)

    def begin(self, outcome: Outcome, budget: int) -> None:
        """Start a call: its results are added to ``outcome``, up to ``budget`` bytes of changed state (0: no
        limit)."""
        self.outputs, self.accepted, self.changed = outcome.outputs, outcome.accepted, outcome.changed
        self.budget, self.weight = budget, outcome.weight

    def move_horizon(self) -> None:
        """Recompute the horizon after windows were emitted: stamps before it need not be remembered."""
        self.horizon = horizon_of(self.partition, self.policy)
        self.horizon_key = key_of(self.horizon)

    def find(self, meter_id: str) -> MeterState | None:
        """The current state of ``meter_id``."""
        meter: MeterState | None = self._find(meter_id)
        return meter

    def _find(self, name: str) -> Any:
        return self.changed[name] if name in self.changed else self._meters.get(name)

    def create(self, meter_id: str, time: int, given: int | None) -> MeterState:
        """A new state of a meter whose first reading is of ``time``; ``note`` adds it to the outcome.

        It gets the register that was kept when an earlier state was dropped.
        """
        self.partition.meters += 1
        interval = self.policy.default_interval if given is None else given
        meter = MeterState(time, interval, given is not None)
        kept: Register | None = self._find(KEPT + meter_id)
        if kept is not None:
            meter.derived = Derived(kept)
            self.changed[KEPT + meter_id] = None
        return meter

    def archive(self, meter_id: str, meter: MeterState) -> Archive:
        """The remembered readings of ``meter``."""
        return Archive(meter_id, meter, self._find, self.changed, self.horizon)

    def seal(self) -> None:
        """Before a commit: move readings beyond the limit out of the states that changed."""
        most = self.policy.hot_readings * READING_BYTES
        full = [
            (name, state)
            for name, state in self.changed.items()
            if type(state) is MeterState
            and len(state.recent) > (most if state.derived is None else most // 2)
        ]
        for meter_id, meter in full:
            self.archive(meter_id, meter).seal(self.policy)

    def note(  # noqa: PLR0917 - what is known of the reading
        self,
        meter_id: str,
        meter: MeterState,
        time: int,
        value: float,
        energy: float,
        region: str | None,
    ) -> None:
        """Remember a reading that was applied to ``meter``, and count the meter as active."""
        part, length = self.partition, self.policy.metrics_window
        start = window_start(time, length)
        archive = self.archive(meter_id, meter)
        if not archive.seen_within(start, start + length):
            window_at(part.windows, time, length).active += 1
        archive.note(time, value, energy)
        meter.note_region(time, region)
        part.raise_highest(time)
        self.mark(meter_id, meter)

    def mark(self, meter_id: str, meter: MeterState) -> None:
        """Mark ``meter`` as changed: it becomes part of the outcome."""
        if self.changed.get(meter_id) is None:
            self.changed[meter_id] = meter
            self.weight += meter.weight()

    def advance(self, to: int) -> None:
        """Raise the watermark. The first one also sets the horizon and the first window."""
        if self.partition.advance(to, self.policy.metrics_window):
            self.move_horizon()
            self.fire_timer()

    @property
    def end(self) -> int:
        """Slots after this instant do not become missing."""
        return NEVER if self.partition.end is None else self.partition.end

    def pass_end(self) -> None:
        """Drop the end of a settled run if a reading has raised the watermark since."""
        if self.partition.end is not None and self.partition.has_passed_end():
            self.move_end()

    def move_end(self) -> None:
        """After the end was set or dropped, or a tick came: settle again what waits for it."""
        for meter_id in self._postponed:
            due = self._due_of(meter_id)
            if due is not None:
                self._deadlines.add(due, meter_id)
        self._postponed.clear()

    def end_step(self, touched: Touched) -> None:
        """End the step for meters that readings touched: those whose gaps changed are settled now."""
        watermark = self.partition.watermark
        for meter_id, changes in touched.items():
            meter = self.find(meter_id)
            if meter is None or watermark is None:
                continue
            before = meter.due
            changes.reach(watermark)
            if changes.was_open:
                self._end(meter_id, meter, settle(meter, changes, self.end), changes)
            else:
                meter.refresh(self.policy)
            if meter.due < before:
                self._deadlines.add(meter.due, meter_id)
                self.timer = min(self.timer, meter.due)

    def settle_due(self, watermark: int) -> bool:
        """Settle the meters that are due at ``watermark``, in order. False if the budget ran out before the
        last one."""
        while not 0 < self.budget <= self.weight:
            meter_id = self._deadlines.pop(watermark)
            if meter_id is None:
                return True
            self._settle(meter_id, watermark)
        self.fire_timer()
        return False

    def fire_timer(self) -> None:
        """Have the next ``finish_step`` run, whatever the watermark."""
        self.timer = -NEVER

    def set_timer(self) -> None:
        """Compute the next watermark at which there is work to do."""
        part, policy = self.partition, self.policy
        self.move_horizon()
        ahead = min((held.time for held in part.held), default=NEVER) - policy.max_out_of_orderness
        self.timer = min(self._deadlines.earliest(), part.emitted_until + policy.metrics_window, ahead)
        if part.end is not None:
            self.fire_timer()  # the next reading may pass the end

    def _settle(self, meter_id: str, watermark: int) -> None:
        meter = self.find(meter_id)
        if meter is None:
            return
        changes = GapChanges(self.policy, watermark)
        dropped = settle(meter, changes, self.end)
        self._end(meter_id, meter, dropped, changes)
        if dropped:
            return
        if meter.due > watermark:
            self._deadlines.add(meter.due, meter_id)
        else:
            self._postponed[meter_id] = None

    def _end(self, meter_id: str, meter: MeterState, dropped: bool, changes: GapChanges) -> None:
        part, policy = self.partition, self.policy
        self.mark(meter_id, meter)
        self.outputs += report_gaps(part, policy, meter_id, meter, changes)
        if dropped:
            self.archive(meter_id, meter).remove()
            self.changed[meter_id] = None
            part.meters -= 1
            if meter.derived is not None and meter.derived.register is not None:
                self.changed[KEPT + meter_id] = meter.derived.register
        elif part.watermark is not None:
            meter.tidy_gaps(part.watermark, policy)

    def _due_of(self, meter_id: str) -> int | None:
        meter = self.find(meter_id)
        return None if meter is None else meter.due
