"""Validation: what makes a record a valid reading, and every reason to reject it.

A record is a JSON object, or an array of objects, in UTF-8. Each element is validated by itself: an invalid
one becomes a dead letter with every reason found, the others are processed. A record that cannot be decoded
(too large, not UTF-8, not JSON, no object in it) is one dead letter. Unknown fields are ignored; optional
ones may be null.

Whether a reading is valid is asked millions of times, why it is not only now and then. ``is_sound`` answers
the first for a reading that a fast decoder made, ``check`` the second from the JSON itself. They must agree;
where a decoder was stricter than these rules, ``check`` decides.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from gridwatch.domain.calendar import Calendar, is_zone
from gridwatch.domain.instants import parse_instant
from gridwatch.domain.partitioning import partition_of
from gridwatch.domain.policy import Policy
from gridwatch.domain.reading import STREAM_FLAGS, OpenedReading, RawReading, Reading
from gridwatch.domain.spans import interval_named
from gridwatch.domain.validation import binary_guesses, field_guesses, guesses
from gridwatch.domain.validation.energy_fields import check_energy, has_energy
from gridwatch.domain.validation.findings import (
    BAD_INTERVAL,
    BAD_METER_ID,
    BAD_TIMESTAMP,
    FUTURE_TIMESTAMP,
    MISSING_FIELD,
    NOT_AN_OBJECT,
    NOT_JSON,
    NOT_UTF8,
    OUT_OF_RANGE,
    TOO_LARGE,
    UNKNOWN_TYPE,
    UNKNOWN_ZONE,
    WRONG_PARTITION,
    Findings,
    Refusal,
    check_number,
)
from gridwatch.domain.validation.intervals import allowed_intervals, given_interval, interval_of

REQUIRED: Final = ("meter_id", "timestamp")
MEASURES: Final = ("voltage", "current", "power_kw", "power_factor", "frequency")
TEXTS: Final = ("region", "sent_at")
MAX_CODES: Final = 16
"""Quality codes that a reading may have, each of at most ``MAX_CODE`` characters."""
MAX_CODE: Final = 64

_BLANK: Final = re.compile("[ \t\n\r]*")
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f]")
_UNWRITABLE: Final = re.compile(f"[\x00{chr(0xD800)}-{chr(0xDFFF)}]")


def _whole(digits: str) -> int | float:
    # int() raises on thousands of digits; beyond a double's range the number is not finite for us anyway.
    return int(digits) if len(digits) <= 300 else float(digits)


_JSON: Final = json.JSONDecoder(parse_int=_whole)


def open_record(value: bytes | None, policy: Policy) -> Any | Refusal:
    """The JSON of a record: an object, or a list of at least one element; or why it cannot be decoded."""
    if value and len(value) > policy.max_record_bytes:
        size = f"{len(value)} bytes, at most {policy.max_record_bytes} are allowed"
        return Refusal((TOO_LARGE,), size, None)
    if not value:
        return Refusal((NOT_JSON,), guesses.of_nothing(value), None)
    try:
        content = _JSON.decode(value.decode())
    except UnicodeDecodeError as error:
        return Refusal((NOT_UTF8,), str(error) + binary_guesses.of_bytes(value), None)
    except (ValueError, RecursionError) as error:
        return Refusal((NOT_JSON,), (str(error) or "not JSON") + guesses.of_text(value, error), None)
    if isinstance(content, dict) or (isinstance(content, list) and content):
        return content
    what = guesses.kind_of(content) + guesses.of_content(content)
    return Refusal((NOT_AN_OBJECT,), f"expected an object or an array of objects, not {what}", None)


def element_texts(value: bytes) -> list[bytes]:
    """The text of each element of the JSON array ``value``, as it stands there."""
    text = value.decode()
    texts = []
    at = _after_blank(text, text.index("[") + 1)
    while True:
        _, stop = _JSON.raw_decode(text, at)
        texts.append(text[at:stop].encode())
        at = _after_blank(text, stop)
        if text[at] == "]":
            return texts
        at = _after_blank(text, at + 1)  # past the comma


def _after_blank(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at


def is_sound(raw: RawReading, time: int, latest: int, policy: Policy) -> bool:
    """Whether ``raw``, whose stamp is ``time``, is valid, apart from its meter id."""
    return (
        time <= latest
        and has_energy(raw, policy)
        and (raw.interval_minutes is None or interval_of(raw.interval_minutes * 60, policy) is not None)
        and (raw.interval_seconds is None or interval_of(raw.interval_seconds, policy) is not None)
        and (raw.region is None or _UNWRITABLE.search(raw.region) is None)
        and (raw.sent_at is None or _UNWRITABLE.search(raw.sent_at) is None)
        and (raw.flags is None or are_codes(raw.flags))
    )


def are_codes(codes: list[str]) -> bool:
    """Whether ``codes`` are allowed among the flags of a reading: few, short, and none of them ours."""
    return len(codes) <= MAX_CODES and all(
        0 < len(code) <= MAX_CODE and code not in STREAM_FLAGS and not _UNWRITABLE.search(code)
        for code in codes
    )


def is_meter_id(meter_id: str, policy: Policy) -> bool:
    """Whether ``meter_id`` is a valid meter id."""
    if not meter_id or _CONTROL.search(meter_id) or _UNWRITABLE.search(meter_id):
        return False
    return len(meter_id.encode()) <= policy.max_meter_id_bytes


def check(fields: Any, partition: int, record_time: int, policy: Policy) -> Reading | Refusal:
    """Validate one element of a record of ``partition``, stamped ``record_time`` by Kafka."""
    if not isinstance(fields, dict):
        what = guesses.kind_of(fields) + guesses.of_content(fields)
        return Refusal((NOT_AN_OBJECT,), f"expected an object, not {what}", None)
    found = Findings()
    for name in REQUIRED:
        if fields.get(name) is None:
            found.add(MISSING_FIELD, name, "is missing")
    meter_id = fields.get("meter_id")
    known: str | None = None
    if isinstance(meter_id, str) and is_meter_id(meter_id, policy):
        known = meter_id
        if partition_of(known, policy.partitions) != partition:
            at = f"{partition} instead of {partition_of(known, policy.partitions)}"
            found.add(WRONG_PARTITION, "meter_id", f"is in partition {at}: {field_guesses.PARTITIONER}")
    elif meter_id is not None:
        allowed = f"1 to {policy.max_meter_id_bytes} bytes of text without control characters"
        found.add(BAD_METER_ID, "meter_id", f"must be {allowed}")
    time, ambiguous = _check_stamp(fields.get("timestamp"), record_time, policy, found)
    kwh, register = check_energy(fields, policy, found)
    minutes = _check_interval(fields, "interval_minutes", 60, policy, found)
    seconds = _check_interval(fields, "interval_seconds", 1, policy, found)
    named, calendar = _check_named_interval(fields, policy, found)
    measures: dict[str, Any] = {name: check_number(fields, name, found) for name in MEASURES}
    for name in TEXTS:
        text = fields.get(name)
        if text is not None and (not isinstance(text, str) or _UNWRITABLE.search(text)):
            found.add(UNKNOWN_TYPE, name, "must be text")
    codes = _check_codes(fields.get("flags"), found)
    if found or time is None or known is None:
        return found.refusal(known, fields)
    texts: dict[str, Any] = {name: fields.get(name) for name in TEXTS}
    measures |= {"interval_minutes": minutes, "interval_seconds": seconds, "energy_register_kwh": register}
    raw = OpenedReading(known, fields["timestamp"], kwh, flags=codes, **texts, **measures)
    given = given_interval(seconds, minutes, policy) if named is None else named
    return Reading(raw, time, given, ambiguous, calendar)


def _check_stamp(stamp: Any, record_time: int, policy: Policy, found: Findings) -> tuple[int | None, bool]:
    if stamp is None:
        return None, False
    try:
        if not isinstance(stamp, str):
            raise ValueError("must be text")
        time, ambiguous = parse_instant(stamp, policy.timezone)
    except ValueError as error:
        found.add(BAD_TIMESTAMP, "timestamp", str(error))
        return None, False
    if time > record_time + policy.max_future_skew:
        ahead = (time - record_time) / 1_000_000
        found.add(FUTURE_TIMESTAMP, "timestamp", f"is {ahead:g} s after its record")
    return time, ambiguous


def _check_interval(fields: Any, name: str, unit: int, policy: Policy, found: Findings) -> float | None:
    """A given interval, in units of so many seconds."""
    value = check_number(fields, name, found)
    if value is not None and interval_of(value * unit, policy) is None:
        found.add(OUT_OF_RANGE, name, f"must be {allowed_intervals(policy)}, not {value:g}")
    return value


def _check_named_interval(fields: Any, policy: Policy, found: Findings) -> tuple[int | None, Calendar | None]:
    """An interval given as text, such as ``1d`` of a ``timezone``."""
    text, zone = fields.get("interval"), fields.get("timezone")
    if text is None:
        return None, None
    if zone is not None and not (isinstance(zone, str) and is_zone(zone)):
        found.add(UNKNOWN_ZONE, "timezone", f"is no known time zone: {str(zone)[:40]!r}")
        return None, None
    try:
        if not isinstance(text, str):
            raise ValueError(f"must be text, not {guesses.kind_of(text)}")
        return interval_named(text, zone or policy.timezone, policy.min_interval, policy.max_interval)
    except (ValueError, OverflowError) as error:
        found.add(BAD_INTERVAL, "interval", f"is no interval: {error}")
    return None, None


def _check_codes(codes: Any, found: Findings) -> list[str] | None:
    if codes is None:
        return None
    if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
        found.add(UNKNOWN_TYPE, "flags", "must be a list of texts")
    elif not are_codes(codes):
        allowed = f"at most {MAX_CODES} codes of 1 to {MAX_CODE} characters, none of them gridwatch's own"
        found.add(OUT_OF_RANGE, "flags", f"must be {allowed}")
    else:
        return codes
    return None
