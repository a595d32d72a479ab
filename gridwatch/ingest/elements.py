"""The readings of a body, as the bytes of each: a JSON array, an object with one in `readings`, or NDJSON.

Nothing is interpreted here but the outermost brackets and the names of members: a member that is there twice
has two values, and no reader could know which one is meant.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from gridwatch.domain.validation.findings import NOT_AN_OBJECT, NOT_JSON, NOT_UTF8, Refusal
from gridwatch.domain.validation.rules import element_texts

DUPLICATE_KEY: Final = "DUPLICATE_KEY"
"""The reason for an element with a member that is there twice."""

#: Most readings of one request.
MOST_READINGS: Final = 5000
#: Most values in them all, by the characters that part values. Each is an object in memory while a body is
#: decoded, and takes microseconds, in which nobody else is served.
MOST_VALUES: Final = 50 * MOST_READINGS

_NO_READINGS: Final = "expected an array of readings, or an object with one in `readings`"

Element = bytes | Refusal


class Elements(NamedTuple):
    """The elements of a body in their order.

    unique: no member of any of them is there twice; False: each has to be looked at.
    """

    items: list[Element]
    unique: bool


class Unreadable(Exception):
    """A body without elements: why, in words."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class TooMany(Exception):
    """A body with more elements, or more values in them, than allowed."""


class _Envelope(msgspec.Struct):
    readings: list[msgspec.Raw]


_decode_array: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_envelope: Final = msgspec.json.Decoder(_Envelope).decode
_decode_members: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_DECODER: Final = json.JSONDecoder(parse_int=float)
_SPACES: Final = b" \t\r\n"
_SPACED_COLONS: Final = (b" :", b"\t:", b"\n:", b"\r:")


def elements_of(body: bytes, *, lines: bool, most: int = MOST_READINGS) -> Elements:
    """The elements of a body, at least one. Unreadable or TooMany when it has none that can be read.

    lines: it is NDJSON, one element a line; a line that is not JSON is refused by itself.
    """
    parting = (b",", b"[", b"{", b"\n" if lines else b"[")
    if len(body) > MOST_VALUES and sum(map(body.count, parting)) > MOST_VALUES:
        raise TooMany(f"more than {MOST_VALUES:,} values: send smaller batches")
    texts = [line for line in body.split(b"\n") if line.strip(_SPACES)] if lines else _array(body)
    if not texts:
        raise Unreadable("EMPTY", "there is no reading in the body")
    if len(texts) > most:
        raise TooMany(f"{len(texts):,} readings, at most {most:,} are allowed in one request")
    found = list(map(_line, texts)) if lines else list[Element](texts)
    return Elements(found, _are_unique(body, found))


def _are_unique(body: bytes, elements: Sequence[Element]) -> bool:
    """Whether every member of all elements is certainly there once.

    Every member has a quote and a colon after its name, unless there is a space between them; so may a text
    have. If there are no more of them than different names, none is there twice.
    """
    if any(spaced in body for spaced in _SPACED_COLONS):
        return False
    try:
        names = sum([len(_decode_members(one)) for one in elements if isinstance(one, bytes)])
    except (msgspec.MsgspecError, RecursionError):
        return False
    return body.count(b'":') == names


def _line(line: bytes) -> Element:
    line = line.strip(_SPACES)
    try:
        _DECODER.decode(line.decode())
    except UnicodeDecodeError as error:
        return Refusal((NOT_UTF8,), str(error), None)
    except (ValueError, RecursionError) as error:
        return Refusal((NOT_JSON,), f"not JSON: {error}", None)
    return line


def _array(body: bytes) -> list[bytes]:
    enveloped = body.lstrip(_SPACES)[:1] == b"{"
    try:
        if not body.isascii():
            body.decode()
        raws = _decode_envelope(body).readings if enveloped else _decode_array(body)
        return [bytes(raw) for raw in raws]
    except UnicodeDecodeError as error:
        raise Unreadable(NOT_UTF8, f"the body is not UTF-8: {error}") from error
    except msgspec.ValidationError as error:
        raise Unreadable(NOT_AN_OBJECT, f"{_NO_READINGS}: {error}") from error
    except RecursionError as error:
        raise Unreadable(NOT_JSON, f"the body is not JSON that can be read: {error}") from error
    except msgspec.DecodeError:
        return _scanned(body.decode(), enveloped=enveloped)


def _scanned(text: str, *, enveloped: bool) -> list[bytes]:
    """The same where the fast decoder gives up: it does so at half a surrogate pair, which one element has
    and its neighbours need not suffer for."""
    try:
        value: Any = _DECODER.decode(text)
        if enveloped:
            text = ([value for name, _, value in members_of(text) if name == "readings"] or ["null"])[-1]
            value = _DECODER.decode(text)
        if not isinstance(value, list):
            raise Unreadable(NOT_AN_OBJECT, _NO_READINGS)
        return [*element_texts(text.encode())] if value else []
    except (ValueError, RecursionError) as error:
        raise Unreadable(NOT_JSON, f"the body is not JSON: {error}") from error


def members_of(text: str) -> Iterator[tuple[str, str, str]]:
    """The members of the object that `text` is: the name, the member and its value as they stand there."""
    at = _after_spaces(text, text.index("{") + 1)
    while text[at] == '"':
        name, end = _DECODER.raw_decode(text, at)
        start = _after_spaces(text, _after_spaces(text, end) + 1)
        _, end = _DECODER.raw_decode(text, start)
        yield name, text[at:end], text[start:end]
        at = _after_spaces(text, _after_spaces(text, end) + 1)
        if at >= len(text):
            return


def _after_spaces(text: str, at: int) -> int:
    while text[at : at + 1] in {" ", "\t", "\r", "\n"}:
        at += 1
    return at


def repeated_member(element: bytes) -> str | None:
    """The name of a member of an object that is there twice, however deep; None if there is none."""
    found: list[str] = []

    def members(pairs: list[tuple[str, Any]]) -> None:
        counted = Counter([name for name, _ in pairs])
        if len(counted) < len(pairs):
            found.extend(name for name, count in counted.items() if count > 1)

    try:
        json.loads(element, object_pairs_hook=members, parse_int=float)
    except (ValueError, RecursionError):
        return None  # what else is wrong with it is found by the rules
    return found[0] if found else None
