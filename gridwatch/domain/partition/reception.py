"""Validates the elements of a record: each becomes a valid reading, or a dead letter.

A reading that a fast decoder made is only checked for being sound; if it is not, the record is decoded again
the slow way, which finds every reason. A meter with a state in this partition is known to belong here.
"""

from __future__ import annotations

from collections.abc import Callable

from gridwatch.domain.instants import Stamps, parse_instant
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.outputs import DeadLetter, Output
from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.partitioning import partition_of
from gridwatch.domain.policy import Policy
from gridwatch.domain.reading import CONTROL_VERSION, METER, OUTAGE, LogRecord, RawReading, Reading
from gridwatch.domain.registry.records import (
    ControlRecord,
    MeterRecord,
    read_meter,
    read_outage,
    read_region,
)
from gridwatch.domain.validation.field_guesses import PARTITIONER
from gridwatch.domain.validation.findings import (
    BAD_METER_ID,
    BAD_TIMESTAMP,
    FUTURE_TIMESTAMP,
    NEWER_VERSION,
    NOT_AN_OBJECT,
    WRONG_FLOW,
    WRONG_PARTITION,
    Findings,
    Refusal,
)
from gridwatch.domain.validation.intervals import given_interval
from gridwatch.domain.validation.rules import (
    check,
    element_texts,
    is_meter_id,
    is_sound,
    open_record,
)


