"""Holds the readings beyond the jump guard, and applies them once the watermark has reached them.

The rules are in ``watermark``: what is held, what confirms it, and when it is applied.
"""

from __future__ import annotations

from math import isnan

from gridwatch.domain.calendar import Calendar
from gridwatch.domain.meter.arrival import accept
from gridwatch.domain.meter.energy import measured, micro_kwh
from gridwatch.domain.meter.usage import measures_of
from gridwatch.domain.partition.schedule import Schedule, Touched
from gridwatch.domain.partition.sums.contribution import Applied
from gridwatch.domain.partition.sums.totals import Totals
from gridwatch.domain.partition.watermark import confirmed_time, leaps
from gridwatch.domain.partition.windows import window_at
from gridwatch.domain.partition.workbench import Workbench
from gridwatch.domain.reading import AHEAD, OK, HeldReading, LogRecord, Reading, all_flags, stored_region


class JumpGuard:
    """The held readings of one partition."""

    def __init__(self, bench: Workbench, schedule: Schedule, totals: Totals) -> None:
        self._bench = bench
        self._schedule = schedule
        self._totals = totals

    def stops(self, reading: Reading, lead: int, watermark: int) -> bool:
        """Whether a reading that would raise the watermark to ``lead`` is to be held."""
        policy = self._bench.policy
        return leaps(lead, watermark, policy.max_watermark_jump) and leaps(
            lead, watermark, policy.jump_of(self._interval_of(reading)[0])
        )

    def _interval_of(self, reading: Reading) -> tuple[int, Calendar | None]:
        """The interval that the registry gives, or the reading, or its meter has, or the default."""
        bench, meter_id = self._bench, reading.raw.meter_id
        meter = bench.find(meter_id)
        registration = bench.registry.registration(meter_id, meter)
        entry = None if registration is None else registration.entry
        if entry is not None and entry.interval is not None:
            return entry.interval, entry.calendar
        if reading.interval is not None:
            return reading.interval, reading.calendar
        if meter is not None:
            return meter.interval, meter.calendar
        return bench.policy.default_interval, None

    def hold(self, record: LogRecord, reading: Reading, index: int, watermark: int) -> None:
        """Hold a reading beyond the jump guard: emitted at once, applied when the watermark reaches it."""
        bench, part, policy = self._bench, self._bench.partition, self._bench.policy
        raw, time, given, _, calendar = reading
        value = measured(raw)
        if isnan(raw.consumption_kwh):
            raw.consumption_kwh = 0.0  # the register's base stays: the next reading counts from there
        interval, shown = self._interval_of(reading)
        bench.accepted.emit(
            raw,
            time,
            interval,
            OK,
            0,
            all_flags(AHEAD, reading),
            watermark,
            part.partition,
            record.offset,
            index,
            record.timestamp,
            None,
            shown,
        )
        region = stored_region(raw.region)
        measures = measures_of(raw)
        held = HeldReading(raw.meter_id, time, raw.consumption_kwh, given, region, value, calendar, measures)
        twin = part.hold(held)
        window = window_at(part.windows, time, policy.metrics_window)
        window.on_time += 1
        window.micro_kwh += micro_kwh(held.kwh) - (micro_kwh(twin.kwh) if twin else 0)
        agreed = confirmed_time(part.held, raw.meter_id, time)
        if agreed is not None:
            self._schedule.advance(agreed - policy.max_out_of_orderness)
            self._schedule.pass_end()
            touched: Touched = {}
            self.apply(touched)
            self._schedule.end_step(touched)
        part.limit_held(policy.max_held)
        self._schedule.fire_timer()

    def apply(self, touched: Touched) -> None:
        """Apply the held readings that the watermark has reached."""
        bench, part, policy = self._bench, self._bench.partition, self._bench.policy
        watermark = part.watermark
        if watermark is None or not part.held:
            return
        for held in part.release(watermark + policy.max_out_of_orderness):
            meter = bench.find(held.meter_id)
            archive = None if meter is None else bench.archive(held.meter_id, meter)
            if archive is not None and archive.recall(held.time) is not None:
                # A later reading of this stamp was applied in between, and replaces this one.
                window = window_at(part.windows, held.time, policy.metrics_window)
                window.micro_kwh -= micro_kwh(held.kwh)
                continue
            name = held.meter_id
            registration = bench.registry.registration(name, meter)
            changes = touched.get(name)
            if changes is None:
                changes = touched[name] = bench.changes_of(name, meter, watermark, registration)
            flags = 0
            if meter is None:
                meter = bench.create(name, held.time, held.interval, held.calendar, registration, changes)
            else:
                # Its slot is not due: it was applied as soon as the watermark came near.
                flags = accept(meter, held.time, held.interval, held.calendar, changes)
            if held.value != held.kwh:
                meter.derive()
            bench.note(name, meter, held.time, held.value, held.kwh, held.region)
            applied = Applied(name, held.time, flags, held.kwh, None, held.region, held.measures, None)
            self._totals.note(applied, meter, registration)
