"""What the domain says, as bytes for the topics: the one place where outputs become JSON."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import msgspec

from gridwatch import topics
from gridwatch.domain import outputs as said
from gridwatch.domain.instants import format_instant
from gridwatch.domain.policy import MINUTE, SECOND
from gridwatch.models.dead_letter import DeadLetter
from gridwatch.models.gap_alert import GapAlert
from gridwatch.models.late_event import LateEvent
from gridwatch.models.metric import Metric
from gridwatch.models.validated import Validated

#: Of a refused record this many bytes are kept.
RAW_KEPT_BYTES = 64 * 1024

_encode = msgspec.json.Encoder().encode
#: Most readings share their stamps, and all outputs of a step their watermark.
_instant = lru_cache(maxsize=8192)(format_instant)

Message = tuple[bytes, bytes]


def encode_outputs(outputs: Iterable[said.Output]) -> dict[str, list[Message]]:
    """(key, value) messages by topic name, in the order in which they were said."""
    messages: dict[str, list[Message]] = {}
    for output in outputs:
        topic, key, record = _WIRE[type(output)](output)
        messages.setdefault(topic, []).append((key.encode(), _encode(record)))
    return messages


def _validated(output: said.Validated) -> tuple[str, str, Validated]:
    raw = output.reading
    return (
        topics.VALIDATED.name,
        raw.meter_id,
        Validated(
            output.id,
            raw.meter_id,
            _instant(output.time),
            raw.consumption_kwh,
            output.interval // MINUTE,
            output.status,  # type: ignore[arg-type]
            output.delay / SECOND,
            output.flags,  # type: ignore[arg-type]
            _instant(output.watermark),
            output.partition,
            output.offset,
            output.index,
            raw.region,
            raw.voltage,
            raw.current,
            raw.power_kw,
            raw.power_factor,
            raw.frequency,
            raw.sent_at,
        ),
    )


def _late_event(output: said.LateEvent) -> tuple[str, str, LateEvent]:
    raw = output.reading
    return (
        topics.LATE_EVENTS.name,
        raw.meter_id,
        LateEvent(
            id=output.id,
            meter_id=raw.meter_id,
            timestamp=_instant(output.time),
            consumption_kwh=raw.consumption_kwh,
            delay_seconds=output.delay / SECOND,
            watermark=_instant(output.watermark),
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
            missing_from=_instant(output.missing_from),
            missing_to=_instant(output.missing_to),
            missing_intervals=output.missing_intervals,
            missing_ranges=[(_instant(a), _instant(b)) for a, b in output.missing_ranges],
            filled_intervals=output.filled_intervals,
            gap_minutes=output.gap_time / MINUTE,
            interval_minutes=output.interval // MINUTE,
            expected_at=_instant(output.expected_at),
            detected_at=_instant(output.detected_at),
            last_seen=_instant(output.last_seen),
            grace_seconds=output.grace / SECOND,
            reason=output.reason,
            region=output.region,
            partition=output.partition,
            offset=output.offset,
        ),
    )


def _metric(output: said.Metric) -> tuple[str, str, Metric]:
    return (
        topics.METRICS.name,
        output.id,
        Metric(
            id=output.id,
            metric=output.metric,
            value=output.value,
            window_start=_instant(output.window_start),
            window_end=_instant(output.window_end),
            revision=output.revision,
            scope="event",
            partition=output.partition,
            labels={},
        ),
    )


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
            record_timestamp=_instant(output.record_timestamp),
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
    said.Validated: _validated,
    said.LateEvent: _late_event,
    said.GapAlert: _gap_alert,
    said.Metric: _metric,
    said.DeadLetter: _dead_letter,
}
