"""The columns of each table's rows, as COPY text, from the records of its topic.

One function a topic, in the order of the table's columns (`sinks/schema.py`).
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

import msgspec

from gridwatch.models.dead_letter import DeadLetter
from gridwatch.models.gap_alert import GapAlert
from gridwatch.models.late_event import LateEvent
from gridwatch.models.metric import Metric
from gridwatch.models.validated import Validated
from sinks.copy_text import (
    arrays,
    booleans,
    documents,
    instants,
    numbers,
    optional_numbers,
    optional_texts,
    texts,
)

#: Name of a column → the COPY text of each row's value.
Columns = dict[str, list[str]]


def validated(records: Sequence[Validated]) -> Columns:
    """Of `validated_readings`."""
    return {
        "time": instants([r.timestamp for r in records]),
        "meter_id": texts([r.meter_id for r in records]),
        "consumption_kwh": numbers([r.consumption_kwh for r in records]),
        "status": [r.status for r in records],
        "delay_seconds": numbers([r.delay_seconds for r in records]),
        "flags": arrays([r.flags for r in records]),
        "interval_minutes": numbers([r.interval_minutes for r in records]),
        "region": optional_texts([r.region for r in records]),
        "voltage": optional_numbers([r.voltage for r in records]),
        "current": optional_numbers([r.current for r in records]),
        "power_kw": optional_numbers([r.power_kw for r in records]),
        "power_factor": optional_numbers([r.power_factor for r in records]),
        "frequency": optional_numbers([r.frequency for r in records]),
        **_origin(records),
        "id": texts([r.id for r in records]),
        "watermark": instants([r.watermark for r in records]),
        "sent_at": optional_texts([r.sent_at for r in records]),
    }


def _origin(records: Sequence[Validated] | Sequence[LateEvent]) -> Columns:
    return {
        "source_partition": numbers([r.partition for r in records]),
        "source_offset": numbers([r.offset for r in records]),
        "source_index": numbers([r.index for r in records]),
    }


def gap_alerts(records: Sequence[GapAlert]) -> Columns:
    """Of `gap_alerts`; `time` is the first missing slot."""
    return {
        "time": instants([r.missing_from for r in records]),
        "gap_id": texts([r.gap_id for r in records]),
        "meter_id": texts([r.meter_id for r in records]),
        "revision": numbers([r.revision for r in records]),
        "state": [r.state for r in records],
        "missing_from": instants([r.missing_from for r in records]),
        "missing_to": instants([r.missing_to for r in records]),
        "missing_intervals": numbers([r.missing_intervals for r in records]),
        "filled_intervals": numbers([r.filled_intervals for r in records]),
        "missing_ranges": documents([r.missing_ranges for r in records]),
        "gap_minutes": numbers([r.gap_minutes for r in records]),
        "interval_minutes": numbers([r.interval_minutes for r in records]),
        "expected_at": instants([r.expected_at for r in records]),
        "detected_at": instants([r.detected_at for r in records]),
        "last_seen": instants([r.last_seen for r in records]),
        "grace_seconds": numbers([r.grace_seconds for r in records]),
        "reason": texts([r.reason for r in records]),
        "region": optional_texts([r.region for r in records]),
        "source_partition": numbers([r.partition for r in records]),
        "source_offset": numbers([r.offset for r in records]),
    }


def late_events(records: Sequence[LateEvent]) -> Columns:
    """Of `late_events`."""
    return {
        "time": instants([r.timestamp for r in records]),
        "meter_id": texts([r.meter_id for r in records]),
        "consumption_kwh": numbers([r.consumption_kwh for r in records]),
        "delay_seconds": numbers([r.delay_seconds for r in records]),
        "allowed_lateness_seconds": numbers([r.allowed_lateness_seconds for r in records]),
        "flags": arrays([r.flags for r in records]),
        "watermark": instants([r.watermark for r in records]),
        **_origin(records),
        "id": texts([r.id for r in records]),
    }


def metrics(records: Sequence[Metric]) -> Columns:
    """Of `metrics`; `time` is the start of the window."""
    return {
        "time": instants([r.window_start for r in records]),
        "window_end": instants([r.window_end for r in records]),
        "metric": texts([r.metric for r in records]),
        "value": numbers([r.value for r in records]),
        "scope": [r.scope for r in records],
        "partition": numbers([r.partition for r in records]),
        "revision": numbers([r.revision for r in records]),
        "labels": documents([r.labels for r in records]),
        "id": texts([r.id for r in records]),
    }


def dead_letters(records: Sequence[DeadLetter]) -> Columns:
    """Of `dead_letters`; `time` is that of the Kafka record."""
    records = [_storable(r) for r in records]
    return {
        "time": instants([r.record_timestamp for r in records]),
        "id": texts([r.id for r in records]),
        "reasons": arrays([r.reasons for r in records]),
        "message": texts([r.message for r in records]),
        "field": optional_texts([r.field for r in records]),
        "raw": texts([r.raw for r in records]),
        "raw_encoding": [r.raw_encoding for r in records],
        "raw_size": numbers([r.raw_size for r in records]),
        "raw_truncated": booleans([r.raw_truncated for r in records]),
        "topic": texts([r.topic for r in records]),
        "partition": numbers([r.partition for r in records]),
        "offset": numbers([r.offset for r in records]),
        "index": numbers([r.index for r in records]),
        "meter_id": optional_texts([r.meter_id for r in records]),
    }


def _storable(letter: DeadLetter) -> DeadLetter:
    """The same letter without NUL, which PostgreSQL's text cannot hold: raw as base64, the rest visible."""
    texts_of_it = (letter.raw, letter.message, letter.field or "", letter.meter_id or "")
    if not any("\0" in value for value in texts_of_it):
        return letter
    changes: dict[str, str] = {
        name: value.replace("\0", "\ufffd")
        for name in ("message", "field", "meter_id")
        if (value := getattr(letter, name)) is not None
    }
    if "\0" in letter.raw:
        changes |= {"raw": base64.b64encode(letter.raw.encode()).decode(), "raw_encoding": "base64"}
    return msgspec.structs.replace(letter, **changes)
