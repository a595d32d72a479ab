"""One step, every case: all that can happen to one element of a record, in the order given in ``processor``.

Below the ``timer`` a step ends with its reading. At or above it ``finish_step`` has work to do: held readings
to apply, meters to settle, windows to emit.
"""

from __future__ import annotations

from gridwatch.domain.meter.arrival import accept, accept_too_late, revise
from gridwatch.domain.meter.gaps import GapChanges
from gridwatch.domain.meter.state import stored_region
from gridwatch.domain.meter.timeliness import LATE, TOO_LATE, classify, recall
from gridwatch.domain.outputs import LateEvent
from gridwatch.domain.partition.reception import Reception
from gridwatch.domain.partition.repeated_hour import resolve
from gridwatch.domain.partition.watermark import confirmed_time, leaps
from gridwatch.domain.partition.windows import micro_kwh, window_at
from gridwatch.domain.partition.workbench import Touched, Workbench
from gridwatch.domain.reading import (
    AHEAD,
    AMBIGUOUS_TIME,
    FIRST,
    OK,
    REVISED,
    ZERO,
    HeldReading,
    LogRecord,
    RawReading,
    Reading,
    flag_names,
)
from gridwatch.domain.reading import LATE as LATE_STATUS
from gridwatch.domain.validation.rules import Refusal


