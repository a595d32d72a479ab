"""One step, every case: all that can happen to one element of a record, in the order given in ``processor``.

Below the ``timer`` a step ends with its reading. At or above it ``finish_step`` has work to do: held readings
to apply, meters to settle, windows to emit.
"""

from __future__ import annotations

from math import isnan

from gridwatch.domain.meter.arrival import accept, accept_too_late, revise
from gridwatch.domain.meter.energy import measured, micro_kwh
from gridwatch.domain.meter.settlement import catch_up
from gridwatch.domain.meter.timeliness import LATE, TOO_LATE, classify
from gridwatch.domain.meter.usage import measures_of
from gridwatch.domain.outputs import LateEvent
from gridwatch.domain.partition.jump_guard import JumpGuard
from gridwatch.domain.partition.reception import Reception
from gridwatch.domain.partition.repeated_hour import resolve
from gridwatch.domain.partition.schedule import Schedule, Touched
from gridwatch.domain.partition.sums.contribution import Applied
from gridwatch.domain.partition.sums.totals import Totals
from gridwatch.domain.partition.windows import window_at
from gridwatch.domain.partition.workbench import Workbench
from gridwatch.domain.reading import (
    FIRST,
    GAP_ENERGY,
    OK,
    REVISED,
    TICK,
    LogRecord,
    RawReading,
    Reading,
    all_flags,
    stored_region,
)
from gridwatch.domain.reading import LATE as LATE_STATUS
from gridwatch.domain.registry.reading import prepare
from gridwatch.domain.registry.registration import Registration
from gridwatch.domain.validation.findings import Refusal


