"""How far apart the slots of a meter are: a fixed length, or the local days or months of a zone.

Worked out from the calendar of a zone, and apart from the worker: slots begin at local midnight, also where
the clocks skip it (then with the first instant after) or show it twice (then with the first of the two).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from gridwatch.domain.policy import DAY, HOUR, MINUTE

DAILY, MONTHLY = "1d", "1mo"
#: A month where one length is needed, µs.
MONTH = 30 * DAY
_LENGTHS = {DAILY: DAY, MONTHLY: MONTH}
#: The minutes that a calendar is taken for.
MINUTES_OF = {unit: length // MINUTE for unit, length in _LENGTHS.items()}
UNIT_OF = {minutes: unit for unit, minutes in MINUTES_OF.items()}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
#: A stamp belongs to a slot that is so near.
_TOLERANCE = 5 * MINUTE
_MONTHS = 12
_SHORTEST = 22 * HOUR
#: How a row gives a calendar. Within a text of JSON the quote would be an escaped one.
GIVEN = re.compile(r',"interval":"(1d|1mo)","timezone":"([^"]+)"')


class Spacing(NamedTuple):
    """Times in µs; `length` is the nominal one of a calendar, which has a `unit` and a `zone`."""

    length: int
    unit: str = ""
    zone: str = ""

    @classmethod
    def of_calendar(cls, text: str) -> Spacing:
        """What `1d Europe/Berlin` says. KeyError for any other unit."""
        unit, _, zone = text.partition(" ")
        return cls(_LENGTHS[unit], unit, zone)

    @property
    def calendar(self) -> str:
        """Unit and zone, such as `1d Europe/Berlin`; empty for a fixed length."""
        return f"{self.unit} {self.zone}" if self.unit else ""

    def after(self, slot: int, count: int = 1) -> int:
        """The slot that is so many after another one; of a calendar, after the one that a time lies in."""
        if not self.unit:
            return slot + count * self.length
        return _start(self.unit, self.zone, self._number(slot) + count)

    def steps(self, start: int, stop: int) -> int:
        """How many slots from one to another, whole ones; below 0 where `stop` lies before `start`."""
        if not self.unit:
            return (stop - start) // self.length
        return self._number(stop) - self._number(start)

    def at(self, time: int) -> int:
        """The start of the day or month that a time lies in."""
        return _start(self.unit, self.zone, self._number(time))

    def slot_of(self, time: int, anchor: int) -> int | None:
        """The slot that a stamp belongs to, on the grid through `anchor`; None where it lies beside it."""
        if self.unit:
            after = self.after(time)
            return after if after - time <= _TOLERANCE else self.at(time)
        point = self.nearest(time, anchor)
        return point if abs(time - point) <= self.tolerance else None

    def nearest(self, time: int, anchor: int) -> int:
        """The point of the grid through `anchor` that is nearest to a time, or that it belongs to."""
        if self.unit:
            return self.slot_of(time, anchor) or 0
        return anchor + (time - anchor + self.length // 2) // self.length * self.length

    @property
    def tolerance(self) -> int:
        """How far from its slot a stamp may lie."""
        return min(self.length // 4, _TOLERANCE)

    def days(self, time: int) -> int:
        """How many local days the day or month has that a time lies in."""
        return Spacing(DAY, DAILY, self.zone).steps(self.at(time), self.after(time))

    def clock(self, time: int) -> object:
        """The local time of day."""
        return self._local(time).time()

    def changes(self, time: int) -> bool:
        """Whether the clocks of the zone change in the year of a time."""
        year, zone = self._local(time).year, _zone(self.zone)
        return len({datetime(year, month, 1, tzinfo=zone).utcoffset() for month in range(1, 13)}) > 1

    def _local(self, time: int) -> datetime:
        return (_EPOCH + time * _MICROSECOND).astimezone(_zone(self.zone))

    def _number(self, time: int) -> int:
        """The number of the local day or month, counted through all years."""
        moment = self._local(time)
        number = moment.toordinal() if self.unit == DAILY else moment.year * _MONTHS + moment.month - 1
        return number - (_start(self.unit, self.zone, number) > time)


def minutes_between(zone: str, start: int, stop: int) -> int:
    """What a local day or month from `start` to `stop` is taken for; 0 where that is none of the zone."""
    if stop - start >= _SHORTEST:
        for unit, length in _LENGTHS.items():
            whole = Spacing(length, unit, zone)
            if whole.at(start) == start and whole.after(start) == stop:
                return MINUTES_OF[unit]
    return 0


def calendar_given(members: str) -> Spacing | None:
    """The calendar that a row gives among its further members."""
    found = GIVEN.search(members) if '"interval":' in members else None
    return Spacing.of_calendar(f"{found[1]} {found[2]}") if found else None


def giving(unit: str, zone: str) -> str:
    """How a row gives a calendar, among its further members."""
    return f',"interval":"{unit}","timezone":"{zone}"'


@lru_cache(maxsize=1000)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@lru_cache(maxsize=100_000)
def _start(unit: str, zone: str, number: int) -> int:
    """When a day or month begins. In a gap the earlier reading of a time is the end of the gap, or later."""
    day = date.fromordinal(number) if unit == DAILY else date(number // _MONTHS, number % _MONTHS + 1, 1)
    midnight = datetime(day.year, day.month, day.day, tzinfo=_zone(zone))
    return (midnight - _EPOCH) // _MICROSECOND
