"""Durations and intervals as text: ``90s``, ``15m``, ``1h``, ``7d``, ``250ms`` or plain seconds."""

from __future__ import annotations

import re
from typing import Final

from gridwatch.domain.calendar import NOMINAL, Calendar, calendar_of
from gridwatch.domain.policy import DAY, HOUR, MINUTE, SECOND

_DURATION: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h|d)?", re.ASCII)
_UNITS: Final = {"ms": SECOND // 1000, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, None: SECOND}
INTERVALS: Final = "write an interval as 10s, 15m or 1h, from 1s to 32d, or as 1d or 1mo of a time zone"


def duration_of(text: str) -> int:
    """The duration that ``text`` names, in microseconds; ValueError for anything else."""
    matched = _DURATION.fullmatch(text.strip().lower())
    if matched is None:
        raise ValueError("write a duration as 90s, 15m, 1h, 7d or plain seconds")
    return round(float(matched[1]) * _UNITS[matched[2]])


def interval_named(text: str, zone: str, least: int, most: int) -> tuple[int, Calendar | None]:
    """The interval that ``text`` names, µs, and its calendar if it is ``1d`` or ``1mo``, of the time zone
    ``zone``. ValueError if it is none, or not one of whole seconds from ``least`` to ``most``."""
    calendar = calendar_of(text.strip().lower(), zone)
    if calendar is not None:
        return NOMINAL[calendar.unit], calendar
    try:
        interval = duration_of(text)
    except ValueError as error:
        raise ValueError(INTERVALS) from error
    if interval % SECOND or not least <= interval <= most:
        raise ValueError(INTERVALS)
    return interval, None
