"""Where the slots of a grid lie: every so many microseconds, or at the midnights of a zone.

Calendar days are found by plain date arithmetic, one after the other.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tests.model.stamps import DAY, EPOCH, HOUR, MINUTE, SECOND, micros_of

NEAR = 5 * MINUTE  # of a local midnight
LONGEST = 32 * DAY
UNITS = {"ms": SECOND // 1000, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, None: SECOND}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h|d)?")


class Ruler(NamedTuple):
    """A fixed interval; or calendar days or months of a zone, whose interval is nominal."""

    interval: int
    unit: str | None = None  # "1d" or "1mo"
    zone: str | None = None

    @property
    def calendar(self) -> str | None:
        return None if self.unit is None else f"{self.unit} {self.zone}"

    def after(self, start: int, stamp: int) -> int:
        """The first slot later than `stamp` of the grid through `start`."""
        if self.unit is None:
            return stamp + self.interval - (stamp - start) % self.interval
        assert self.zone is not None
        return day_after(stamp, self.unit, self.zone)

    def holding(self, stamp: int) -> int:
        """Of a calendar: the start of the slot that contains the stamp."""
        assert self.unit is not None
        assert self.zone is not None
        return day_of(stamp, self.unit, self.zone)

    def nearest(self, start: int, stamp: int) -> int:
        """The slot that a stamp belongs to if it is near enough: a calendar's always is."""
        if self.unit is None:
            return start + (2 * (stamp - start) + self.interval) // (2 * self.interval) * self.interval
        later = self.after(start, stamp)
        return later if later - stamp <= NEAR else self.holding(stamp)

    def first_from(self, instant: int) -> int:
        """Of a calendar: the first slot start not before the instant."""
        here = self.holding(instant)
        return here if here == instant else self.after(here, instant)

    def usual_delay(self, seen: int, slot: int) -> int:
        """Of a calendar whose last reading was not at the start of its slot: how long after its start a slot
        is waited for, by the local clock; and longer where the slot is."""
        if self.unit is None:
            return 0
        assert self.zone is not None
        clock, start = (
            datetime.fromtimestamp(at // SECOND, ZoneInfo(self.zone)).replace(tzinfo=None)
            for at in (seen, self.nearest(0, seen))
        )
        since = round((clock - start).total_seconds()) * SECOND
        nominal = DAY if self.unit == "1d" else 30 * DAY
        return since + max(0, self.after(0, slot) - slot - nominal) if since > NEAR else 0

    def before(self, slot: int) -> int:
        """The slot before this one."""
        return slot - self.interval if self.unit is None else self.holding(slot - 1)


@lru_cache(maxsize=100_000)
def midnight(year: int, month: int, day: int, zone: str) -> int:
    """The first instant of that local date: minute by minute where the clocks skip it."""
    local = datetime(year, month, day, tzinfo=ZoneInfo(zone))
    for minutes in range(24 * 60):
        moment = (local.replace(tzinfo=None) + timedelta(minutes=minutes)).replace(tzinfo=ZoneInfo(zone))
        there = moment.astimezone(UTC)
        if there.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == moment.replace(tzinfo=None):
            return micros_of(there)
    raise AssertionError("a day without an instant")


def local_date(stamp: int, zone: str) -> date:
    return (EPOCH + timedelta(microseconds=stamp)).astimezone(ZoneInfo(zone)).date()


@lru_cache(maxsize=100_000)
def day_of(stamp: int, unit: str, zone: str) -> int:
    here = local_date(stamp, zone) + timedelta(days=1)  # more than enough: then back
    while True:
        if unit == "1mo":
            here = here.replace(day=1)
        start = midnight(here.year, here.month, here.day, zone)
        if start <= stamp:
            return start
        here -= timedelta(days=1)


@lru_cache(maxsize=100_000)
def day_after(stamp: int, unit: str, zone: str) -> int:
    here = local_date(stamp, zone)
    while True:
        if unit == "1d" or here.day == 1:
            start = midnight(here.year, here.month, here.day, zone)
            if start > stamp:
                return start
        here += timedelta(days=1)


def duration(text: Any) -> int | None:
    """`90s`, `15m`, `1h`, `7d`, or plain seconds, in microseconds; None for what is none."""
    found = _DURATION.fullmatch(text.strip().lower()) if isinstance(text, str) else None
    if found is None:
        return None
    return round(float(found[1]) * UNITS[found[2]])


def known_zone(name: Any) -> bool:
    if not isinstance(name, str) or not name:
        return False
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def ruler_of(text: Any, zone: str) -> Ruler | None:
    """What `interval` says, with the zone that holds for calendars; None if it is bad."""
    plain = text.strip().lower() if isinstance(text, str) else None
    if plain in {"1d", "1mo"}:
        return Ruler(DAY if plain == "1d" else 30 * DAY, plain, zone)
    length = duration(text)
    if length is None or length % SECOND or not SECOND <= length <= LONGEST:
        return None
    return Ruler(length)


def has_changes(zone: str, stamp: int) -> bool:
    """Whether the clocks of the zone change in the year around the stamp."""
    moment = EPOCH + timedelta(microseconds=stamp)
    days = (moment + timedelta(days=number) for number in range(-183, 184, 7))
    return len({day.astimezone(ZoneInfo(zone)).utcoffset() for day in days}) > 1


def wall_minute(stamp: int, zone: str) -> tuple[int, int]:
    """The local wall time, rounded to the minute."""
    local = (EPOCH + timedelta(microseconds=stamp + MINUTE // 2)).astimezone(ZoneInfo(zone))
    return local.hour, local.minute
