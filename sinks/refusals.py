"""Dead letters of the sink's own: records that it cannot read, and rows that the database refuses.

They are produced to the dead letter topic, under the partition of the record they are about, and the sink
stores them from there. A letter about a *dead letter* that the table refused is written straight to the
table, so that there is no endless loop; every field of it is made to fit.
"""

from __future__ import annotations

import re

import msgspec

from gridwatch.codecs.wire import RAW_MAX_BYTES, raw_text
from gridwatch.domain.instants import format_instant
from gridwatch.models.dead_letter import DeadLetter
from sinks.rows import SourceRecord

_MESSAGE_CHARACTERS = 2000

_FIELD = re.compile(r"at `\$\.?([^`]*)`")
_MISSING = re.compile(r"missing required field `([^`]*)`")


def unreadable(source: SourceRecord, error: Exception) -> DeadLetter:
    """A dead letter about a record that does not decode as its topic's model."""
    text = str(error)
    field = None
    if not _is_utf8(source.value or b""):
        reason = "NOT_UTF8"
    elif not isinstance(error, msgspec.ValidationError):
        reason = "NOT_JSON"
    elif missing := _MISSING.search(text):
        reason, field = "MISSING_FIELD", missing[1]
    elif at := _FIELD.search(text):
        reason, field = "UNKNOWN_TYPE", at[1]
    else:
        reason = "NOT_AN_OBJECT"
    return _about(source, reason, f"not a record of {source.topic}: {text}", field)


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def refused(source: SourceRecord, error: str) -> DeadLetter:
    """A dead letter about a record whose row the database refuses."""
    return _about(source, "REFUSED_BY_DATABASE", error, None)


def _about(source: SourceRecord, reason: str, message: str, field: str | None) -> DeadLetter:
    value = source.value or b""
    raw, encoding = raw_text(value)
    return DeadLetter(
        id=f"{source.topic}-{source.partition}-{source.offset}-0",
        reasons=[reason],
        message=message.replace("\0", "\ufffd")[:_MESSAGE_CHARACTERS],
        field=field,
        raw=raw,
        raw_encoding=encoding,  # type: ignore[arg-type]
        raw_size=len(value),
        raw_truncated=len(value) > RAW_MAX_BYTES,
        topic=source.topic,
        partition=source.partition,
        offset=source.offset,
        index=0,
        record_timestamp=format_instant(max(0, source.timestamp) * 1000),
        meter_id=None,
    )
