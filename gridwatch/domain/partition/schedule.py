"""The schedule: which meters are due at a watermark, and what happens to them then.

A step ends with ``end_step`` for the meters that readings touched: one whose gaps changed is settled in the
same step, so that each of its gaps has one revision with its state at the end of the step. A meter that is
merely due waits for its turn in the index of deadlines (``settle_due``). In both cases the index then has an
entry at or before its next deadline. ``set_timer`` computes when there is more to do.

A registered meter without a state is due by its registration: it may be one that was never heard.
"""

from __future__ import annotations

from collections.abc import Iterable

from gridwatch.domain.meter.changes import GapChanges
from gridwatch.domain.meter.deadlines import Deadlines
from gridwatch.domain.meter.settlement import settle
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.partition.registry import OUTAGE, REGION, REGISTERED
from gridwatch.domain.partition.reporting import report_gaps
from gridwatch.domain.partition.sums.totals import Totals
from gridwatch.domain.partition.workbench import KEPT, RESIDENT, Workbench
from gridwatch.domain.policy import NEVER
from gridwatch.domain.registry.records import ControlRecord, MeterRecord, OutageRecord
from gridwatch.domain.registry.registration import Registration

Touched = dict[str, GapChanges]
"""The meters that a reading touched in this step, apart from those that are merely due."""


