"""Calendar intervals: the local days or months of a zone, which are not all of one length.

The slots of a calendar begin at local midnight (of the first of the month): the first instant of that local
date. Where the clocks skip midnight that is the first instant after it; where midnight comes twice, the
first of the two. So a day has 23, 24 or 25 hours, and no grid of fixed steps fits them.

Where one number is needed, a day counts as 24 hours and a month as 30 days.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from gridwatch.domain.policy import DAY, MINUTE, MONTH, SECOND

DAILY: Final = "1d"
MONTHLY: Final = "1mo"
NOMINAL: Final = {DAILY: DAY, MONTHLY: MONTH}
"""The units, and the length that each is taken for where it has to be one number, µs."""
NEAR: Final = 5 * MINUTE
"""A stamp so little before a slot belongs to it."""
_MONTHS: Final = 12
_ZONES: Final = 2000
_MICROSECOND: Final = timedelta(microseconds=1)


class Calendar(NamedTuple):
    """Days or months of a zone."""

    unit: str
    zone: str
    """IANA name."""

    def __str__(self) -> str:
        return f"{self.unit} {self.zone}"

    def slot_at(self, time: int) -> int:
        """The start of the day or month that ``time`` lies in."""
        number = _number(self.unit, self.zone, time)
        start = _start(self.unit, self.zone, number)
        if start > time:
            return _start(self.unit, self.zone, number - 1)
        after = _start(self.unit, self.zone, number + 1)
        return after if after <= time else start

    def slot_of(self, time: int) -> int:
        """The slot that a reading of ``time`` belongs to: the next one if that is near, else the one that it
        lies in."""
        after = self.shift(slot := self.slot_at(time), 1)
        return after if after - time <= NEAR else slot

    def delay(self, seen: int, slot: int) -> int:
        """How long after the beginning of ``slot`` its reading is due, if one of ``seen`` is as usual.

        Not all meters report at local midnight: the same time of day, or day of the month, is expected again,
        by the local clock. A slot that is longer than usual has the difference more.
        """
        since = (local(self.zone, seen) - local(self.zone, self.slot_of(seen))) // _MICROSECOND
        if since <= NEAR:
            return 0
        return since + max(0, self.shift(slot, 1) - slot - NOMINAL[self.unit])

    def first_from(self, time: int) -> int:
        """The first slot that does not begin before ``time``."""
        slot = self.slot_at(time)
        return slot if slot == time else self.shift(slot, 1)

    def shift(self, slot: int, count: int) -> int:
        """The slot that is ``count`` slots after ``slot``."""
        return _start(self.unit, self.zone, _number(self.unit, self.zone, slot) + count)

    def steps(self, start: int, stop: int) -> int:
        """How many slots there are from the slot ``start`` up to the slot ``stop``, exclusive."""
        return _number(self.unit, self.zone, stop) - _number(self.unit, self.zone, start)


def calendar_of(text: str, zone: str) -> Calendar | None:
    """The calendar that an interval names, ``1d`` or ``1mo``; None if it is not one."""
    return Calendar(text, zone) if text in NOMINAL else None


@lru_cache(maxsize=_ZONES)
def is_zone(name: str) -> bool:
    """Whether ``name`` is a known time zone."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def local(zone: str, time: int) -> datetime:
    """``time`` as local time, without its offset."""
    stamp = datetime.fromtimestamp(time // SECOND, UTC)
    return stamp.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


@lru_cache(maxsize=_ZONES)
def _offsets(zone: str, year: int) -> int:
    """How many offsets a zone has in a year, at the beginnings of its months."""
    return len({datetime(year, month, 1, tzinfo=ZoneInfo(zone)).utcoffset() for month in range(1, 13)})


def clocks_change(zone: str, time: int) -> bool:
    """Whether the clocks of ``zone`` change in the year of ``time``."""
    return zone != "UTC" and _offsets(zone, local(zone, time).year) > 1


def _number(unit: str, zone: str, time: int) -> int:
    """The number of the local day or month of ``time``, counted through all years."""
    day = local(zone, time)
    return day.toordinal() if unit == DAILY else day.year * _MONTHS + day.month - 1


@lru_cache(maxsize=100_000)
def _start(unit: str, zone: str, number: int) -> int:
    """The first instant of a day or month, by its number."""
    day = date.fromordinal(number) if unit == DAILY else date(number // _MONTHS, number % _MONTHS + 1, 1)
    place = ZoneInfo(zone)
    midnight = datetime(day.year, day.month, day.day, tzinfo=place)
    found = _seconds(midnight)
    if local(zone, found * SECOND) == midnight.replace(tzinfo=None):
        return found * SECOND
    # The clocks skip midnight: the first second that is of this date lies between the two readings of it.
    before, after = _seconds(midnight.replace(fold=1)), found
    while after - before > 1:
        middle = (before + after) // 2
        if local(zone, middle * SECOND).date() < day:
            before = middle
        else:
            after = middle
    return after * SECOND


def _seconds(stamp: datetime) -> int:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return (stamp.astimezone(UTC) - epoch) // timedelta(seconds=1)
