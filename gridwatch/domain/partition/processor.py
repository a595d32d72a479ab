"""The one entry point: records of one raw partition in, outputs and changed states out.

**One step for one reading** (an array is its readings one after the other):

1. validate it (``validation``); an invalid one is a dead letter and ends the step;
2. classify it against the watermark (``watermark``, ``timeliness``);
3. apply it to its meter (``arrival``);
4. raise the watermark, apply the held readings that it reached;
5. settle every meter with a deadline at or before it, in order of (its earliest deadline, meter_id);
6. emit the windows of consumption, and a bundle for each target partition, if it crossed a minute (``sums``);
7. emit the metric windows if it crossed the end of one.

A tick is a step of 4 to 7; a control record of the registry one of 5, at the watermark as it is. Outputs are
emitted in that order: the reading's own; then the gaps it changed (its meter is settled with it, so that each
gap has exactly one revision, with its state at the end of the step); then the settled meters. The same log
gives the same outputs however it is split: ``process`` may stop between two elements or two settled meters,
and the partition row has the position to resume from.

Most readings are clean: of a known meter, on time, for the next slot, with nothing else pending. ``process``
handles that case inline; everything else goes through ``Stepper``, which would give the same result for a
clean one too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from gridwatch.domain.meter.energy import agree
from gridwatch.domain.meter.grid import tolerance_of
from gridwatch.domain.meter.intervals import rounded
from gridwatch.domain.meter.timeliness import packed, since
from gridwatch.domain.partition.outcome import Outcome
from gridwatch.domain.partition.reception import Reception
from gridwatch.domain.partition.schedule import Schedule
from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.partition.stepper import Stepper
from gridwatch.domain.partition.sums.totals import Totals
from gridwatch.domain.partition.windows import Window, window_at
from gridwatch.domain.partition.workbench import Meters, Workbench
from gridwatch.domain.policy import MINUTE, SECOND, Policy, short_grace
from gridwatch.domain.reading import OK, ZERO, LogRecord, RawReading, flag_names

Decode = Callable[[bytes], "RawReading | list[RawReading]"]
"""A fast decoder of a record's value. It raises for anything that is not a reading or an array of them."""

_MINUTE: Final = float(MINUTE)
_SECOND: Final = float(SECOND)
_NO_FLAGS: Final[tuple[str, ...]] = ()
_ZERO_ONLY: Final = flag_names(ZERO)


