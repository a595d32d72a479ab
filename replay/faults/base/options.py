"""The options of faults: how each is written in a file, and what is wrong with one that will not do.

An option is a field of its fault's dataclass with a reader; a reader takes what TOML gave and returns what
the fault works with, or raises ValueError saying what is allowed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import date
from typing import Any

from gridwatch.domain.instants import parse_instant
from gridwatch.durations import micros, parse_duration
from replay.faults.base.chance import SECOND

Reader = Callable[[Any], Any]
_DAY = 24 * 3600 * SECOND
_LONGEST = 36_525 * _DAY


def option(default: Any, reader: Reader) -> Any:
    """A field of a fault that a file may set."""
    return dataclasses.field(default=default, metadata={"read": reader})


def rate(value: Any) -> float:
    """A share from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError("a number from 0 to 1")
    return float(value)


def number(value: Any) -> float:
    """A finite number greater than 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9:
        raise ValueError("a number greater than 0")
    return float(value)


def count(value: Any) -> int:
    """A whole number, 0 or more."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 1_000_000:
        raise ValueError("a whole number, 0 or more")
    return value


def truth(value: Any) -> bool:
    """Yes or no."""
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def text(value: Any) -> str:
    """Words."""
    if not isinstance(value, str) or not value:
        raise ValueError("a text")
    return value


def duration(value: Any) -> int:
    """`90s`, `15m`, `1h`, `7d` or plain seconds, from a second to a century, as µs."""
    allowed = "a duration such as 90s, 15m, 1h or 7d, a second at least"
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(allowed)
    try:
        found = micros(parse_duration(value))
    except (ValueError, OverflowError) as problem:
        raise ValueError(allowed) from problem
    if not SECOND <= found <= _LONGEST:
        raise ValueError(allowed)
    return found


def span(value: Any) -> tuple[int, int]:
    """Two durations, the shorter first, or one that stands for both."""
    both = value if isinstance(value, list) else [value, value]
    if len(both) != 2:
        raise ValueError('a duration, or two of them: ["1h", "8h"]')
    least, most = duration(both[0]), duration(both[1])
    if least > most:
        raise ValueError('the shorter duration first: ["1h", "8h"]')
    return least, most


def interval(value: Any) -> int:
    """A duration of whole seconds from 1s to 1d, as µs."""
    found = duration(value)
    if found % SECOND or found > _DAY:
        raise ValueError("whole seconds from 1s to 1d")
    return found


def instant(value: Any) -> int:
    """A date or a time, UTC unless it says otherwise, as µs."""
    written = value.isoformat() if isinstance(value, date) else str(value)
    try:
        return parse_instant(f"{written}T00:00" if len(written) == len("2024-01-01") else written, "UTC")[0]
    except ValueError as problem:
        raise ValueError("a date or a time such as 2024-01-01T10:00:00Z") from problem


def choice(*words: str) -> Reader:
    """One of these words."""

    def read(value: Any) -> str:
        if value not in words:
            raise ValueError(f"one of {', '.join(words)}")
        return str(value)

    return read


def choices(*words: str) -> Reader:
    """Some of these words."""

    def read(value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or not value or any(word not in words for word in value):
            raise ValueError(f"a list of some of {', '.join(words)}")
        return tuple(dict.fromkeys(value))

    return read
