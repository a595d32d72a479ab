"""One step, with care: whatever may happen to one element of a record, in the order that ``processor``
lays down.

Below the ``alarm`` a step ends with its reading; at or above it ``finish_step`` has something to do: kept
readings to apply, meters to settle, windows to tell.
"""

from __future__ import annotations

from collections.abc import Iterable

from gridwatch.domain.arrival import accept, accept_too_late, revise
from gridwatch.domain.gaps import GapChanges
from gridwatch.domain.outputs import LateEvent
from gridwatch.domain.partition import PartitionState
from gridwatch.domain.policy import NEVER, Policy
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
from gridwatch.domain.reception import Reception
from gridwatch.domain.repeated_hour import told_apart
from gridwatch.domain.timeliness import LATE, TOO_LATE, classify, recall
from gridwatch.domain.validation import Refusal
from gridwatch.domain.watermark import confirmed_time, keep, leaps, reached
from gridwatch.domain.windows import drop_passed, micro_kwh, tell, window_at, window_start
from gridwatch.domain.workbench import Meters, Touched, Workbench, remembered


class Stepper(Workbench):
    """The steps of one partition."""

    def __init__(
        self, policy: Policy, partition: PartitionState, meters: Meters, due: Iterable[tuple[int, str]]
    ) -> None:
        super().__init__(policy, partition, meters, due)
        self.reception = Reception(policy, partition, self.find)

    def tick(self, record: LogRecord) -> None:
        """A tick raises the watermark to its instant, and nothing else."""
        instant = self.reception.tick_instant(record, self.outputs)
        if instant is None:
            return
        part = self.partition
        part.tick = instant
        if part.watermark is None:
            self._start(instant)
        elif instant > part.watermark:
            part.watermark = instant

    def element(self, record: LogRecord, item: RawReading | Reading | Refusal, index: int) -> None:
        """The step of one element of ``record``, short of what ``finish_step`` does."""
        reading = self.reception.judged(record, item, index, self.outputs)
        if reading is None:
            return
        part, policy = self.partition, self.policy
        if reading.ambiguous:
            meter = self.find(reading.raw.meter_id)
            reading = told_apart(reading, meter, record.timestamp, part.watermark, policy)
        time = reading.time
        lead = time - policy.max_out_of_orderness
        watermark = part.watermark
        if watermark is None:
            watermark = self._start(lead)
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
            part.watermark = lead
            self._apply_kept(touched)
        self._conclude(touched)

    def finish_step(self) -> bool:
        """Do what the watermark has reached. Whether all of it was done, or the budget ran out before."""
        part, policy = self.partition, self.policy
        watermark = part.watermark
        if watermark is None:
            return True
        if part.kept:
            touched: Touched = {}
            self._apply_kept(touched)
            self._conclude(touched)
        while True:
            if self.exhausted():
                self.alarm = -NEVER
                return False
            meter_id = self._deadlines.pop(watermark)
            if meter_id is None:
                break
            self._settle(meter_id, watermark)
        length = policy.metrics_window
        start = window_start(watermark, length)
        if start > part.told:
            self.outputs += tell(part.windows, part.partition, length)
            drop_passed(part.windows, watermark, length, policy.allowed_lateness)
            part.told = start
        self.look_back()
        ahead = min((kept.time for kept in part.kept), default=NEVER) - policy.max_out_of_orderness
        self.alarm = min(self._deadlines.earliest(), part.told + length, ahead)
        return True

    def _start(self, watermark: int) -> int:
        """The first watermark of the partition. What had to be counted before it counts in its window."""
        part, length = self.partition, self.policy.metrics_window
        part.watermark = watermark
        part.told = window_start(watermark, length)
        self.look_back()
        if part.invalid_before:
            window_at(part.windows, watermark, length).invalid += part.invalid_before
            part.invalid_before = 0
        self.alarm = -NEVER
        return watermark

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
        part, policy = self.partition, self.policy
        raw, time, given, _ = reading
        kwh = raw.consumption_kwh
        meter = self.find(raw.meter_id)
        standing = recall(meter.recent, time) if meter is not None else None
        window = window_at(part.windows, time, policy.metrics_window)
        if standing == kwh:
            window.duplicate += 1
            return False
        changes = touched[raw.meter_id] = GapChanges(policy, watermark)
        if meter is None:
            meter = self._create(time, given)
            flags = FIRST
        elif standing is not None:
            flags = REVISED | revise(meter, time, given, changes)
            window.revised += 1
            window.micro_kwh -= micro_kwh(standing)
        else:
            flags = accept(meter, time, given, changes)
        self._note(raw.meter_id, meter, time, kwh, raw.region)
        window.micro_kwh += micro_kwh(kwh)
        status = OK
        if timeliness == LATE:
            status = LATE_STATUS
            meter.late_count += 1
            window.late += 1
        else:
            window.on_time += 1
        self.accepted.take(
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
        part, policy = self.partition, self.policy
        raw, time = reading.raw, reading.time
        flags = 0
        touched: Touched = {}
        meter = self.find(raw.meter_id)
        if meter is not None:
            changes = touched[raw.meter_id] = GapChanges(policy, watermark)
            flags |= accept_too_late(meter, time, changes)
            meter.late_count += 1
            self._mark(raw.meter_id, meter)
        window_at(part.windows, watermark, policy.metrics_window).too_late += 1
        self.outputs.append(
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
        self._conclude(touched)

    def _keep_ahead(self, record: LogRecord, reading: Reading, index: int, watermark: int) -> None:
        """A reading beyond the jump guard: told at once, applied once the watermark gets there."""
        part, policy = self.partition, self.policy
        raw, time, given, _ = reading
        meter = self.find(raw.meter_id)
        interval = given or (meter.interval if meter is not None else policy.default_interval)
        flags = _all_flags(AHEAD, reading)
        self.accepted.take(raw, time, interval, OK, 0, flags, watermark, part.partition, record.offset, index)
        kept = KeptReading(raw.meter_id, time, raw.consumption_kwh, given, remembered(raw.region))
        part.kept, twin = keep(part.kept, kept)
        window = window_at(part.windows, time, policy.metrics_window)
        window.on_time += 1
        window.micro_kwh += micro_kwh(kept.kwh) - (micro_kwh(twin.kwh) if twin else 0)
        agreed = confirmed_time(part.kept, raw.meter_id, time)
        if agreed is not None:
            part.watermark = max(watermark, agreed - policy.max_out_of_orderness)
            touched: Touched = {}
            self._apply_kept(touched)
            self._conclude(touched)
        part.kept = part.kept[-policy.max_kept_ahead :]
        self.alarm = -NEVER

    def _apply_kept(self, touched: Touched) -> None:
        """Apply the kept readings that the watermark has reached."""
        part, policy = self.partition, self.policy
        watermark = part.watermark
        if watermark is None or not part.kept:
            return
        due, part.kept = reached(part.kept, watermark + policy.max_out_of_orderness)
        for kept in due:
            meter = self.find(kept.meter_id)
            if meter is not None and recall(meter.recent, kept.time) is not None:
                # A later reading of this stamp came in between: it stands, and this one gives way.
                window = window_at(part.windows, kept.time, policy.metrics_window)
                window.micro_kwh -= micro_kwh(kept.kwh)
                continue
            changes = touched.setdefault(kept.meter_id, GapChanges(policy, watermark))
            if meter is None:
                meter = self._create(kept.time, kept.interval)
            else:
                accept(meter, kept.time, kept.interval, changes)
            self._note(kept.meter_id, meter, kept.time, kept.kwh, kept.region)


def _all_flags(flags: int, reading: Reading) -> tuple[str, ...]:
    """The names of ``flags``, of those that the reading has by itself, and the codes that it brought."""
    raw = reading.raw
    own = (AMBIGUOUS_TIME if reading.ambiguous else 0) | (0 if raw.consumption_kwh else ZERO)
    names = flag_names(flags | own)
    return (*names, *raw.flags) if raw.flags else names
