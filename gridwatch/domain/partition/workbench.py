"""The workbench: the states that one call of ``process`` works on, and what a step may do to them.

A step finds or creates a meter, notes a reading of it, and marks it as changed. States are changed in place.
The rules of a step are in ``stepper``, and what is due when in ``schedule``; nothing is decided here.
"""

from __future__ import annotations

from math import isnan
from typing import Any, Final, Protocol

from gridwatch.domain.calendar import Calendar
from gridwatch.domain.meter.archive import Archive
from gridwatch.domain.meter.changes import GapChanges
from gridwatch.domain.meter.energy import MICRO, Derived, Register, agree, energy_of, micro_kwh
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.meter.timeliness import READING_BYTES, key_of
from gridwatch.domain.partition.outcome import Outcome
from gridwatch.domain.partition.registry import REGISTERED, PartitionRegistry
from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.partition.windows import window_at, window_start
from gridwatch.domain.policy import Policy
from gridwatch.domain.reading import ENERGY_POWER_MISMATCH, RawReading
from gridwatch.domain.registry.registration import Registration


class Meters(Protocol):
    """The states before a call of ``process``: of meters, kept registers (``KEPT``), the registry."""

    def get(self, name: str, /) -> Any: ...


KEPT: Final = "\x01"
"""Before a meter id: the name of its register, which outlives its state."""
RESIDENT: Final = "\x06\x07\x08\x0b\x0e"
"""What the names of states begin with that are held in memory as a whole (``sums``), and counted."""
_ROW_BYTES: Final = 200
"""About how large a row of the registry is."""


def oldest_of(partition: PartitionState, policy: Policy) -> int:
    """Readings with earlier stamps are known to no rules but those of windows of consumption."""
    return window_start(partition.emitted_until - policy.allowed_lateness, policy.metrics_window)


def horizon_of(partition: PartitionState, policy: Policy) -> int:
    """Readings with earlier stamps are not remembered: those in windows of consumption longer than others."""
    oldest = oldest_of(partition, policy)
    if not policy.windows:
        return oldest
    return min(oldest, window_start(partition.emitted_until - policy.allowed_lateness, policy.windows[-1]))


class Workbench:
    """The states of one partition, and the outcome of the call so far."""

    def __init__(self, policy: Policy, partition: PartitionState, meters: Meters) -> None:
        self.policy = policy
        self.partition = partition
        self._meters = meters
        self.registry = PartitionRegistry(policy, self.state)
        self._resident: set[str] = set()
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
        self._oldest = oldest_of(self.partition, self.policy)
        self.horizon_key = key_of(self.horizon)

    def find(self, meter_id: str) -> MeterState | None:
        """The current state of ``meter_id``."""
        meter: MeterState | None = self.state(meter_id)
        return meter

    def state(self, name: str) -> Any:
        """The current state of any name."""
        return self.changed[name] if name in self.changed else self._meters.get(name)

    def changes_of(
        self,
        meter_id: str,
        meter: MeterState | None,
        watermark: int,
        registration: Registration | None,
    ) -> GapChanges:
        """The changes of the gaps of a meter in this step; none yet."""
        archive = None if meter is None else self.archive(meter_id, meter)
        plan = self.registry.plan(meter_id, meter, registration)
        return GapChanges(self.policy, watermark, archive, plan)

    def create(  # noqa: PLR0917 - all that it begins with
        self,
        meter_id: str,
        time: int,
        given: int | None,
        calendar: Calendar | None,
        registration: Registration | None,
        changes: GapChanges,
    ) -> MeterState:
        """A new state of a meter whose first reading is of ``time``; ``note`` adds it to the outcome.

        It gets the register that was kept when an earlier state was dropped.
        """
        self.partition.meters += 1
        interval = self.policy.default_interval if given is None else given
        if registration is None:
            meter = MeterState(time, interval, given is not None, calendar)
        else:
            meter = registration.create(time, interval, calendar, given is not None)
            registration.hear(meter, time, changes)
            registration.refresh(meter, self.policy)
            if registration.place is not None:
                usage = meter.use()
                usage.place, usage.joined, registration.place = registration.place, registration.joined, None
            self.keep(REGISTERED + meter_id, registration)
        kept: Register | None = self.state(KEPT + meter_id)
        if kept is not None:
            meter.derived = Derived(kept)
            self.changed[KEPT + meter_id] = None
        changes.remembered = self.archive(meter_id, meter)
        return meter

    def archive(self, meter_id: str, meter: MeterState) -> Archive:
        """The remembered readings of ``meter``."""
        return Archive(meter_id, meter, self.state, self.changed, self.horizon, self._oldest)

    def seal(self) -> None:
        """Before a commit: move readings beyond the limit out of the states that changed."""
        most = self.policy.hot_readings * READING_BYTES
        full = [
            (name, state)
            for name, state in self.changed.items()
            if type(state) is MeterState and len(state.recent) > (most // 2 if state.is_wide else most)
        ]
        for meter_id, meter in full:
            self.archive(meter_id, meter).seal(self.policy)

    def measure(
        self, raw: RawReading, time: int, meter: MeterState, before: int | None, counted: float | None
    ) -> tuple[int | None, int, int]:
        """Set the energy of a reading. Returns the stamp that it counts from, if it is of a register, the
        energy in micro-kWh, and flags. before: the stamp before it. counted: of a revision, the energy so
        far, kWh."""
        kwh, power = raw.consumption_kwh, raw.power_kw
        if isnan(kwh):
            derived = meter.derive()
            base = None if derived.register is None else derived.register.time
            held = meter.held_since(time, before)
            policy = self.policy if meter.terms is None else meter.terms.policy(self.policy)
            energy, flags = energy_of(derived, raw, time, held, meter.interval, counted, policy)
            raw.consumption_kwh = energy / MICRO
            return base, energy, flags
        energy = micro_kwh(kwh)
        if meter.derived is not None and counted is None:
            meter.derived.add_other(time, energy)
        apart = power is not None and not agree(kwh, power, meter.interval)
        return None, energy, ENERGY_POWER_MISMATCH if apart else 0

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

    def keep(self, name: str, state: Any) -> None:
        """Make a state other than a meter's part of the outcome; None removes it."""
        self.changed[name] = state
        if name[0] in RESIDENT:
            self.count(name, present=state is not None)
        self.weight += _ROW_BYTES

    def count(self, name: str, *, present: bool) -> None:
        """Count a state that is held in memory, or do not count it any more."""
        if present:
            self._resident.add(name)
        else:
            self._resident.discard(name)
        self.partition.resident = len(self._resident)
