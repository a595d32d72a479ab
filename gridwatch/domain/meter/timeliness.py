"""Classifies readings as on time, late or too late, and recognises duplicates and revisions.

The class is decided by the watermark before the reading raises it: ON_TIME at or after the watermark; LATE up
to the allowed lateness behind it, equal included; TOO_LATE beyond.

A reading of a stamp that its meter already has is a duplicate if its value is the same (dropped, counted)
and a revision if not (validated again, it replaces the value). Stamps are remembered as far back as a
reading can still be LATE, and a little further, to the start of the metric window there, so that the window
knows whether the meter was active in it. TOO_LATE readings are not deduplicated: each gives a late event.
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
"""Remembered readings, ascending by stamp, 16 bytes each: the stamp and the value, big-endian. A million
meters remember some each, so they are not objects; and stamps as bytes sort as the stamps do."""

#: Stamps are written as microseconds since some 36 000 years before 1970, so that none is negative.
_ORIGIN: Final = 1 << 60
_STAMP: Final = struct.Struct(">Q")
_READING: Final = struct.Struct(">Qd")
_STAMP_BYTES: Final = _STAMP.size
READING_BYTES: Final = _READING.size
#: Up to so many bytes are walked through from their end.
_FEW_BYTES: Final = 16 * READING_BYTES


def packed(time: int, value: float) -> Recent:
    """One reading as stored in ``Recent``."""
    return _READING.pack(time + _ORIGIN, value)


def recent_of(readings: Iterable[tuple[int, float]]) -> Recent:
    """Readings, ascending by stamp, as stored in ``Recent``."""
    return b"".join([packed(time, value) for time, value in readings])


def readings_of(recent: Recent) -> list[tuple[int, float]]:
    """The remembered readings: stamp, value."""
    return [(stamp - _ORIGIN, value) for stamp, value in _READING.iter_unpack(recent)]


def key_of(time: int) -> bytes:
    """The bytes that the stamps of remembered readings are compared with."""
    return _STAMP.pack(max(0, time + _ORIGIN))


def classify(time: int, watermark: int, allowed_lateness: int) -> str:
    """The class of a reading of ``time`` at ``watermark``."""
    if time >= watermark:
        return ON_TIME
    return LATE if watermark - time <= allowed_lateness else TOO_LATE


def since(recent: Recent, horizon: bytes) -> Recent:
    """``recent`` without the readings before a horizon, given as its ``key_of``: usually a few."""
    while recent and recent < horizon:
        recent = recent[READING_BYTES:]
    return recent


def recall(recent: Recent, time: int) -> float | None:
    """The current value of the stamp ``time``, None if it is not remembered."""
    key = key_of(time)
    place = _place(recent, key)
    if not recent.startswith(key, place):
        return None
    value: float = _READING.unpack_from(recent, place)[1]
    return value


def stamp_before(recent: Recent, time: int) -> int | None:
    """The last remembered stamp before ``time``."""
    place = _place(recent, key_of(time))
    if not place:
        return None
    stamp: int = _STAMP.unpack_from(recent, place - READING_BYTES)[0]
    return stamp - _ORIGIN


def remember(recent: Recent, time: int, value: float, horizon: int) -> Recent:
    """``recent`` with ``value`` for ``time``, and without the readings before ``horizon``."""
    recent = since(recent, key_of(horizon))
    if time < horizon:
        return recent
    key = key_of(time)
    place = _place(recent, key)
    before, after = recent[:place], recent[place:]
    return before + packed(time, value) + (after[READING_BYTES:] if after.startswith(key) else after)


def last_stamp(recent: Recent) -> int:
    """The highest stamp of ``recent``, which is not empty."""
    stamp: int = _STAMP.unpack_from(recent, len(recent) - READING_BYTES)[0]
    return stamp - _ORIGIN


def stamps_of(recent: Recent) -> list[int]:
    """The remembered stamps."""
    return [stamp - _ORIGIN for stamp, _ in _READING.iter_unpack(recent)]


def seen_within(recent: Recent, start: int, end: int) -> bool:
    """Whether a stamp in [start, end) is remembered."""
    after = recent[_place(recent, key_of(start)) :]
    return bool(after) and after < key_of(end)


def part_within(recent: Recent, start: bytes, end: bytes) -> Recent:
    """The readings from one stamp on and before another one, given as their ``key_of``. What is asked for is
    usually new, and stands at the end."""
    stop = len(recent)
    while stop and recent[stop - READING_BYTES : stop] >= end:
        stop -= READING_BYTES
    if stop > _FEW_BYTES:
        return recent[_place(recent, start) : stop]
    at = stop
    while at and recent[at - READING_BYTES : at] >= start:
        at -= READING_BYTES
    return recent[at:stop]


def _place(recent: Recent, key: bytes) -> int:
    """Where the first reading at or after a stamp's ``key_of`` is, or would be, in bytes."""
    places = range(0, len(recent), READING_BYTES)
    return READING_BYTES * bisect_left(places, key, key=lambda at: recent[at : at + _STAMP_BYTES])
