"""Guesses: what a record that is not JSON probably was, and what its producer can do about it.

Only called for a record that ``validation`` has rejected: a guess explains a rejection, it never decides one.
It depends on the bytes alone, reads little more than their start, parses nothing and never raises. It is
ASCII, so it can be stored anywhere, and at most ``MAX_GUESS`` characters long, with the separator in front;
empty if there is none. ``field_guesses`` does the same for a JSON object.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from gridwatch.domain.validation.binary_guesses import HEAD, PLAIN, has_controls, is_utf16, of_bytes

MAX_GUESS: Final = 300
"""Characters that guesses may add to the messages of the parser and the rules."""

_BASE64: Final = re.compile(r"(?:eyJ|eyA|ewo|ewk|W3s)[A-Za-z0-9+/_-]+={0,2}\s*")
_ZEROS: Final = re.compile(r"[^0-9.]0[0-9]")
#: At the start of a text that begins with neither { nor [.
_TEXTS: Final = (
    (
        re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:.]+(?:[Zz]|[+-][0-9:]+)?\s*\Z"),
        "is an instant alone: a tick without its header gridwatch-tick?",
    ),
    (re.compile(r"[bB]['\"]\s*[{\[]"), "looks like printed Python bytes: send the bytes, not their str()"),
    (re.compile(r"'\s*[{\[]"), "is JSON in single quotes: send it without them"),
    (re.compile(r"<(?:!doctype\s+)?html", re.IGNORECASE), f"looks like an HTML page: {PLAIN}"),
    (re.compile(r"<[?!A-Za-z]"), f"looks like XML: {PLAIN}"),
    (_BASE64, "looks like JSON in base64: send the JSON itself"),
    (re.compile(r"[\w-]+=[^&\s]*&[\w-]+="), f"looks like a URL-encoded form: {PLAIN}"),
    (
        re.compile(r"[^\s,=]+(?:,[^\s,=]+=[^\s,=]+)* [^\s,=]+=[^\s,=]+(?:,[^\s,=]+=[^\s,=]+)*(?: \d+)?\s*\Z"),
        f"looks like InfluxDB line protocol: {PLAIN}",
    ),
    (re.compile(r"(?:---\s+)?[A-Za-z_]\w*: [^\n]*\n\s*[A-Za-z_]\w*: "), f"looks like YAML: {PLAIN}"),
    (re.compile(r"(?:NaN|nan|None|undefined|inf(?:inity)?)\s*\Z"), f"is no JSON value: {PLAIN}"),
)
#: Where the parser of a text that begins with { or [ stopped.
_STOPS: Final = (
    (re.compile(r"'"), "single quotes: a printed Python dict? JSON has double quotes (json.dumps)"),
    (re.compile("[\u2018-\u201f\u00ab\u00bb]"), 'typographic quotes: JSON has plain double quotes (")'),
    (re.compile(r"(?:None|True|False)\b"), "a printed Python dict? JSON has null, true, false (json.dumps)"),
    (
        re.compile(r"[+-]?(?:nan|inf|infinity|undefined)\b", re.IGNORECASE),
        "not a number in JSON: leave out the field, or the reading if it has no consumption",
    ),
    (re.compile(r"//|/\*|#"), "JSON has no comments: send it without them"),
    (re.compile(r"[A-Za-z_]\w*\s*="), "looks like toString() of a Java map: use a JSON serializer"),
    (re.compile(r"[A-Za-z_]\w*\s*:"), "names without quotes: JSON has them in double quotes"),
    (re.compile(r",\s*[}\]]"), "a comma before the closing bracket: JSON has none there"),
)


def of_nothing(value: bytes | None) -> str:
    """The message for a record without a value."""
    if value is None:
        return "the record has no value: a tombstone (a delete marker of a compacted topic)"
    return "the record has an empty value (0 bytes): no JSON was sent"


def of_text(value: bytes, error: Exception) -> str:
    """A guess at a value that is UTF-8 but not JSON; ``error`` is what the parser raised."""
    if not isinstance(error, json.JSONDecodeError):
        return ""
    text, at = error.doc, error.pos
    head = text[:HEAD].lstrip()
    if text.startswith("\ufeff") or is_utf16(value):
        return of_bytes(value)
    if not head:
        return f"; is blank: {PLAIN}" if len(text) <= HEAD else ""
    if head[0] not in "{[":
        return of_bytes(value) if has_controls(value) else f"; {_of_words(head)}"
    return _of_broken(text, at, error.msg)


def kind_of(value: Any) -> str:
    """What a JSON value is, in words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "text"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array" if value else "an empty array"
    return "a number"


def of_content(content: Any) -> str:
    """A guess at a JSON value that should have been an object."""
    if isinstance(content, str):
        head = content[:HEAD].strip()
        if head.startswith(("{", "[{")):
            return "; a text that holds JSON, encoded twice: send the object itself"
        if _BASE64.fullmatch(head):
            return "; looks like JSON in base64: send the JSON itself"
    if isinstance(content, list) and content:
        return "; a row without names? Send an object with meter_id, timestamp, consumption_kwh"
    return ""


def _of_words(head: str) -> str:
    for form, guess in _TEXTS:
        if form.match(head):
            return guess
    line = head.split("\n", 1)[0]
    for separator in (",", ";", "\t", "|"):
        if line.count(separator) >= 2:
            return "looks like a line of CSV: send a JSON object, or read the file with gridwatch replay"
    return f"is no JSON object: {PLAIN}"


def _of_broken(text: str, at: int, error: str) -> str:
    before, rest = text[max(0, at - 40) : at].rstrip(), text[at : at + 40].lstrip()
    if error.startswith("Extra data"):
        return _of_more(rest)
    if error.startswith("Unterminated string") or (not rest and at + 40 >= len(text)):
        return "; the JSON ends too early: cut off on its way?"
    if before.endswith(",") and rest.startswith(("}", "]")):
        return "; a comma before the closing bracket: JSON has none there"
    if rest[:1].isdigit() and before[-1:] == "," and before[-2:-1].isdigit():
        return "; a decimal comma? JSON has a decimal point"
    if _ZEROS.match(text, max(0, at - 2)):
        return "; a number with zeros in front: send an id as text, a number without them"
    return next((f"; {guess}" for form, guess in _STOPS if form.match(rest)), "")


def _of_more(rest: str) -> str:
    if rest.startswith("\x00"):
        return "; a NUL after the JSON, the end of a C string? Send it without"
    if rest.lstrip(", \t\r\n").startswith(("{", "[")):
        return "; several JSON values one after another (NDJSON?): send each as a record, or all in one array"
    return "; something follows the JSON: a record holds one object, or one array of objects"
