"""Guesses at timestamps: what a ``timestamp`` that is not RFC 3339 probably was.

Only called for a stamp that ``instants`` cannot parse. A number is taken for an epoch only if it then lies in
this century. A stamp with two possible meanings is described, never parsed: only the producer knows.
"""

from __future__ import annotations

import re
from typing import Any, Final

from gridwatch.domain.instants import format_instant

_REMEDY: Final = "send RFC 3339 text"
_FROM: Final = 946_684_800
"""2000-01-01 in seconds since the Unix epoch; guesses end before this:"""
_TO: Final = 4_102_444_800
_UNITS: Final = (
    ("seconds", 1),
    ("milliseconds", 1_000),
    ("microseconds", 1_000_000),
    ("nanoseconds", 1_000_000_000),
)
_DAYS: Final = 25_569
"""1970-01-01 as spreadsheets count days."""
_DIGITS: Final = re.compile(r"\s*([0-9]{5,19})(\.[0-9]{1,9})?\s*")
#: What a whole stamp looks like; none of these is a form that can be read.
_FORMS: Final = (
    (re.compile(r"\s*"), "is empty"),
    (re.compile(r"/Date\([0-9+-]+\)/"), "looks like a date of old .NET JSON"),
    (re.compile(r"(?:\s.*|.*\s)", re.DOTALL), "has spaces or line breaks around it"),
    (re.compile(r"[0-9]{8}[Tt]?[0-9]{4,6}(?:[Zz]|[+-][0-9:]+)?"), "has no - and : in it"),
    (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8}"), "is a date without a time of day"),
    (re.compile(r"[0-9]{4}([/.])[0-9]{1,2}\1[0-9]{1,2}.*"), "has other separators than -"),
    (re.compile(r"[0-9]{4}-[0-9]-.*|[0-9]{4}-[0-9]{2}-[0-9](?:[Tt ].*)?"), "has one digit for two"),
    (re.compile(r"[A-Z][a-z]{2}, [0-9]{1,2} [A-Z][a-z]{2} .*"), "looks like a date of e-mail or HTTP"),
    (re.compile(r"[A-Z][a-z]{2} [A-Z][a-z]{2} [0-9 ]{2} .*"), "looks like a date printed by C or Java"),
    (re.compile(r".*[0-9 ][AaPp]\.?[Mm]\.?"), "has a clock of 12 hours"),
    (re.compile(r".*\[[A-Za-z_/+-]+\]"), "names its zone, as Java's ZonedDateTime does"),
    (re.compile(r"[0-9]{4}-[0-9T :.-]*[0-9] ?[A-Za-z_/]{2,}"), "names its zone: an offset or Z is read"),
    (re.compile(r"[0-9-]{10}[Tt ]24:.*"), "has the hour 24: it is 00:00 of the next day"),
    (re.compile(r"[0-9-]{10}[Tt ][0-9]{2}:[0-9]{2}:60.*"), "has a leap second"),
    (re.compile(r"[0-9-]{10}[Tt ][0-9:]{8},[0-9].*"), "has a comma before the fraction"),
)
_DAY_FIRST: Final = re.compile(r"([0-9]{1,2})([./-])([0-9]{1,2})\2(?:([0-9]{4})|[0-9]{2})(?:\D.*)?")


def of_stamp(stamp: Any) -> str:
    """A guess at a stamp that cannot be read; empty if there is none, or if its form is right."""
    if isinstance(stamp, str):
        return _of_text(stamp[:100])
    if isinstance(stamp, (int, float)) and not isinstance(stamp, bool):
        return _of_number(stamp)
    if isinstance(stamp, list) and len(stamp) >= 3 and all(isinstance(part, int) for part in stamp[:7]):
        return f"looks like a Java date as Jackson writes it (WRITE_DATES_AS_TIMESTAMPS): {_REMEDY}"
    if isinstance(stamp, dict):
        kind = "MongoDB's extended JSON" if "$date" in stamp else "Protobuf" if "seconds" in stamp else ""
        return f"looks like a time of {kind}: {_REMEDY}" if kind else ""
    return ""


def _of_number(number: int | float) -> str:
    for unit, per_second in _UNITS:
        if _FROM * per_second <= number < _TO * per_second:
            instant = format_instant(int(number * 1_000_000) // per_second)
            return f"looks like epoch {unit} (= {instant}): {_REMEDY}"
    if _FROM <= (number - _DAYS) * 86_400 < _TO:
        instant = format_instant(round((number - _DAYS) * 86_400) * 1_000_000)
        return f"looks like a day number of a spreadsheet (= {instant}, if that is UTC): {_REMEDY}"
    return ""


def _of_text(text: str) -> str:
    digits = _DIGITS.fullmatch(text)
    if digits is not None:
        guess = _of_number(float(text) if digits[2] else int(digits[1]))
        if guess:
            return guess
    date = _DAY_FIRST.fullmatch(text)
    if date is not None:
        first, second = int(date[1]), int(date[3])
        order = "day first" if first > 12 else "month first" if second > 12 else "day first or month first"
        order = order if date[4] else "year in two digits"
        return f"looks like a date with the {order}: {_REMEDY} such as 2024-01-31T10:00:00Z"
    for form, guess in _FORMS:
        if form.fullmatch(text):
            return f"{guess}: {_REMEDY} such as 2024-01-31T10:00:00Z"
    return ""
