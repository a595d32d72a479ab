"""One step, with care: whatever may happen to one element of a record, in the order that ``processor``
lays down.

Below the ``alarm`` a step ends with its reading; at or above it ``finish_step`` has something to do: kept
readings to apply, meters to settle, windows to tell.
"""

from __future__ import annotations

from gridwatch.domain.meter.arrival import accept, accept_too_late, revise
from gridwatch.domain.meter.gaps import GapChanges
from gridwatch.domain.meter.state import stored_region
from gridwatch.domain.meter.timeliness import LATE, TOO_LATE, classify, recall
from gridwatch.domain.outputs import LateEvent
from gridwatch.domain.partition.reception import Reception
from gridwatch.domain.partition.repeated_hour import told_apart
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
    KeptReading,
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
        """A tick raises the watermark to its instant, and nothing else."""
        instant = self._reception.tick_instant(record, self._bench.outputs)
        if instant is None:
            return
        self._partition.tick = instant
        self._advance(instant)

    def element(self, record: LogRecord, item: RawReading | Reading | Refusal, index: int) -> None:
        """The step of one element of ``record``, short of what ``finish_step`` does."""
        bench, part, policy = self._bench, self._partition, self._policy
        reading = self._reception.judged(record, item, index, bench.outputs)
        if reading is None:
            return
        if reading.ambiguous:
            meter = bench.find(reading.raw.meter_id)
            reading = told_apart(reading, meter, record.timestamp, part.watermark, policy)
        time = reading.time
        lead = time - policy.max_out_of_orderness
        watermark = part.watermark
        if watermark is None:
            self._advance(lead)
            watermark = lead
        if leaps(lead, watermark, policy.max_watermark_jump):
            self._keep_ahead(record, reading, index, watermark)
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
            self._apply_kept(touched)
        bench.conclude(touched)

    def finish_step(self) -> bool:
        """Do what the watermark has reached. Whether all of it was done, or the budget ran out before."""
        bench, part, policy = self._bench, self._partition, self._policy
        watermark = part.watermark
        if watermark is None:
            return True
        if part.kept:
            touched: Touched = {}
            self._apply_kept(touched)
            bench.conclude(touched)
        if not bench.settle_due(watermark):
            return False
        bench.outputs += part.tell_windows(policy.metrics_window, policy.allowed_lateness)
        bench.set_alarm()
        return True

    def _advance(self, to: int) -> None:
        """Raise the watermark. The first one brings the horizon and the windows with it."""
        if self._partition.advance(to, self._policy.metrics_window):
            self._bench.move_horizon()
            self._bench.sound_alarm()

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
        """A reading that is ON_TIME or LATE. Whether it is validated; else it was a duplicate."""
        bench, part, policy = self._bench, self._partition, self._policy
        raw, time, given, _ = reading
        kwh = raw.consumption_kwh
        meter = bench.find(raw.meter_id)
        standing = recall(meter.recent, time) if meter is not None else None
        window = window_at(part.windows, time, policy.metrics_window)
        if standing == kwh:
            window.duplicate += 1
            return False
        changes = touched[raw.meter_id] = GapChanges(policy, watermark)
        if meter is None:
            meter = bench.create(time, given)
            flags = FIRST
        elif standing is not None:
            flags = REVISED | revise(meter, time, given, changes)
            window.revised += 1
            window.micro_kwh -= micro_kwh(standing)
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
        bench.accepted.take(
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
        bench.conclude(touched)

    def _keep_ahead(self, record: LogRecord, reading: Reading, index: int, watermark: int) -> None:
        """A reading beyond the jump guard: told at once, applied once the watermark gets there."""
        bench, part, policy = self._bench, self._partition, self._policy
        raw, time, given, _ = reading
        meter = bench.find(raw.meter_id)
        interval = given or (meter.interval if meter is not None else policy.default_interval)
        flags = _all_flags(AHEAD, reading)
        bench.accepted.take(
            raw, time, interval, OK, 0, flags, watermark, part.partition, record.offset, index
        )
        kept = KeptReading(raw.meter_id, time, raw.consumption_kwh, given, stored_region(raw.region))
        twin = part.keep(kept)
        window = window_at(part.windows, time, policy.metrics_window)
        window.on_time += 1
        window.micro_kwh += micro_kwh(kept.kwh) - (micro_kwh(twin.kwh) if twin else 0)
        agreed = confirmed_time(part.kept, raw.meter_id, time)
        if agreed is not None:
            self._advance(agreed - policy.max_out_of_orderness)
            touched: Touched = {}
            self._apply_kept(touched)
            bench.conclude(touched)
        part.limit_kept(policy.max_kept_ahead)
        bench.sound_alarm()

    def _apply_kept(self, touched: Touched) -> None:
        """Apply the kept readings that the watermark has reached."""
        bench, part, policy = self._bench, self._partition, self._policy
        watermark = part.watermark
        if watermark is None or not part.kept:
            return
        for kept in part.release(watermark + policy.max_out_of_orderness):
            meter = bench.find(kept.meter_id)
            if meter is not None and recall(meter.recent, kept.time) is not None:
                # A later reading of this stamp came in between: it stands, and this one gives way.
                window = window_at(part.windows, kept.time, policy.metrics_window)
                window.micro_kwh -= micro_kwh(kept.kwh)
                continue
            changes = touched.setdefault(kept.meter_id, GapChanges(policy, watermark))
            if meter is None:
                meter = bench.create(kept.time, kept.interval)
            else:
                accept(meter, kept.time, kept.interval, changes)
            bench.note(kept.meter_id, meter, kept.time, kept.kwh, kept.region)


def _all_flags(flags: int, reading: Reading) -> tuple[str, ...]:
    """The names of ``flags``, of those that the reading has by itself, and the codes that it brought."""
    raw = reading.raw
    own = (AMBIGUOUS_TIME if reading.ambiguous else 0) | (0 if raw.consumption_kwh else ZERO)
    names = flag_names(flags | own)
    return (*names, *raw.flags) if raw.flags else names