class Stepper:
    """The steps of one partition, with the states on its workbench."""

    def __init__(self, bench: Workbench, reception: Reception) -> None:
        self._bench = bench
        self._reception = reception
        self._policy = bench.policy
        self._partition = bench.partition

    def tick(self, record: LogRecord) -> None:
        """Process a tick: it raises the watermark to its instant, and does nothing else."""
        instant = self._reception.tick_instant(record, self._bench.outputs)
        if instant is None:
            return
        self._partition.tick = instant
        self._advance(instant)

    def element(self, record: LogRecord, item: RawReading | Reading | Refusal, index: int) -> None:
        """Process one element of ``record``, except for what ``finish_step`` does."""
        bench, part, policy = self._bench, self._partition, self._policy
        reading = self._reception.admit(record, item, index, bench.outputs)
        if reading is None:
            return
        if reading.ambiguous:
            meter = bench.find(reading.raw.meter_id)
            reading = resolve(reading, meter, record.timestamp, part.watermark, policy)
        time = reading.time
        lead = time - policy.max_out_of_orderness
        watermark = part.watermark
        if watermark is None:
            self._advance(lead)
            watermark = lead
        if leaps(lead, watermark, policy.max_watermark_jump):
            self._hold(record, reading, index, watermark)
            return
        timeliness = classify(time, watermark, policy.allowed_lateness)
        if timeliness == TOO_LATE:
            self._too_late(record, reading, index, watermark)
            return
        touched: Touched = {}
        if not self._accept(record, reading, index, watermark, timeliness=timeliness, touched=touched):
            return
        if lead > watermark:
            self._advance(lead)
            self._apply_held(touched)
        bench.end_step(touched)

    def finish_step(self) -> bool:
        """Do all that is due at the watermark. False if the budget ran out before the end."""
        bench, part, policy = self._bench, self._partition, self._policy
        watermark = part.watermark
        if watermark is None:
            return True
        if part.held:
            touched: Touched = {}
            self._apply_held(touched)
            bench.end_step(touched)
        if not bench.settle_due(watermark):
            return False
        bench.outputs += part.emit_windows(policy.metrics_window, policy.allowed_lateness)
        bench.set_timer()
        return True

    def _advance(self, to: int) -> None:
        """Raise the watermark. The first one also sets the horizon and the first window."""
        if self._partition.advance(to, self._policy.metrics_window):
            self._bench.move_horizon()
            self._bench.fire_timer()

    def _accept(
        self,
        record: LogRecord,
        reading: Reading,
        index: int,
        watermark: int,
        *,
        timeliness: str,
        touched: Touched,
    ) -> bool:
        """Apply a reading that is ON_TIME or LATE. False if it is a duplicate."""
        bench, part, policy = self._bench, self._partition, self._policy
        raw, time, given, _ = reading
        kwh = raw.consumption_kwh
        meter = bench.find(raw.meter_id)
        current = recall(meter.recent, time) if meter is not None else None
        window = window_at(part.windows, time, policy.metrics_window)
        if current == kwh:
            window.duplicate += 1
            return False
        changes = touched[raw.meter_id] = GapChanges(policy, watermark)
        if meter is None:
            meter = bench.create(time, given)
            flags = FIRST
        elif current is not None:
            flags = REVISED | revise(meter, time, given, changes)
            window.revised += 1
            window.micro_kwh -= micro_kwh(current)
        else:
            flags = accept(meter, time, given, changes)
        bench.note(raw.meter_id, meter, time, kwh, raw.region)
        window.micro_kwh += micro_kwh(kwh)
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
            _all_flags(flags, reading),
            watermark,
            part.partition,
            record.offset,
            index,
        )
        return True

    def _too_late(self, record: LogRecord, reading: Reading, index: int, watermark: int) -> None:
        bench, part, policy = self._bench, self._partition, self._policy
        raw, time = reading.raw, reading.time
        flags = 0
        touched: Touched = {}
        meter = bench.find(raw.meter_id)
        if meter is not None:
            changes = touched[raw.meter_id] = GapChanges(policy, watermark)
            flags |= accept_too_late(meter, time, changes)
            meter.late_count += 1
            bench.mark(raw.meter_id, meter)
        window_at(part.windows, watermark, policy.metrics_window).too_late += 1
        bench.outputs.append(
            LateEvent(
                raw,
                time,
                watermark - time,
                _all_flags(flags, reading),
                watermark,
                policy.allowed_lateness,
                part.partition,
                record.offset,
                index,
            )
        )
        bench.end_step(touched)

    def _hold(self, record: LogRecord, reading: Reading, index: int, watermark: int) -> None:
        """Hold a reading beyond the jump guard: emitted at once, applied when the watermark reaches it."""
        bench, part, policy = self._bench, self._partition, self._policy
        raw, time, given, _ = reading
        meter = bench.find(raw.meter_id)
        interval = given or (meter.interval if meter is not None else policy.default_interval)
        flags = _all_flags(AHEAD, reading)
        bench.accepted.emit(
            raw, time, interval, OK, 0, flags, watermark, part.partition, record.offset, index
        )
        held = HeldReading(raw.meter_id, time, raw.consumption_kwh, given, stored_region(raw.region))
        twin = part.hold(held)
        window = window_at(part.windows, time, policy.metrics_window)
        window.on_time += 1
        window.micro_kwh += micro_kwh(held.kwh) - (micro_kwh(twin.kwh) if twin else 0)
        agreed = confirmed_time(part.held, raw.meter_id, time)
        if agreed is not None:
            self._advance(agreed - policy.max_out_of_orderness)
            touched: Touched = {}
            self._apply_held(touched)
            bench.end_step(touched)
        part.limit_held(policy.max_held)
        bench.fire_timer()

    def _apply_held(self, touched: Touched) -> None:
        """Apply the held readings that the watermark has reached."""
        bench, part, policy = self._bench, self._partition, self._policy
        watermark = part.watermark
        if watermark is None or not part.held:
            return
        for held in part.release(watermark + policy.max_out_of_orderness):
            meter = bench.find(held.meter_id)
            if meter is not None and recall(meter.recent, held.time) is not None:
                # A later reading of this stamp was applied in between, and replaces this one.
                window = window_at(part.windows, held.time, policy.metrics_window)
                window.micro_kwh -= micro_kwh(held.kwh)
                continue
            changes = touched.setdefault(held.meter_id, GapChanges(policy, watermark))
            if meter is None:
                meter = bench.create(held.time, held.interval)
            else:
                accept(meter, held.time, held.interval, changes)
            bench.note(held.meter_id, meter, held.time, held.kwh, held.region)


def _all_flags(flags: int, reading: Reading) -> tuple[str, ...]:
    """The names of ``flags`` and of the flags of the reading itself, and the codes of its source."""
    raw = reading.raw
    own = (AMBIGUOUS_TIME if reading.ambiguous else 0) | (0 if raw.consumption_kwh else ZERO)
    names = flag_names(flags | own)
    return (*names, *raw.flags) if raw.flags else names
