"""Local stamps to instants, also in the hours that the clocks skip or repeat.

A local time names one instant, two (the clocks went back) or none (they went forward). Which of two is
meant is seldom written in a file: `repeated_hours` finds it out from the order of a meter's rows.
Stamps with an offset (`%z`) or the name of one (`%Z`, such as CEST) say it themselves.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from gridwatch.domain.instants import parse_instant
from gridwatch.domain.policy import DAY, HOUR
from replay.files.job import BadCell
from replay.files.profile import RFC_3339

_EPOCH = datetime(1970, 1, 1)
_EPOCH_UTC = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
TOP_OF_A_STAMP = len("2024-01-01T10:00")
_BLANK_BEFORE_OFFSET = re.compile(r"\s+(?=(?:[+-]\d\d(?::?\d\d)?|[Zz])$)")
_OFFSET = re.compile(r"(?:[Zz]|[+-]\d\d(?::?\d\d)?)$")
_NAME = re.compile(r"\s*([A-Za-z]{1,6})$")
#: Hour 24 of a stamp, with its minutes.
_HOUR_24 = re.compile(r"(?<!\d)24(?=[:.]?00)|24(?=00$)")
#: What a stamp says of its zone when it has an offset.
INSTANT = "UTC"

#: What to do where stamps do not go with the clocks of their zone.
ZONE = "name the zone that the stamps are in with --zone: UTC where no hour is skipped, or comes twice"
#: What to say of the last end of a day under the date of that day.
OWN_DATE = (
    "midnight behind the last hour of the same date: as the end of that day it is written 24:00, or under "
    "the next date"
)


class SkippedHour(BadCell):
    """A local time that the clocks skipped."""


class LocalTime:
    """The clocks of a zone. Times in µs; a local time is counted as if it were UTC."""

    def __init__(self, zone: str) -> None:
        self.name = zone
        self._zone = ZoneInfo(zone)
        self._is_utc = zone == "UTC"

    def instants(self, local: int) -> tuple[int, ...]:
        """The instants of a local time: one, two in order, or none."""
        if self._is_utc:
            return (local,)
        stamp = _EPOCH + timedelta(microseconds=local)
        both = [stamp.replace(tzinfo=self._zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
        if both[0].astimezone(self._zone).replace(tzinfo=None) != stamp:
            return ()
        times = sorted({(moment - _EPOCH_UTC) // _MICROSECOND for moment in both})
        return tuple(times)

    def skipped(self, local: int) -> SkippedHour:
        """What to say of a local time that names no instant."""
        stamp = _EPOCH + timedelta(microseconds=local)
        return SkippedHour(
            "timestamp",
            str(stamp),
            f"not a time: {stamp} does not exist in {self.name}: the clocks skipped it",
            ZONE,
        )

    def midnight(self, local: int) -> int:
        """The instant at which the local day of a local time begins."""
        day = local - local % DAY
        return next(iter(self.instants(day) or self.instants(day + HOUR)))

    def day(self, local: int) -> tuple[int, int]:
        """When the local day of a local time begins and ends."""
        day = local - local % DAY
        return self.midnight(day), self.midnight(day + DAY)

    def local(self, instant: int) -> int:
        """What the clocks show at an instant."""
        moment = _EPOCH_UTC + timedelta(microseconds=instant)
        return (moment.astimezone(self._zone).replace(tzinfo=None) - _EPOCH) // _MICROSECOND

    def name_at(self, instant: int) -> str:
        """What the zone calls its offset at an instant, such as CEST."""
        moment = _EPOCH_UTC + timedelta(microseconds=instant)
        return moment.astimezone(self._zone).tzname() or ""

    def goes_back_within(self, first: int, last: int) -> bool:
        """Whether the clocks go back between two instants, or within two days of them."""
        if self._is_utc:
            return False
        years = range(_year(first - 2 * DAY), _year(last + 2 * DAY) + 1)
        near = (time for year in years for time in _times_back(self.name, year))
        return any(first - 2 * DAY <= time <= last + 2 * DAY for time in near)


def _year(instant: int) -> int:
    return (_EPOCH + timedelta(microseconds=instant)).year


@lru_cache(maxsize=4096)
def _times_back(zone: str, year: int) -> tuple[int, ...]:
    """The instants (µs, to the day) of a year at which a zone's clocks go back."""
    clocks = ZoneInfo(zone)
    found = []
    moment = datetime(year, 1, 1, tzinfo=UTC)
    before = moment.astimezone(clocks).utcoffset()
    while moment.year == year:
        moment += timedelta(days=1)
        offset = moment.astimezone(clocks).utcoffset()
        if offset is not None and before is not None and offset < before:
            found.append((moment - _EPOCH_UTC) // _MICROSECOND)
        before = offset
    return tuple(found)


def read_stamp(text: str, forms: tuple[str, ...]) -> tuple[int, str]:
    """The time in a text (µs), and what the text says of its zone.

    That is "UTC" where the text has an offset, the name of one where the form has `%Z`, and nothing for a
    local time, which is counted as if it were UTC. 24:00 is the end of its day. ValueError when the text has
    none of the forms, which are those of `strptime` or RFC_3339; none of them is RFC_3339 alone.
    """
    for form in forms or (RFC_3339,):
        found = _in_form(text, form)
        if found is not None:
            return found
        for hour in _HOUR_24.finditer(text):
            found = _in_form(text[: hour.start()] + "00" + text[hour.end() :], form)
            if found is not None and (found[1] == INSTANT or found[0] % DAY == 0):
                return found[0] + DAY, found[1]
    if not forms:
        parse_instant(text, "UTC")  # raises, and says why
    raise ValueError(f"{text[:40]!r} is not written like {' or '.join(_example(form) for form in forms)}")


def is_hour_24(text: str) -> bool:
    """Whether a stamp is the end of a day, as 24:00."""
    return bool(_HOUR_24.search(text))


def local_micros(text: str, forms: tuple[str, ...]) -> int:
    """A stamp without offset, counted as if it were UTC. ValueError when it has none of the forms."""
    return read_stamp(text, forms)[0]


def _in_form(text: str, form: str) -> tuple[int, str] | None:
    try:
        if form == RFC_3339:
            tight = _BLANK_BEFORE_OFFSET.sub("", text)
            offset = _OFFSET.search(tight[TOP_OF_A_STAMP:])
            return parse_instant(tight, "UTC")[0], INSTANT if offset else ""
        name = ""
        if form.endswith("%Z"):
            found = _NAME.search(text)
            if found is None:
                return None
            name, text, form = found[1].upper(), text[: found.start()], form[:-2].rstrip()
        stamp = datetime.strptime(text, form)
        if stamp.tzinfo is not None:
            return (stamp - _EPOCH_UTC) // _MICROSECOND, INSTANT
        return (stamp - _EPOCH) // _MICROSECOND, INSTANT if name == "Z" else name
    except (ValueError, OverflowError):
        return None


def _example(form: str) -> str:
    example = datetime(2024, 12, 31, 23, 30, tzinfo=UTC)
    return str(example.replace(tzinfo=None)) if form == RFC_3339 else example.strftime(form)
