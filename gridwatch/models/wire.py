"""What the domain says, as bytes for the topics: the one place where outputs become JSON.

One validated reading is said for nearly every one that comes, so `encode_outputs` has that case written
out; everything else is looked up by its type.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

import msgspec

from gridwatch import topics
from gridwatch.domain import outputs as said
from gridwatch.domain.instants import instant_text
from gridwatch.domain.policy import MINUTE, SECOND
from gridwatch.models.dead_letter import DeadLetter
from gridwatch.models.gap_alert import GapAlert
from gridwatch.models.late_event import LateEvent
from gridwatch.models.metric import Metric
from gridwatch.models.validated import Validated

#: Of a refused record this many bytes are kept.
RAW_KEPT_BYTES = 64 * 1024

_encode = msgspec.json.Encoder().encode

Message = tuple[bytes, bytes]

_NO_LABELS: dict[str, str] = {}


def encode_outputs(
    outputs: Iterable[said.Output], onto: dict[str, list[Message]] | None = None
) -> dict[str, list[Message]]:
    """(key, value) messages by topic name, in the order in which they were said, after those in ``onto``."""
    messages: dict[str, list[Message]] = {} if onto is None else onto
    validated = messages.get(topics.VALIDATED.name, [])
    encode, text, record_of = _encode, instant_text, Validated  # asked for once, not for every reading
    for output in outputs:
        if type(output) is said.Validated:
            raw, time, interval, status, delay, flags, watermark, partition, offset, index = output
            meter_id, _, kwh, _, region, voltage, current, power_kw, power_factor, frequency, sent_at, _ = raw
            record = record_of(
                f"{partition}-{offset}-{index}",
                meter_id,
                text(time),
                kwh,
                interval // MINUTE,
                status,  # type: ignore[arg-type]
                delay / SECOND,
                flags,  # type: ignore[arg-type]
                text(watermark),
                partition,
                offset,
                index,
                region,
                voltage,
                current,
                power_kw,
                power_factor,
                frequency,
                sent_at,
            )
            validated.append((meter_id.encode(), encode(record)))
        else:
            topic, key, value = _WIRE[type(output)](output)
            messages.setdefault(topic, []).append((key.encode(), _encode(value)))
    if validated:
        messages[topics.VALIDATED.name] = validated
    return messages


def _late_event(output: said.LateEvent) -> tuple[str, str, LateEvent]:
    raw = output.reading
    return (
        topics.LATE_EVENTS.name,
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


def _gap_alert(output: said.GapAlert) -> tuple[str, str, GapAlert]:
    return (
        topics.GAP_ALERTS.name,
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
            interval_minutes=output.interval // MINUTE,
            expected_at=instant_text(output.expected_at),
            detected_at=instant_text(output.detected_at),
            last_seen=instant_text(output.last_seen),
            grace_seconds=output.grace / SECOND,
            reason=output.reason,
            region=output.region,
            partition=output.partition,
            offset=output.offset,
        ),
    )


def _metric(output: said.Metric) -> tuple[str, str, Metric]:
    name, value, start, end, revision, partition = output
    window = instant_text(start)
    metric_id = output.id
    record = Metric(
        metric_id, name, value, window, instant_text(end), revision, "event", partition, _NO_LABELS
    )
    return topics.METRICS.name, metric_id, record


def _dead_letter(output: said.DeadLetter) -> tuple[str, str, DeadLetter]:
    text, encoding = raw_text(output.raw)
    letter_id = output.id(topics.RAW.name)
    return (
        topics.DEAD_LETTERS.name,
        letter_id,
        DeadLetter(
            id=letter_id,
            reasons=list(output.reasons),
            message=output.message,
            field=output.field,
            raw=text,
            raw_encoding=encoding,  # type: ignore[arg-type]
            raw_size=len(output.raw),
            raw_truncated=len(output.raw) > RAW_KEPT_BYTES,
            topic=topics.RAW.name,
            partition=output.partition,
            offset=output.offset,
            index=output.index,
            record_timestamp=instant_text(output.record_timestamp),
            meter_id=output.meter_id,
        ),
    )


def raw_text(raw: bytes) -> tuple[str, str]:
    """The first RAW_KEPT_BYTES of a refused record as (text, "utf-8"), or as (text, "base64") where they
    are not UTF-8 or hold a NUL, which no text column takes."""
    kept = raw[:RAW_KEPT_BYTES]
    try:
        # Cutting may have split the last character; an error further inside is the record's own.
        text = kept.decode() if len(raw) <= RAW_KEPT_BYTES else _decode_cut(kept)
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        return base64.b64encode(kept).decode(), "base64"
    return text, "utf-8"


def _decode_cut(kept: bytes) -> str:
    try:
        return kept.decode()
    except UnicodeDecodeError as error:
        if error.start >= len(kept) - 3:
            return kept[: error.start].decode()
        raise


_WIRE: dict[type, Any] = {
    said.LateEvent: _late_event,
    said.GapAlert: _gap_alert,
    said.Metric: _metric,
    said.DeadLetter: _dead_letter,
}
