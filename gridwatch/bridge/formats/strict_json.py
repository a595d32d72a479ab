"""JSON as the decoders read it: strict, and with numbers as they are written.

Refused are bytes that are not UTF-8, keys that occur twice (of two values one would be lost silently), NaN
and numbers beyond a double, and nesting deeper than `MAX_DEPTH`. Whole numbers become int, others Decimal,
so that a unit can be converted without an error of binary fractions.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from math import isfinite
from typing import Any, Final, NoReturn

from gridwatch.bridge.formats.problems import DUPLICATE_KEY, EMPTY, TOO_DEEP, malformed
from gridwatch.domain.validation.findings import BAD_VALUE, NOT_AN_OBJECT, NOT_FINITE, NOT_JSON, NOT_UTF8
from gridwatch.domain.validation.guesses import kind_of

MAX_DEPTH: Final = 32
"""Objects and arrays within each other."""
MAX_DIGITS: Final = 64
"""A number with more characters is rounded to a double: exact arithmetic with a million digits takes long."""

NUMBER: Final = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?")
"""A number as text."""
_SURROGATE: Final = re.compile(f"[{chr(0xD800)}-{chr(0xDFFF)}]")


def text_of(payload: bytes) -> str:
    """The text of a payload, without blanks around it. `Malformed` if it is empty or not UTF-8."""
    try:
        text = payload.decode().strip()
    except UnicodeDecodeError as error:
        at = error.start
        raise malformed(NOT_UTF8, f"byte {at} of the payload is not UTF-8: publish text in UTF-8") from None
    if not text:
        what = "the payload is empty, as when a retained message is deleted: publish a measurement"
        raise malformed(EMPTY, what)
    if "\x00" in text:
        raise malformed(BAD_VALUE, "the payload has a NUL, the end of a C string: publish it without")
    return text


def number_in(text: str) -> int | Decimal | None:
    """The number that a text is, all of it; None if it is none, or is beyond a double."""
    if not NUMBER.fullmatch(text) or not isfinite(float(text)):
        return None
    return _decimal(text) if re.search("[.eE]", text) else _whole(text)


def parse(payload: bytes) -> Any:
    """The JSON value of a payload."""
    text = text_of(payload)
    try:
        value = _JSON.decode(text)
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        raise malformed(NOT_JSON, f"the payload is not JSON ({error}): publish one JSON value") from None
    _check(value)
    return value


def members_of(payload: bytes) -> dict[str, Any]:
    """The members of the JSON object that a payload is."""
    value = parse(payload)
    if not isinstance(value, dict):
        what = (
            f"the payload is {kind_of(value)}: publish a JSON object, or choose another format for the rule"
        )
        raise malformed(NOT_AN_OBJECT, what)
    return value


def plain(value: Any) -> Any:
    """A parsed value with numbers that every JSON encoder can write: int of 64 bits, and float."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return float(value)
    return value


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for key, value in pairs:
        if key in members:
            raise malformed(DUPLICATE_KEY, f"{key!r:.60} occurs twice in one object: publish it once", key)
        members[key] = value
    return members


def _whole(text: str) -> int:
    if not isfinite(float(text)):
        _constant(text)
    return int(text) if len(text) <= MAX_DIGITS else int(float(text))


def _decimal(text: str) -> Decimal:
    if not isfinite(number := float(text)):
        _constant(text)
    return Decimal(text) if len(text) <= MAX_DIGITS and number else Decimal(repr(number))


def _constant(text: str) -> NoReturn:
    raise malformed(NOT_FINITE, f"{text[:20]} is no finite number: leave the member out if there is no value")


def _check(value: Any) -> None:
    """Refuse what is nested too deep, and text that cannot be written again."""
    depth, level = 0, [value]
    while level:
        if depth == MAX_DEPTH and any(isinstance(one, dict | list) for one in level):
            raise _too_deep()
        below: list[Any] = []
        for one in level:
            if isinstance(one, str):
                _check_text(one)
            elif isinstance(one, dict):
                for key in one:
                    _check_text(key)
                below += one.values()
            elif isinstance(one, list):
                below += one
        depth, level = depth + 1, below


def _check_text(text: str) -> None:
    if _SURROGATE.search(text):
        raise malformed(NOT_UTF8, "a text has half of a surrogate pair: publish whole characters")
    if "\x00" in text:
        raise malformed(BAD_VALUE, "a text has a NUL, the end of a C string: publish it without")


def _too_deep() -> Exception:
    return malformed(TOO_DEEP, f"the JSON is nested deeper than {MAX_DEPTH} levels: publish a flatter object")


_JSON: Final = json.JSONDecoder(
    object_pairs_hook=_members, parse_int=_whole, parse_float=_decimal, parse_constant=_constant
)
