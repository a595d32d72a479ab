"""Timeliness: is a reading on time, late or too late, and has it been here before?

Judged against the watermark before the reading moves it: ON_TIME at or after the watermark; LATE up to
the allowed lateness behind it, equal included; TOO_LATE beyond.

A reading of a stamp that its meter had already is a duplicate if its value is the same (dropped, counted)
and a revision if it is another (validated again, it replaces the value). Stamps are remembered as far
back as a reading can still be LATE, and a little further, to the start of the metric window there, so
that the window can tell whether it has seen the meter. A TOO_LATE reading is never asked for its twin:
late events are told always.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

ON_TIME: Final = "ON_TIME"
LATE: Final = "LATE"
TOO_LATE: Final = "TOO_LATE"

Recent = tuple[float, ...]
"""Stamp, value, stamp, value …, ascending by stamp. Stamps are ints: microseconds."""


def classify(time: int, watermark: int, allowed_lateness: int) -> str:
    """The class of a reading of ``time`` while the watermark stands at ``watermark``."""
    if time >= watermark:
        return ON_TIME
    return LATE if watermark - time <= allowed_lateness else TOO_LATE


def recall(recent: Recent, time: int) -> float | None:
    """The value that stands for the stamp ``time``, None if it is not remembered."""
    stamps = recent[::2]
    at = bisect_left(stamps, time)
    return recent[2 * at + 1] if at < len(stamps) and stamps[at] == time else None


def remember(recent: Recent, time: int, value: float, horizon: int) -> Recent:
    """``recent`` with ``value`` standing for ``time``, and without what lies before ``horizon``."""
    stamps = recent[::2]
    start = 2 * bisect_left(stamps, horizon)
    if time < horizon:
        return recent[start:]
    at = 2 * bisect_left(stamps, time)
    after = at + 2 if at < len(recent) and recent[at] == time else at
    return (*recent[start:at], time, value, *recent[after:])


def seen_within(recent: Recent, start: int, end: int) -> bool:
    """Whether a stamp in [start, end) is remembered."""
    stamps = recent[::2]
    at = bisect_left(stamps, start)
    return at < len(stamps) and stamps[at] < end
