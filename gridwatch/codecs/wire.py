"""Encodes outputs as JSON messages.

Nearly every reading gives a validated one, so those are encoded as they are emitted (`ValidatedMessages`), in
the shape of `models.validated.Validated`: the decoded reading, then a suffix that most neighbours share and
that is formatted once for all of them. Metrics, which come by the dozen, are formatted directly too;
`encode_outputs` looks up everything else by its type.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from gridwatch.codecs.anomalies import anomaly
from gridwatch.codecs.encoded import Encoded, Feed, Message
from gridwatch.codecs.origin import origin_of
from gridwatch.codecs.sums import WindowMessages, encode_bundles
from gridwatch.domain import outputs as emitted
from gridwatch.domain.anomalies import anomaly as emission
from gridwatch.domain.calendar import Calendar
from gridwatch.domain.instants import instant_text, minutes_of
from gridwatch.domain.partition.outcome import Outcome
from gridwatch.domain.policy import MINUTE, SECOND
from gridwatch.domain.reading import RawReading
from gridwatch.models.anomaly import Anomaly
from gridwatch.models.dead_letter import DeadLetter
from gridwatch.models.gap_alert import GapAlert
from gridwatch.models.late_event import LateEvent
from gridwatch.models.raw import Raw
from gridwatch.topics import SMARTMETER, Flow

#: A dead letter has at most so many bytes of the rejected record.
RAW_MAX_BYTES = 64 * 1024

_encode: Final = msgspec.json.Encoder().encode

#: The fields that a `RawReading` has, too.
_FIELDS: Final = tuple(name for name in Raw.__struct_fields__ if name != "interval")


class ValidatedMessages(emitted.Accepted):
    """Encodes accepted readings as messages, in order."""

    def __init__(self) -> None:
        super().__init__([])
        self.messages: list[Message] = []
        self._time = self._watermark = self._delay = self._partition = self._index = -1
        self._interval = self._received = -1
        self._stamp = self._status = self._id = self._end = self._arrival = ""
        self._minutes: int | float = 0
        self._seconds = 0

    def emit(  # noqa: PLR0917 - the fields of `Validated`, unpacked
        self,
        raw: RawReading,
        time: int,
        interval: int,
        status: str,
        delay: int,
        flags: tuple[str, ...],
        watermark: int,
        partition: int,
        offset: int,
        index: int,
        received: int,
        energy_from: int | None = None,
        calendar: Calendar | None = None,
    ) -> None:
        """Encode the next one; this modifies `raw`."""
        if time != self._time:
            self._time, self._stamp = time, instant_text(time)
        if (
            watermark != self._watermark
            or delay != self._delay
            or status != self._status
            or index != self._index
            or partition != self._partition
        ):
            self._watermark, self._delay, self._status = watermark, delay, status
            self._index, self._partition = index, partition
            seconds, stamp = repr(delay / SECOND), instant_text(watermark)
            self._id = f',"id":"{partition}-'
            self._end = (
                f'-{index}","status":"{status}","delay_seconds":{seconds},"watermark":"{stamp}",'
                f'"partition":{partition},"index":{index}}}'
            )
        if interval != self._interval:
            self._interval, self._minutes, self._seconds = interval, minutes_of(interval), interval // SECOND
        if received != self._received:
            self._received, self._arrival = received, f',"received_at":"{instant_text(received)}","offset":'
        if type(raw) is not Raw:
            raw = Raw(*(getattr(raw, name) for name in _FIELDS))
        raw.timestamp = self._stamp
        raw.interval_minutes, raw.interval_seconds = self._minutes, self._seconds
        raw.flags = flags  # type: ignore[assignment]
        number = str(offset)
        end = f"{self._arrival}{number}{self._id}{number}{self._end}"
        if energy_from is not None:
            end = f',"energy_from":"{instant_text(energy_from)}"{end}'
        if calendar is not None:
            end = f',"calendar":"{calendar}"{end}'
        self.messages.append((raw.meter_id.encode(), _encode(raw)[:-1] + end.encode()))


def encode_outputs(outputs: Iterable[emitted.Output], flow: Flow = SMARTMETER) -> dict[str, list[Message]]:
    """(key, value) messages by name of the flow's topic, in the order of the outputs, without bundles: those
    have partitions of their own (`encode_bundles`)."""
    messages: dict[str, list[Message]] = {}
    validated = ValidatedMessages()
    windows = WindowMessages(flow)
    metrics: list[Message] = []
    for output in outputs:
        if type(output) is emitted.Aggregate:
            windows.add(output)
            continue
        if type(output) is emitted.Bundle:
            continue
        if type(output) is emitted.Validated:
            validated.emit(*output)
        elif type(output) is emitted.Metric:
            metrics.append(_metric(output))
        else:
            topic, key, value = _WIRE[type(output)](output, flow)
            messages.setdefault(topic, []).append((key.encode(), _encode(value)))
    if validated.messages:
        messages[flow.validated.name] = validated.messages
    if metrics:
        messages[flow.metrics.name] = metrics
    messages |= {topic: some for topic, some in windows.messages.items() if some}
    return messages


class ReadingsEncoder:
    """The outputs of one commit of a flow's readings stage (`streaming.stage.Encoder`)."""

    def __init__(self, flow: Flow = SMARTMETER) -> None:
        self._flow = flow
        self.outcome = Outcome()
        self.outcome.accepted = self._validated = ValidatedMessages()

    def drain(self) -> Encoded:
        """The outputs since the last call, as messages by topic name."""
        outputs, validated, flow = self.outcome.outputs, self._validated.messages, self._flow
        messages = encode_outputs(outputs, flow)
        targeted = encode_bundles(outputs)
        messages[flow.validated.name] = validated
        feed = _feed(outputs, [validated, messages.get(flow.late_events.name, [])])
        self.outcome.outputs.clear()
        self._validated.messages = []
        return Encoded(messages, feed, targeted)