class Stepper:
    """The steps of one partition, with the states on its workbench."""

    def __init__(self, bench: Workbench, schedule: Schedule, reception: Reception, totals: Totals) -> None:
        self._bench = bench
        self._schedule = schedule
        self._reception = reception
        self._totals = totals
        self._guard = JumpGuard(bench, schedule, totals)
        self._policy = bench.policy
        self._partition = bench.partition

    def _tick(self, record: LogRecord) -> None:
        """Process a tick: it raises the watermark to its instant, and does nothing else."""
        bench, part = self._bench, self._partition
        instants = self._reception.tick_instants(record, bench.outputs)
        if instants is None:
            return
        instant, end = instants
        part.tick = instant
        self._schedule.advance(instant)
        part.settle_until(end)
        if part.end is not None:
            self._schedule.move_end()

    def control(self, record: LogRecord) -> None:
        """Process a control record: a tick, or one of the registry. Those never raise the watermark; in a
        partition without one they set it to when they were said, so that time passes there."""
        self._totals.drain()
        if record.control == TICK:
            self._partition.tick_time, self._partition.replayed = record.timestamp, record.replayed
            self._tick(record)
            return
        bench, part = self._bench, self._partition
        said = self._reception.control_record(record, bench.outputs)
        if said is None:
            return
        watermark = part.watermark
        if watermark is None:
            watermark = record.timestamp if said.as_of is None else said.as_of
            self._schedule.advance(watermark)
            part.tick_time, part.replayed = record.timestamp, record.replayed
        self._schedule.take(said, watermark)

    def element(self, record: LogRecord, item: RawReading | Reading | Refusal, index: int) -> None:
        """Process one element of ``record``, except for what ``finish_step`` does."""
        self._totals.drain()
        bench, part, policy = self._bench, self._partition, self._policy
        reading = self._reception.admit(record, item, index, bench.outputs)
        if reading is None:
            return
        if reading.ambiguous:
            meter = bench.find(reading.raw.meter_id)
            archive = None if meter is None else bench.archive(reading.raw.meter_id, meter)
            reading = resolve(reading, meter, archive, record.timestamp, part.watermark, policy)
        time = reading.time
        meter_id = reading.raw.meter_id
        registration = bench.registry.registration(meter_id, bench.find(meter_id))
        if registration is not None:
            prepare(registration, reading.raw, time, self._policy)
        lead = time - policy.max_out_of_orderness
        watermark = part.watermark
        if watermark is None:
            self._schedule.advance(lead)
            watermark = lead
        if self._guard.stops(reading, lead, watermark):
            self._guard.hold(record, reading, index, watermark)
            return
        timeliness = classify(time, watermark, policy.allowed_lateness)
        if timeliness == TOO_LATE:
            self._too_late(record, reading, registration, index, watermark)
            return
        touched: Touched = {}
        if not self._accept(
            record, reading, registration, index, watermark, timeliness=timeliness, touched=touched
        ):
            return
        if lead > watermark:
            self._schedule.advance(lead)
            self._schedule.pass_end()
            self._guard.apply(touched)
        self._schedule.end_step(touched)

    def finish_step(self) -> bool:
        """Do all that is due at the watermark. False if the budget ran out before the end."""
        bench, part, policy = self._bench, self._partition, self._policy
        watermark = part.watermark
        if watermark is None:
            return True
        self._totals.drain()
        self._schedule.pass_end()
        if part.held:
            touched: Touched = {}
            self._guard.apply(touched)
            self._schedule.end_step(touched)
        if not self._schedule.settle_due(watermark):
            return False
        if not self._totals.cross():
            self._schedule.fire_timer()
            return False
        bench.outputs += part.emit_windows(policy.metrics_window, policy.allowed_lateness)
        self._schedule.set_timer()
        return True

    def _accept(
        self,
        record: LogRecord,
        reading: Reading,
        registration: Registration | None,
        index: int,
        watermark: int,
        *,
        timeliness: str,
        touched: Touched,
    ) -> bool:
        """Apply a reading that is ON_TIME or LATE. False if it is a duplicate."""
        bench, part, policy = self._bench, self._partition, self._policy
        raw, time, given, _, calendar = reading
        value = measured(raw)
        meter = bench.find(raw.meter_id)
        archive = None if meter is None else bench.archive(raw.meter_id, meter)
        current = None if archive is None else archive.recall(time)
        window = window_at(part.windows, time, policy.metrics_window)
        if current == value:
            window.duplicate += 1
            return False
        changes = touched[raw.meter_id] = bench.changes_of(raw.meter_id, meter, watermark, registration)
        counted = None if archive is None or current is None else archive.energy_at(time)
        before: int | None = None
        if meter is None or archive is None:
            meter = bench.create(raw.meter_id, time, given, calendar, registration, changes)
            flags = FIRST
        else:
            before = meter.last_seen if time > meter.last_seen else archive.stamp_before(time)
            if timeliness == LATE or not meter.expected:  # the slot of one that is on time is not due
                catch_up(meter, changes, self._schedule.end)
            if current is None:
                flags = accept(meter, time, given, calendar, changes)
            else:
                flags = REVISED | revise(meter, time, given, calendar, changes)
                window.revised += 1
                window.micro_kwh -= micro_kwh(counted or 0.0)
        base, energy, more = bench.measure(raw, time, meter, before, counted)
        flags |= more
        bench.note(raw.meter_id, meter, time, value, raw.consumption_kwh, raw.region)
        applied = Applied(
            raw.meter_id,
            time,
            flags,
            raw.consumption_kwh,
            counted,
            stored_region(raw.region),
            measures_of(raw),
            base if flags & GAP_ENERGY else None,
        )
        self._totals.note(applied, meter, registration)
        window.micro_kwh += energy
        status = OK
        if timeliness == LATE:
            status = LATE_STATUS
            meter.late_count += 1
            window.late += 1
        else:
            window.on_time += 1
        bench.accepted.emit(
            raw,
            time,
            meter.interval,
            status,
            max(watermark - time, 0),
            all_flags(flags, reading),
            watermark,
            part.partition,
            record.offset,
            index,
            record.timestamp,
            base if flags & GAP_ENERGY else None,
            meter.calendar,
        )
        return True

    def _too_late(
        self,
        record: LogRecord,
        reading: Reading,
        registration: Registration | None,
        index: int,
        watermark: int,
    ) -> None:
        bench, part, policy = self._bench, self._partition, self._policy
        raw, time = reading.raw, reading.time
        if isnan(raw.consumption_kwh):
            raw.consumption_kwh = 0.0  # it is not known so late what the register rose by
        flags = 0
        touched: Touched = {}
        meter = bench.find(raw.meter_id)
        if meter is not None:
            changes = touched[raw.meter_id] = bench.changes_of(raw.meter_id, meter, watermark, registration)
            catch_up(meter, changes, self._schedule.end)
            flags |= accept_too_late(meter, time, changes)
            meter.late_count += 1
            self._totals.touched(raw.meter_id, meter, registration)
            bench.mark(raw.meter_id, meter)
        window_at(part.windows, watermark, policy.metrics_window).too_late += 1
        bench.outputs.append(
            LateEvent(
                raw,
                time,
                watermark - time,
                all_flags(flags, reading),
                watermark,
                policy.allowed_lateness,
                part.partition,
                record.offset,
                index,
            )
        )
        self._schedule.end_step(touched)