class Schedule:
    """What is due in one partition."""

    def __init__(self, bench: Workbench, totals: Totals, due: Iterable[tuple[int, str, int]]) -> None:
        self._bench = bench
        self._totals = totals
        self._policy = bench.policy
        self._partition = bench.partition
        self._deadlines = Deadlines(self._due_of)
        self.timer = -NEVER
        """The watermark at which ``finish_step`` has work to do."""
        self._postponed: dict[str, None] = {}
        """Meters with slots after the end of the run that is settled."""
        totals.start()
        for deadline, name, last_seen in due:
            self._add(deadline, name)
            if name[0] in RESIDENT:
                bench.count(name, present=True)
            if name.startswith(OUTAGE):
                bench.registry.load(name)
            elif totals.is_on:
                totals.load(name, last_seen)

    def advance(self, to: int) -> None:
        """Raise the watermark. The first one also sets the horizon and the first window."""
        if self._partition.advance(to, self._policy.metrics_window):
            self._bench.move_horizon()
            self._totals.start()
            self.fire_timer()

    @property
    def end(self) -> int:
        """Slots after this instant do not become missing."""
        return NEVER if self._partition.end is None else self._partition.end

    def pass_end(self) -> None:
        """Drop the end of a settled run if a reading has raised the watermark since."""
        if self._partition.end is not None and self._partition.has_passed_end():
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
        bench = self._bench
        watermark = self._partition.watermark
        for meter_id, changes in touched.items():
            meter = bench.find(meter_id)
            if meter is None or watermark is None:
                continue
            before = meter.due
            changes.reach(watermark)
            if changes.was_open:
                registration = bench.registry.registration(meter_id, meter)
                self._settle_meter(meter_id, meter, registration, changes)
            else:
                meter.refresh(self._policy)
            if meter.due < before:
                self._deadlines.add(meter.due, meter_id)
                self.timer = min(self.timer, meter.due)

    def settle_due(self, watermark: int) -> bool:
        """Settle the meters that are due at ``watermark``, in order. False if the budget ran out before the
        last one."""
        bench = self._bench
        while not 0 < bench.budget <= bench.weight:
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
        bench = self._bench
        part, policy = self._partition, self._policy
        bench.move_horizon()
        ahead = min((held.time for held in part.held), default=NEVER) - policy.max_out_of_orderness
        windows = min(part.emitted_until + policy.metrics_window, self._totals.timer)
        self.timer = min(self._deadlines.earliest(), windows, ahead)
        if part.end is not None:
            self.fire_timer()  # the next reading may pass the end

    def _settle(self, name: str, watermark: int) -> None:
        bench = self._bench
        if name.startswith(OUTAGE):
            bench.registry.forget_outage(name)
            bench.keep(name, None)
            return
        meter = bench.find(name)
        registration = bench.registry.registration(name, meter)
        changes = bench.changes_of(name, meter, watermark, registration)
        if meter is not None:
            if self._settle_meter(name, meter, registration, changes):
                return
            due = meter.due
        elif registration is not None:
            turned = registration.take_turns(None, changes)
            registration.await_reading(changes, self.end)
            registration.refresh(None, self._policy)
            bench.keep(REGISTERED + name, registration)
            if changes.was_open:
                stand_in = registration.stand_in(self._policy)
                bench.outputs += report_gaps(
                    self._partition, self._policy, name, stand_in, changes, heard=False
                )
            self._totals.settled(name, None, registration, turned, bool(changes.was_open))
            due = registration.due
        else:
            return
        if due > watermark:
            self._add(due, name)
        else:
            self._postponed[name] = None

    def _settle_meter(
        self,
        meter_id: str,
        meter: MeterState,
        registration: Registration | None,
        changes: GapChanges,
    ) -> bool:
        """Settle a meter, report its gaps. Whether it was dropped."""
        bench = self._bench
        part, policy, watermark = self._partition, self._policy, changes.watermark
        turned: int | None = None
        if registration is None:
            dropped = settle(meter, changes, self.end)
        else:
            before = registration.applied, len(registration.entries), registration.due
            turned = registration.take_turns(meter, changes)
            registration.refresh(meter, policy)
            dropped = settle(meter, changes, self.end)
            registration.refresh(None if dropped else meter, policy)
            if self.end == NEVER:
                registration.tidy(watermark, policy)
            if not dropped:
                meter.refresh(policy)
            if (registration.applied, len(registration.entries), registration.due) != before:
                bench.keep(REGISTERED + meter_id, registration)
        bench.mark(meter_id, meter)
        bench.outputs += report_gaps(part, policy, meter_id, meter, changes)
        if not dropped:
            self._totals.settled(meter_id, meter, registration, turned, bool(changes.was_open))
            meter.tidy_gaps(watermark, policy)
            return False
        self._totals.dropping(meter_id, meter, registration, bool(changes.was_open))
        if registration is not None:
            bench.keep(REGISTERED + meter_id, registration)
        bench.archive(meter_id, meter).remove()
        bench.changed[meter_id] = None
        part.meters -= 1
        if meter.derived is not None and meter.derived.register is not None:
            bench.changed[KEPT + meter_id] = meter.derived.register
        if registration is not None:
            self._add(registration.due, meter_id)
        return True

    def _add(self, due: int, name: str) -> None:
        if due < NEVER:
            self._deadlines.add(due, name)

    def _due_of(self, name: str) -> int | None:
        bench = self._bench
        if name.startswith(OUTAGE):
            outage = bench.registry.outage(name)
            return None if outage is None else outage.due
        meter = bench.find(name)
        if meter is not None:
            return meter.due
        registration = bench.registry.registration(name, None)
        return None if registration is None else registration.due

    def take(self, record: ControlRecord, watermark: int) -> None:
        """Take a control record. What follows from it at this watermark is left to ``settle_due``."""
        bench = self._bench
        if isinstance(record, MeterRecord):
            self._register(record, watermark)
        elif isinstance(record, OutageRecord):
            outage = bench.registry.take_outage(record, watermark)
            if outage is not None:
                bench.keep(OUTAGE + record.outage_id, outage)
                self._deadlines.add(outage.due, OUTAGE + record.outage_id)
        elif bench.registry.is_news(record):
            bench.keep(REGION + record.region, record)
            self._totals.note_region(record.region)

    def _register(self, record: MeterRecord, watermark: int) -> None:
        bench = self._bench
        meter_id = record.meter_id
        meter: MeterState | None = bench.find(meter_id)
        registration: Registration = bench.state(REGISTERED + meter_id) or Registration()
        if not registration.add(record, watermark):
            return
        registration.refresh(meter, self._policy)
        bench.keep(REGISTERED + meter_id, registration)
        due = registration.due
        if meter is not None:
            meter.refresh(self._policy)
            bench.mark(meter_id, meter)
            due = meter.due
        self._add(due, meter_id)
        self.timer = min(self.timer, due)
