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

import struct
from bisect import bisect_left
from collections.abc import Iterable
from typing import Final, TypeAlias

ON_TIME: Final = "ON_TIME"
LATE: Final = "LATE"
TOO_LATE: Final = "TOO_LATE"

Recent: TypeAlias = bytes
"""Remembered readings, ascending by stamp, 16 bytes each: the stamp (microseconds, an integer of 8 bytes) and
the value, little-endian. A million meters remember some each, so they are not objects."""

_READING: Final = struct.Struct("<qd")
_STAMP: Final = struct.Struct("<q")
WIDTH: Final = _READING.size

packed: Final = _READING.pack
"""A reading (stamp, value) as it is remembered."""


def readings_of(recent: Recent) -> list[tuple[int, float]]:
    """The remembered readings: stamp, value."""
    return list(_READING.iter_unpack(recent))


def recent_of(readings: Iterable[tuple[int, float]]) -> Recent:
    """Readings, ascending by stamp, as they are remembered."""
    return b"".join([packed(time, value) for time, value in readings])


def classify(time: int, watermark: int, allowed_lateness: int) -> str:
    """The class of a reading of ``time`` while the watermark stands at ``watermark``."""
    if time >= watermark:
        return ON_TIME
    return LATE if watermark - time <= allowed_lateness else TOO_LATE


def since(recent: Recent, horizon: int) -> Recent:
    """``recent`` without what lies before ``horizon``: not much as a rule."""
    end, place = len(recent), 0
    while place < end and _stamp_at(recent, place) < horizon:
        place += WIDTH
    return recent[place:] if place else recent


def recall(recent: Recent, time: int) -> float | None:
    """The value that stands for the stamp ``time``, None if it is not remembered."""
    place = _place(recent, time)
    if place == len(recent):
        return None
    stamp, value = _READING.unpack_from(recent, place)
    return value if stamp == time else None


def remember(recent: Recent, time: int, value: float, horizon: int) -> Recent:
    """``recent`` with ``value`` standing for ``time``, and without what lies before ``horizon``."""
    recent = since(recent, horizon)
    if time < horizon:
        return recent
    place = _place(recent, time)
    before, after = recent[:place], recent[place:]
    if after and _stamp_at(after, 0) == time:
        after = after[WIDTH:]
    return before + packed(time, value) + after


def seen_within(recent: Recent, start: int, end: int) -> bool:
    """Whether a stamp in [start, end) is remembered."""
    place = _place(recent, start)
    return place < len(recent) and _stamp_at(recent, place) < end


def _place(recent: Recent, time: int) -> int:
    """Where the first reading at or after ``time`` is, or would be, in bytes."""
    count = len(recent) // WIDTH
    return WIDTH * bisect_left(range(count), time, key=lambda at: _stamp_at(recent, WIDTH * at))


def _stamp_at(recent: Recent, place: int) -> int:
    stamp: int = _STAMP.unpack_from(recent, place)[0]
    return stamp