def _feed(outputs: list[emitted.Output], accepted: list[list[Message]]) -> Feed:
    """How many readings were valid and how many became dead letters."""
    letters = [output for output in outputs if type(output) is emitted.DeadLetter]
    good = sum(map(len, accepted))
    if not letters:
        return Feed(good)
    last_good = max((origin_of(some[-1][1]) for some in accepted if some), default=(-1, -1))
    run = sum((letter.offset, letter.index) > last_good for letter in letters)
    return Feed(good, len(letters), run, f"{' '.join(letters[-1].reasons)}: {letters[-1].message}")


def _late_event(output: emitted.LateEvent, flow: Flow) -> tuple[str, str, LateEvent]:
    raw = output.reading
    return (
        flow.late_events.name,
        raw.meter_id,
        LateEvent(
            id=output.id,
            meter_id=raw.meter_id,
            timestamp=instant_text(output.time),
            consumption_kwh=raw.consumption_kwh,
            delay_seconds=output.delay / SECOND,
            watermark=instant_text(output.watermark),
            allowed_lateness_seconds=output.allowed_lateness / SECOND,
            flags=list(output.flags),
            partition=output.partition,
            offset=output.offset,
            index=output.index,
        ),
    )


def _gap_alert(output: emitted.GapAlert, flow: Flow) -> tuple[str, str, GapAlert]:
    return (
        flow.gap_alerts.name,
        output.meter_id,
        GapAlert(
            gap_id=output.gap_id,
            meter_id=output.meter_id,
            revision=output.revision,
            state=output.state,  # type: ignore[arg-type]
            missing_from=instant_text(output.missing_from),
            missing_to=instant_text(output.missing_to),
            missing_intervals=output.missing_intervals,
            missing_ranges=[(instant_text(a), instant_text(b)) for a, b in output.missing_ranges],
            filled_intervals=output.filled_intervals,
            gap_minutes=output.gap_time / MINUTE,
            interval_minutes=minutes_of(output.interval),
            expected_at=instant_text(output.expected_at),
            detected_at=instant_text(output.detected_at),
            last_seen=instant_text(output.last_seen),
            grace_seconds=output.grace / SECOND,
            reason=output.reason,
            region=output.region,
            partition=output.partition,
            offset=output.offset,
            interval_seconds=output.interval // SECOND,
            received_at=instant_text(output.received),
            calendar=None if output.calendar is None else str(output.calendar),
        ),
    )


def _metric(output: emitted.Metric) -> Message:
    """A `models.metric.Metric`, formatted directly: nothing in it needs escaping."""
    name, value, start, end, revision, partition = output
    window, until, number = instant_text(start), instant_text(end), repr(value)
    metric_id = f"{name}@{window}/{partition}"
    return metric_id.encode(), (
        f'{{"id":"{metric_id}","metric":"{name}","value":{number},"window_start":"{window}",'
        f'"window_end":"{until}","revision":{revision},"scope":"event",'
        f'"partition":{partition},"labels":{{}}}}'
    ).encode()


def _anomaly(output: emission.Anomaly, flow: Flow) -> tuple[str, str, Anomaly]:
    return flow.anomalies.name, output.meter_id, anomaly(output)


def _dead_letter(output: emitted.DeadLetter, flow: Flow) -> tuple[str, str, DeadLetter]:
    letter = dead_letter(output, flow.raw.name)
    return flow.dead_letters.name, letter.id, letter


def dead_letter(output: emitted.DeadLetter, topic: str) -> DeadLetter:
    """The dead letter of a record of a topic."""
    text, encoding = raw_text(output.raw)
    return DeadLetter(
        id=output.id(topic),
        reasons=list(output.reasons),
        message=output.message,
        field=output.field,
        raw=text,
        raw_encoding=encoding,  # type: ignore[arg-type]
        raw_size=len(output.raw),
        raw_truncated=len(output.raw) > RAW_MAX_BYTES,
        topic=topic,
        partition=output.partition,
        offset=output.offset,
        index=output.index,
        record_timestamp=instant_text(output.record_timestamp),
        meter_id=output.meter_id,
    )


def raw_text(raw: bytes) -> tuple[str, str]:
    """The first RAW_MAX_BYTES of a rejected record as (text, "utf-8"), or as (text, "base64") where they
    are not UTF-8 or hold a NUL, which no text column takes."""
    head = raw[:RAW_MAX_BYTES]
    try:
        # Truncation may have split the last character; an error before that is the record's own.
        text = head.decode() if len(raw) <= RAW_MAX_BYTES else _decode_truncated(head)
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        return base64.b64encode(head).decode(), "base64"
    return text, "utf-8"


def _decode_truncated(head: bytes) -> str:
    try:
        return head.decode()
    except UnicodeDecodeError as error:
        if error.start >= len(head) - 3:
            return head[: error.start].decode()
        raise


_WIRE: dict[type, Any] = {
    emitted.LateEvent: _late_event,
    emitted.GapAlert: _gap_alert,
    emitted.DeadLetter: _dead_letter,
    emission.Anomaly: _anomaly,
}