class Reception:
    """Validates the records of one partition."""

    def __init__(
        self, policy: Policy, partition: PartitionState, find: Callable[[str], MeterState | None]
    ) -> None:
        self._policy = policy
        self._partition = partition
        self._find = find
        self.stamps = Stamps(policy.timezone)
        self._opened = _Opened(-1, None, [], False)

    def open(self, record: LogRecord) -> list[Reading | Refusal]:
        """The elements of ``record``, validated; one refusal if it cannot be decoded at all."""
        opened = self._opened
        if opened.offset != record.offset or opened.value is not record.value:
            content = open_record(record.value, self._policy)
            array = isinstance(content, list)
            elements = content if isinstance(content, list) else [content]
            part = self._partition.partition
            results = [
                element
                if isinstance(element, Refusal)
                else check(element, part, record.timestamp, self._policy)
                for element in elements
            ]
            opened = self._opened = _Opened(record.offset, record.value, results, array)
        return opened.results

    def admit(
        self,
        record: LogRecord,
        item: RawReading | Reading | Refusal,
        index: int,
        outputs: list[Output],
    ) -> Reading | None:
        """``item`` as a valid reading; None if it became a dead letter."""
        if not isinstance(item, (Reading, Refusal)):
            item = self._check_raw(record, item) or self.open(record)[index]
        if isinstance(item, Refusal):
            self._refuse(record, item, index, outputs)
            return None
        if not item.raw.consumption_kwh:
            item.raw.consumption_kwh = 0.0  # never the negative one
        return item

    def tick_instants(self, record: LogRecord, outputs: list[Output]) -> tuple[int, int | None] | None:
        """The instant of a tick, and the end of the run that it settles if any; None if it became a dead
        letter."""
        zone = self._policy.timezone
        try:
            instant, _ = parse_instant((record.value or b"").decode(), zone)
            end = None if record.end is None else parse_instant(record.end.decode(), zone)[0]
        except ValueError as error:
            refusal = Refusal((BAD_TIMESTAMP,), f"the tick is {error}", None)
        else:
            if instant <= record.timestamp + self._policy.max_future_skew:
                return instant, end
            ahead = (instant - record.timestamp) / 1_000_000
            refusal = Refusal((FUTURE_TIMESTAMP,), f"the tick is {ahead:g} s after its record", None)
        outputs.append(self._dead_letter(record, refusal, record.value or b"", 0))
        return None

    def control_record(self, record: LogRecord, outputs: list[Output]) -> ControlRecord | None:
        """What a control record says; None if it became a dead letter."""
        result = self._read_control(record)
        if isinstance(result, Refusal):
            outputs.append(self._dead_letter(record, result, record.value or b"", 0))
            return None
        return result

    def _read_control(self, record: LogRecord) -> ControlRecord | Refusal:
        policy = self._policy
        if record.version != CONTROL_VERSION:
            version = record.version[:20].decode(errors="replace")
            newer = f"the format of this control record is {version!r}: start the newer gridwatch"
            return Refusal((NEWER_VERSION,), newer, None)
        fields = open_record(record.value, policy)
        if isinstance(fields, Refusal):
            return fields
        if not isinstance(fields, dict):
            return Refusal((NOT_AN_OBJECT,), "expected one object, not an array", None)
        if record.control == METER:
            meter, found = read_meter(fields, policy.timezone)
            self._check_place(meter, found)
            known = meter.meter_id if is_meter_id(meter.meter_id, policy) else None
            return self._checked(meter, found, known, record)
        if record.control == OUTAGE:
            return self._checked(*read_outage(fields, policy.timezone), None, record)
        return self._checked(*read_region(fields, policy.timezone), None, record)

    def _check_place(self, meter: MeterRecord, found: Findings) -> None:
        """Whether a registry record belongs to this flow and partition."""
        policy, here = self._policy, self._partition.partition
        if meter.meter_id:
            if not is_meter_id(meter.meter_id, policy):
                allowed = f"1 to {policy.max_meter_id_bytes} bytes of text without control characters"
                found.add(BAD_METER_ID, "meter_id", f"must be {allowed}")
            elif (there := partition_of(meter.meter_id, policy.partitions)) != here:
                found.add(
                    WRONG_PARTITION, "meter_id", f"is in partition {here} instead of {there}: {PARTITIONER}"
                )
        if meter.flow is not None and meter.flow != policy.flow:
            found.add(WRONG_FLOW, "flow", f"is {meter.flow}, these readings are of {policy.flow}")

    def _checked(
        self, result: ControlRecord, found: Findings, meter_id: str | None, record: LogRecord
    ) -> ControlRecord | Refusal:
        if result.as_of is not None and result.as_of > record.timestamp + self._policy.max_future_skew:
            ahead = (result.as_of - record.timestamp) / 1_000_000
            found.add(FUTURE_TIMESTAMP, "as_of", f"is {ahead:g} s after its record")
        return found.refusal(meter_id) if found else result

    def _check_raw(self, record: LogRecord, raw: RawReading) -> Reading | None:
        policy = self._policy
        try:
            time, ambiguous = self.stamps.read(raw.timestamp)
        except ValueError:
            return None
        if not is_sound(raw, time, record.timestamp + policy.max_future_skew, policy):
            return None
        meter_id = raw.meter_id
        if self._find(meter_id) is None and not (
            is_meter_id(meter_id, policy)
            and partition_of(meter_id, policy.partitions) == self._partition.partition
        ):
            return None
        given = given_interval(raw.interval_seconds, raw.interval_minutes, policy)
        return Reading(raw, time, given, ambiguous)

    def _refuse(self, record: LogRecord, refusal: Refusal, index: int, outputs: list[Output]) -> None:
        self.open(record)
        raw = self._opened.texts()[index] if self._opened.array else record.value or b""
        outputs.append(self._dead_letter(record, refusal, raw, index))
        self._partition.count_invalid(self._policy.metrics_window)

    def _dead_letter(self, record: LogRecord, refusal: Refusal, raw: bytes, index: int) -> DeadLetter:
        return DeadLetter(
            refusal.reasons,
            refusal.message,
            refusal.field,
            raw,
            record.timestamp,
            refusal.meter_id,
            self._partition.partition,
            record.offset,
            index,
        )


class _Opened:
    """The last record that was decoded the slow way."""

    def __init__(
        self, offset: int, value: bytes | None, results: list[Reading | Refusal], array: bool
    ) -> None:
        self.offset = offset
        self.value = value
        self.results = results
        self.array = array
        self._texts: list[bytes] = []

    def texts(self) -> list[bytes]:
        """The text of each element of the array."""
        if not self._texts and self.value:
            self._texts = element_texts(self.value)
        return self._texts