class Processor:
    """The rules of one partition, over states that it changes in place.

    If an outcome cannot be committed, discard the processor with its states and rebuild it from the stored
    ones. ``due`` has the deadline and the name of every stored state, and when a meter was seen last. After a
    recovery call ``process(())`` once: it finishes what the last step left. ``decode_other`` is tried where
    ``decode`` fails.
    """

    def __init__(
        self,
        policy: Policy,
        partition: PartitionState,
        meters: Meters,
        *,
        due: Iterable[tuple[int, str, int]] = (),
        decode: Decode | None = None,
        decode_other: Decode | None = None,
    ) -> None:
        self.policy = policy
        self.partition = partition
        self._meters = meters
        self._decode = decode
        self._decode_other = decode_other
        self._bench = Workbench(policy, partition, meters)
        self._totals = Totals(self._bench)
        self._schedule = Schedule(self._bench, self._totals, due)
        self._reception = Reception(policy, partition, self._bench.find)
        self._stepper = Stepper(self._bench, self._schedule, self._reception, self._totals)

    def process(
        self, records: Sequence[LogRecord], *, budget: int = 0, onto: Outcome | None = None
    ) -> Outcome:
        """Process ``records``, in log order; those before the position of the partition are skipped.

        ``budget``: about how many bytes of changed state (``MeterState.weight``) to stop after; 0: no limit.
        ``onto``: the outcome of earlier calls that is not committed yet; this call adds to it.
        """
        outcome = Outcome() if onto is None else onto
        bench = self._bench
        bench.begin(outcome, budget)
        outcome.complete = self._stepper.finish_step() and self._run(records, outcome)
        self._totals.flush()
        outcome.weight = bench.weight
        return outcome

    def seal(self, onto: Outcome) -> None:
        """Before ``onto`` is committed: move the older readings of meters into blocks."""
        self._bench.seal()

    def _others(self, value: bytes) -> Sequence[RawReading]:
        """The readings of a record by the other decoder; none if it fails too."""
        if self._decode_other is None:
            return ()
        try:
            decoded = self._decode_other(value)
        except (ValueError, TypeError, RecursionError):
            return ()
        return decoded if isinstance(decoded, list) else (decoded,)

    def _run(self, records: Sequence[LogRecord], outcome: Outcome) -> bool:  # noqa: PLR0912, PLR0915
        """Process ``records``. False if the budget ran out before the last one."""
        step, bench, schedule, reception = self._stepper, self._bench, self._schedule, self._reception
        part, policy = self.partition, self.policy
        changed, emit, meters, decode = outcome.changed, outcome.accepted.emit, self._meters, self._decode
        stamps = reception.stamps
        instants, max_bytes = stamps.known, policy.max_record_bytes
        slack, jump, skew = policy.max_out_of_orderness, policy.max_watermark_jump, policy.max_future_skew
        grace, ttl, max_kwh = policy.grace, policy.state_ttl, float(policy.max_kwh)
        clean = self._totals.clean if self._totals.is_on else None
        length, windows, partition, budget = policy.metrics_window, part.windows, part.partition, bench.budget
        start = end = 0  # of ``window``, the window that the last clean reading was in
        window = Window()
        for record in records:
            offset, stamped, value = record.offset, record.timestamp, record.value
            if offset != part.offset:
                if offset < part.offset:
                    continue
                part.offset, part.index, part.done = offset, 0, False
            elif part.done:
                continue
            part.record_time = stamped
            if record.control is not None:
                step.control(record)
                part.done = True
                if not step.finish_step():
                    return False
                continue
            part.reading_time, part.replayed = stamped, record.replayed
            raws: Sequence[RawReading] = ()
            if decode is not None and value and len(value) <= max_bytes:
                try:
                    if not value.isascii():
                        value.decode()  # a fast decoder may skip what it does not need
                    decoded = decode(value)
                    raws = decoded if isinstance(decoded, list) else (decoded,)
                except (ValueError, TypeError, RecursionError):
                    raws = self._others(value)  # else decoded the slow way below, as an empty array is
            elements = () if raws else reception.open(record)
            index, count = part.index, len(raws or elements)
            while index < count:
                if budget and bench.weight >= budget:
                    part.index = index
                    return False
                watermark = part.watermark
                if not raws:
                    step.element(record, elements[index], index)
                else:
                    raw = raws[index]
                    meter_id, kwh, region = raw.meter_id, raw.consumption_kwh, raw.region
                    time = instants.get(raw.timestamp)
                    if time is None:
                        time = stamps.instant(raw.timestamp)
                    meter = changed.get(meter_id)
                    fresh = meter is None
                    if fresh and meter_id not in changed:
                        meter = meters.get(meter_id)
                    # The straight path. It is closed: nothing is added to it. Measured with 1,000 meters, a
                    # clean reading takes 3 µs of CPU time here and 18 µs through ``Stepper`` (compiled: 2
                    # and 6). Nearly all readings are clean, so whatever is added here slows down everything.
                    # A new rule gets in without it, in one of two ways:
                    # - It subscribes to accepted readings: an ``Accepted`` (``outputs``), put in place of
                    #   ``Outcome.accepted``, gets every one of them in log order, whichever path it took.
                    # - It watches some meters: ``MeterState`` holds what it needs to, and ``update_calm``
                    #   clears ``calm`` as long as it does. Readings of such a meter go through ``Stepper``.
                    # tests/unit/domain/partition/test_straight_path_is_closed.py fails if this path grows.
                    #
                    # The conditions of a clean reading; ``Stepper`` handles each case that fails one.
                    if (
                        meter is not None
                        and meter.calm
                        and time is not None
                        and watermark is not None
                        and time >= watermark
                        and (lead := time - slack) - watermark <= jump
                        and time <= stamped + skew
                        and 0.0 <= kwh <= max_kwh
                        and (
                            (given := raw.interval_minutes) is None
                            or (meter.given and given * _MINUTE == float(meter.interval))
                        )
                        and ((power := raw.power_kw) is None or agree(kwh, power, meter.interval))
                        and (
                            (seconds := raw.interval_seconds) is None
                            or (meter.given and seconds * _SECOND == float(meter.interval))
                        )
                        and (region is None or region == meter.region)
                        and ((sent_at := raw.sent_at) is None or sent_at.isprintable())
                        and raw.flags is None
                        and (
                            (difference := time - meter.last_seen) == (interval := meter.interval)
                            or (difference > 0 and rounded(difference) == rounded(interval))
                        )
                        and ((slot := meter.cursor) == time or abs(time - slot) <= tolerance_of(interval))
                    ):
                        if not start <= time < end:
                            start = time - time % length
                            end = start + length
                            window = window_at(windows, time, length)
                        recent = since(meter.recent, bench.horizon_key)
                        if not recent or meter.last_seen < start:  # the last one of those remembered
                            window.active += 1
                        flags = _NO_FLAGS
                        if not kwh:
                            flags, kwh = _ZERO_ONLY, 0.0  # never the negative one
                            raw.consumption_kwh = kwh
                        meter.recent = recent + packed(time, kwh)
                        meter.last_seen = time
                        meter.last_slot = slot
                        meter.cursor = cursor = slot + interval
                        life = time + ttl
                        if (terms := meter.terms) is None:
                            due = cursor + (grace if interval >= MINUTE else short_grace(interval))
                        else:
                            due = cursor + terms.admit(raw, interval, grace)
                        meter.due = due if due < life else life
                        window.on_time += 1
                        window.micro_kwh += int(kwh * 1_000_000 + 0.5)
                        window.changed = True
                        if (highest := part.highest) is None or time > highest:
                            part.highest = time
                        if fresh:
                            changed[meter_id] = meter
                            if budget:
                                bench.weight += meter.weight()
                        emit(raw, time, interval, OK, 0, flags, watermark, partition, offset, index, stamped)
                        if clean is not None:
                            clean.append((raw, time, meter, slot, interval, stamped))
                        if lead > watermark:
                            part.watermark = lead
                    else:
                        step.element(record, raw, index)
                index += 1
                if part.watermark is not None and part.watermark >= schedule.timer:
                    part.index, part.done = (0, True) if index == count else (index, False)
                    if not step.finish_step():
                        return False
            part.index, part.done = 0, True
        return True
