"""Guesses at fields: why a JSON object is not a valid reading, and what its producer can do about it.

Only called for fields that ``validation`` has found at fault. Another name or an envelope is pointed out,
never accepted: a value from the wrong field would be a silently wrong number. A guess follows the finding it
is about, is given once for all findings it fits, and all of them together are at most ``MAX_GUESS``
characters long. They are ASCII: of names in the record, only plain ones are quoted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from math import isfinite, isinf
from typing import Any, Final

from gridwatch.domain.validation.binary_guesses import HEAD
from gridwatch.domain.validation.guesses import MAX_GUESS, kind_of
from gridwatch.domain.validation.stamp_guesses import of_stamp

PARTITIONER: Final = "key it by meter_id with murmur2 (librdkafka: partitioner=murmur2_random)"
"""What a producer does whose readings come in the wrong partition."""
MAX_NAMES: Final = 100
"""How many names of an object are examined."""
#: Other names, in small letters without separators, the likeliest first.
_NAMES: Final = {
    "meter_id": (
        *("meterid", "meter", "meternumber", "meterno", "metername", "meterserial", "serialnumber", "serial"),
        *("deviceid", "device", "sensorid", "mpan", "nmi", "ean", "lclid", "id"),
    ),
    "timestamp": (
        *("timestamp", "ts", "time", "datetime", "eventtime", "readingtime", "readat", "measuredat"),
        *("timestampms", "tsms", "timestamputc", "epoch", "tstp", "date"),
    ),
    "consumption_kwh": (
        *("consumptionkwh", "kwh", "energykwh", "usagekwh", "valuekwh", "kwhhh", "energyconsumption"),
        *("consumption", "energy", "usage", "value", "reading", "wh", "energywh", "consumptionwh"),
    ),
}
_ENVELOPES: Final = (
    *("payload", "data", "message", "body", "value", "record", "records", "reading", "readings", "event"),
    *("detail", "after", "Message"),
)
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9_.@$ -]{1,40}")
_SEPARATORS: Final = re.compile(r"[_.@$ -]+")
_NUMBER: Final = re.compile(r"\s*[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?\s*")
_COMMA: Final = re.compile(r"\s*[+-]?[0-9]+,[0-9]+\s*")
_GROUPED: Final = re.compile(r"\s*[+-]?[0-9]{1,3}(?:[ .,'][0-9]{3})+(?:[.,][0-9]+)?\s*")
_UNIT: Final = re.compile(r"\s*[+-]?[0-9]+(?:[.,][0-9]+)?\s*[A-Za-z%]{1,4}\s*")
_NOTHING: Final = ("", "-", "n/a", "na", "nan", "null", "none", "nil", "missing", "inf", "infinity")


def explained(found: Sequence[tuple[int, str, str]], fields: dict[str, Any]) -> str:
    """The messages of the findings (rank, field, message), each followed by a guess where there is one."""
    parts: list[str] = []
    guesses: set[str] = set()
    room = MAX_GUESS
    for _, name, message in found:
        guess = of_field(name, fields)
        parts.append(message)
        if guess and guess not in guesses and len(guess) + 2 <= room:
            guesses.add(guess)
            parts.append(guess)
            room -= len(guess) + 2
    return "; ".join(parts)


def of_field(name: str, fields: dict[str, Any]) -> str:
    """A guess at one field of ``fields`` that was found at fault; empty if there is none."""
    value = fields.get(name)
    if value is None:
        return of_envelope(fields) or _of_missing(name, fields)
    if name == "timestamp":
        return of_stamp(value)
    if name in ("meter_id", "region", "sent_at"):
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return f"is {kind_of(value)}: send it in quotes" if number else ""
    return "" if name == "flags" else _of_number(name, value)


def of_envelope(fields: dict[str, Any]) -> str:
    """A guess at the envelope that holds the reading; empty if ``fields`` does not look like one."""
    if "schema" in fields and "payload" in fields:
        return "looks like Kafka Connect JSON with its schema: set value.converter.schemas.enable=false"
    if "op" in fields and ("after" in fields or "before" in fields):
        return "looks like a Debezium change event: unwrap it (transform ExtractNewRecordState)"
    if "specversion" in fields:
        return "looks like a CloudEvent in structured mode: send its data alone (binary mode)"
    flat = any(fields.get(name) is not None for name in _NAMES)
    for name, value in islice(fields.items(), MAX_NAMES):
        inner = value[0] if isinstance(value, list) and value else value
        holds = not flat and name in _ENVELOPES and isinstance(inner, (dict, str))
        if isinstance(inner, str):
            holds = holds and inner[:HEAD].lstrip().startswith("{")
        elif isinstance(inner, dict):
            holds = holds or any(inner.get(field) is not None for field in _NAMES)
        if holds:
            at = f"`{name}`" if _PLAIN_NAME.fullmatch(name) else "a field"
            return f"the reading seems to be inside {at}: send one flat object with all its fields"
    return ""


def _of_missing(name: str, fields: dict[str, Any]) -> str:
    known = _NAMES.get(name, ())
    best, other = len(known), ""
    for key, value in islice(fields.items(), MAX_NAMES):
        if value is None or key in _NAMES or not _PLAIN_NAME.fullmatch(key):
            continue
        plain = _SEPARATORS.sub("", key).lower()
        if plain in known and known.index(plain) < best:
            best, other = known.index(plain), key
    if other:
        unit = ", in kWh" if name == "consumption_kwh" else ""
        return f"did you mean `{other}`? Only {name} is read{unit}"
    return "it is null" if name in fields else ""


def _of_number(name: str, value: Any) -> str:
    if isinstance(value, str):
        return _of_numeral(name, value[:60])
    if isinstance(value, (bool, list)):
        return ""
    if isinstance(value, dict):
        return "send the number itself" if "value" in value else ""
    if not isfinite(value):
        what = "beyond any number" if isinf(value) else "NaN, which is not JSON"
        return f"is {what}: {_leave_out(name)}"
    if name == "consumption_kwh" and value > 0:
        return "watt-hours, or the meter's register? Send the kWh used in the interval"
    return ""


def _of_numeral(name: str, text: str) -> str:
    if _NUMBER.fullmatch(text):
        return "send the number without quotes"
    if _COMMA.fullmatch(text):
        or_groups = ", or digits in groups" if _GROUPED.fullmatch(text) else ""
        return f"a decimal comma{or_groups}? Send the number with a decimal point and without quotes"
    if _GROUPED.fullmatch(text):
        return "digits in groups? Send the number without them and without quotes"
    if text.strip().lower() in _NOTHING:
        return f"it stands for no value: {_leave_out(name)}"
    if _UNIT.fullmatch(text):
        return "a number with its unit? Send the number alone, without quotes"
    return ""


def _leave_out(name: str) -> str:
    return "leave out the reading" if name == "consumption_kwh" else "leave out the field"
