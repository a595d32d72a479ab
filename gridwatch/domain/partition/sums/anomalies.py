"""The anomalies of a partition: which windows and slots are judged, in which order, against what.

What a meter usually uses in the hour of its last judged window is in its state; the buckets of other hours
are in a state of their own, which is read when the hour changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from gridwatch.domain.anomalies.days import bucket_of, is_by_hour
from gridwatch.domain.anomalies.habit import Buckets, Habit, no_buckets
from gridwatch.domain.anomalies.judging import Verdict
from gridwatch.domain.anomalies.kinds import Nominal
from gridwatch.domain.anomalies.window import Judged, silence_of
from gridwatch.domain.consumption.sums import OVER, TIMES, micro_wh
from gridwatch.domain.meter.grid import Grid
from gridwatch.domain.meter.intervals import is_settled, lag_of
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.meter.usage import NO_POWER, NO_VALUE, Values, unpacked_values, values_of
from gridwatch.domain.outputs import Aggregate
from gridwatch.domain.partition.registry import REGION
from gridwatch.domain.partition.sums.contribution import Applied, Clean, Contribution
from gridwatch.domain.partition.sums.lives import Lives
from gridwatch.domain.partition.workbench import Workbench
from gridwatch.domain.policy import SECOND
from gridwatch.domain.registry.records import RegionRecord
from gridwatch.domain.rounding import half_even

BUCKETS: Final = "\x0c"
"""Before a meter id: the name of its buckets."""
_MANY: Final = 10_000
_MILLI: Final = 1000


class Anomalies:
    """The anomalies of one partition."""

    def __init__(self, bench: Workbench) -> None:
        policy = bench.policy
        self._bench = bench
        self._policy = policy
        self.lives = Lives(bench)
        self._nominal = Nominal(
            round(policy.nominal_voltage * _MILLI), round(policy.nominal_frequency * _MILLI)
        )
        self.longest = policy.judged_window or 0
        """The length of judged windows; meters with a longer interval have their own slots judged."""
        self._hours: dict[tuple[int, bool, str | None, str | None], int] = {}
        """Buckets, by the start of a window, whether it is at most an hour, zone, region."""

    def note_region(self) -> None:
        """Note that there is a new record of a region: its zone and holidays may be others."""
        self._hours.clear()

    def window(self, meter_id: str, meter: MeterState, window: Aggregate) -> None:
        """Judge a window of consumption that is emitted."""
        expected = window.expected
        whole = expected is not None and 5 * window.readings >= 4 * expected > 0
        judged = Judged(
            *(window.start, window.length, window.power),
            *(window.voltage, window.frequency, window.power_factor),
        )
        self._judge(meter_id, meter, judged, window.received, whole=whole)

    def note_clean(self, clean: Iterable[Clean]) -> None:
        """Judge the slots of clean readings, of meters whose own slots are judged."""
        longest = self.longest
        for raw, time, meter, slot, interval, received in clean:
            if interval > longest:
                energy, lag = micro_wh(raw.consumption_kwh), lag_of(meter, self._policy)
                self._slot(raw.meter_id, meter, meter, slot, lag, time, energy, values_of(raw), received)

    def note(self, applied: Applied, meter: MeterState, shares: Contribution) -> None:
        """Judge the slot of another reading that was just applied, if it is one that is judged."""
        is_longer = meter.interval > self.longest or meter.calendar is not None
        if shares.judged is None or not is_longer or not is_settled(meter, self._policy):
            return
        self._slot(
            *(applied.meter_id, meter, shares.grid, shares.judged, shares.lag, applied.time),
            *(micro_wh(applied.energy), unpacked_values(applied.measures)),
            self._bench.partition.record_time or 0,
            revised=applied.is_revision,
        )

    def _slot(  # noqa: PLR0917 - the reading that filled it
        self,
        meter_id: str,
        meter: MeterState,
        grid: Grid,
        slot: int,
        lag: int,
        time: int,
        energy: int,
        values: Values | None,
        received: int,
        *,
        revised: bool = False,
    ) -> None:
        """Judge a slot of a grid by its reading, of ``time``. ``energy``: micro-Wh. ``revised``: another
        reading of this stamp was judged, and this one takes its place."""
        calendar = grid.calendar
        if calendar is None:
            start, length = slot - lag, grid.interval
        else:
            start = slot if not lag else calendar.shift(slot, -1)
            length = calendar.shift(start, 1) - start
        power = NO_POWER if values is None else values[0]
        if power == NO_POWER:
            power = half_even(TIMES * energy, OVER * (length // SECOND))
        if values is None:
            judged = Judged(start, length, power, None, None, None, time)
        else:
            voltage, factor, frequency = (
                None if one == NO_VALUE else one for one in (values[1], *values[3:])
            )
            judged = Judged(start, length, power, voltage, frequency, factor, time)
        if revised:
            self._take_back(meter_id, meter, judged, received)
        elif not self._is_planned(meter_id, meter, grid, slot):
            self._judge(meter_id, meter, judged, received, whole=True)

    def _is_planned(self, meter_id: str, meter: MeterState, grid: Grid, slot: int) -> bool:
        registry = self._bench.registry
        plan = registry.plan(meter_id, meter, registry.registration(meter_id, meter))
        return plan is not None and plan.covers(slot, slot, grid.interval, grid.calendar)

    def _take_back(self, meter_id: str, meter: MeterState, window: Judged, received: int) -> None:
        """A window that was judged has new values: retract what it takes back."""
        lives = self.lives.of(meter_id)
        back = [life for life in lives if life.is_taken_back(window, self._nominal)]
        if back:
            self.lives.emit(meter_id, meter, back, received)

    def _judge(self, meter_id: str, meter: MeterState, window: Judged, received: int, *, whole: bool) -> None:
        habit, power = meter.habit, window.power
        if habit is not None and window.start <= habit.newest:
            self._take_back(meter_id, meter, window, received)
            return
        if not whole or power is None:
            return
        if habit is None:
            habit = meter.habit = Habit()
            habit.length = window.length
        longer = habit.length != window.length
        if longer:
            habit = meter.habit = self._adapted(meter_id, habit, window.length)
        if window.start - habit.newest > silence_of(window.length):
            habit.break_runs()
        habit.newest, habit.length = window.start, window.length
        name = BUCKETS + meter_id
        bucket = self._bucket_of(meter, window)
        if bucket != habit.bucket:
            known = self._buckets(name)
            if habit.enter(bucket, known):
                self._bench.keep(name, known)
        self._bench.mark(meter_id, meter)
        lives = self.lives.of(meter_id)
        changed = Verdict(window, power, habit, lambda: self._buckets(name), lives, self._nominal).judge()
        if changed:
            self.lives.emit(meter_id, meter, changed, received)
        elif lives:
            self.lives.keep(meter_id)
            if longer:
                self.lives.note_due(meter_id, meter)

    def _adapted(self, meter_id: str, habit: Habit, length: int) -> Habit:
        """What is known of a meter whose windows are longer or shorter from now on: nothing, if it has other
        buckets."""
        if is_by_hour(habit.length) != is_by_hour(length):
            self._remove_buckets(meter_id)
            return Habit()
        return habit

    def _bucket_of(self, meter: MeterState, window: Judged) -> int:
        zone = None if meter.terms is None else meter.terms.zone
        if zone is None and meter.calendar is not None:
            zone = meter.calendar.zone
        key = (window.start, is_by_hour(window.length), zone, meter.region)
        bucket = self._hours.get(key)
        if bucket is None:
            record: RegionRecord | None = None
            if meter.region is not None:
                record = self._bench.state(REGION + meter.region)
            holidays: tuple[str, ...] = ()
            if record is not None:
                zone, holidays = zone or record.timezone, record.holidays
            bucket = bucket_of(window.start, window.length, zone or self._policy.timezone, holidays)
            if len(self._hours) >= _MANY:
                self._hours.clear()
            self._hours[key] = bucket
        return bucket

    def _buckets(self, name: str) -> Buckets:
        known: Buckets | None = self._bench.state(name)
        return no_buckets() if known is None else known

    def _remove_buckets(self, meter_id: str) -> None:
        if self._bench.state(BUCKETS + meter_id) is not None:
            self._bench.keep(BUCKETS + meter_id, None)

    def drop(self, meter_id: str, meter: MeterState) -> None:
        """Before the state of a meter is dropped, and after its windows were judged."""
        self.lives.drop(meter_id, meter)
        self._remove_buckets(meter_id)
