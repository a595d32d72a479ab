"""The bucket of a window: its local hour, on working days or on others."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

from gridwatch.domain.calendar import local
from gridwatch.domain.policy import HOUR

HOURS: Final = 24
_SATURDAY: Final = 5


def is_by_hour(length: int) -> bool:
    """Whether windows of this length have a bucket for each hour; else one for each kind of day."""
    return length <= HOUR


def bucket_of(start: int, length: int, zone: str, holidays: Collection[str]) -> int:
    """The bucket of the window that begins at ``start``: 0 to 23 for the hours of working days, 24 to 47 for
    those of others; of a longer window 0 or 24."""
    time = local(zone, start)
    other = HOURS * (not is_working_day(time, holidays))
    return other + time.hour if is_by_hour(length) else other


def is_working_day(time: datetime, holidays: Collection[str]) -> bool:
    """Whether a local time lies on Monday to Friday, and not on one of the ``holidays`` (ISO dates)."""
    return time.weekday() < _SATURDAY and time.date().isoformat() not in holidays


def neighbours_of(bucket: int) -> tuple[int, int]:
    """The hours before and after, of the same kind of day."""
    other, hour = bucket // HOURS * HOURS, bucket % HOURS
    return other + (hour - 1) % HOURS, other + (hour + 1) % HOURS
