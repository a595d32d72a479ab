"""Parses and formats instants: text on the wire, int microseconds since the Unix epoch (UTC) inside.

Input: ``YYYY-MM-DD[T| ]HH:MM[:SS[.fraction]][Z|±HH:MM|±HHMM|±HH]`` (``t`` and ``z`` too), nothing else.
Digits beyond the microsecond are dropped. A stamp without offset is read in the configured zone. Where the
clocks went back and two instants fit, the earlier one is returned and the stamp is ambiguous
(``repeated_hour`` resolves it). A local time that the clocks skipped is rejected. So are leap seconds
(``:60``): they cannot be written back.

Output: RFC 3339 in UTC with ``Z``, a fraction only when it is not zero, trailing zeros trimmed.

Years from 2 on are read, so that a watermark just before an instant can be written too. So are the last
years of the calendar: such a stamp is well-formed, and is rejected because it lies in the future.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

_STAMP: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?"
    r"(?:([Zz])|([+-])([0-9]{2})(?::?([0-9]{2}))?)?"
)
_MARGIN: Final = 3 * 86_400_000_000  # cached parts of a stamp are added only this far from both ends
_EPOCH: Final = datetime(1970, 1, 1)
_EPOCH_UTC: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_MINUTE: Final = 60_000_000
EARLIEST: Final = (datetime(2, 1, 1) - _EPOCH) // _MICROSECOND
LATEST: Final = (datetime(9999, 1, 1) - _EPOCH) // _MICROSECOND
MAX_STAMPS: Final = 50_000
"""Size of each cache of stamps and their parts."""


def parse_instant(text: str, zone: str = "UTC") -> tuple[int, bool]:
    """The instant that ``text`` names, in microseconds, and whether two instants had the same name.

    ``zone`` is the IANA name used for a stamp without offset. Raises ``ValueError`` for any other form, for a
    date that does not exist, and for a local time that the zone skipped.
    """
    match = _STAMP.fullmatch(text)
    if match is None:
        raise ValueError(f"not an RFC 3339 instant: {text[:40]!r}")
    year, month, day, hour, minute, second, fraction, utc, sign, off_hours, off_minutes = match.groups()
    micros = int(fraction[:6].ljust(6, "0")) if fraction else 0
    stamp = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0), micros)
    ambiguous = False
    if utc is not None:
        instant = (stamp - _EPOCH) // _MICROSECOND
    elif sign is not None:
        hours, minutes = int(off_hours), int(off_minutes or 0)
        if hours > 23 or minutes > 59:
            raise ValueError(f"no such offset: {text[:40]!r}")
        offset = (hours * 60 + minutes) * 60_000_000
        instant = (stamp - _EPOCH) // _MICROSECOND - (offset if sign == "+" else -offset)
    elif zone == "UTC":
        instant = (stamp - _EPOCH) // _MICROSECOND
    else:
        instant, ambiguous = _in_zone(stamp, _zone(zone))
    if instant < EARLIEST:
        raise ValueError(f"before the year 2: {text[:40]!r}")
    return instant, ambiguous


def second_instant(first: int, zone: str) -> int:
    """The other of two instants with one local name in ``zone``; ``first`` is the earlier one. Both in µs."""
    local = (_EPOCH_UTC + timedelta(microseconds=first)).astimezone(_zone(zone))
    again = local.replace(fold=1).astimezone(UTC)
    return (again - _EPOCH_UTC) // _MICROSECOND


class Stamps:
    """Parses stamps as ``parse_instant`` does, through a cache.

    Most stamps repeat; of the others, the minute and the rest after it repeat. Parts are cached only where
    they add up: not in a zone whose clocks change.
    """

    __slots__ = ("_minutes", "_rests", "_zone", "known")

    def __init__(self, zone: str) -> None:
        self._zone = zone
        self.known: dict[str, int] = {}
        """Instant by stamp, none of them ambiguous."""
        self._minutes: dict[str, int] = {}
        self._rests: dict[str, int] = {}

    def read(self, text: str) -> tuple[int, bool]:
        """As ``parse_instant``."""
        instant = self.instant(text)
        return parse_instant(text, self._zone) if instant is None else (instant, False)

    def instant(self, text: str) -> int | None:
        """The instant of a stamp; None if it cannot be read, or is ambiguous."""
        instant = self.known.get(text)
        if instant is None:
            minute, rest = self._minutes.get(text[:16]), self._rests.get(text[16:])
            if minute is None or rest is None:
                return self._learn(text)
            for cache in (self.known, self._minutes, self._rests):
                if len(cache) >= MAX_STAMPS:
                    cache.clear()
            instant = self.known[text] = minute + rest
        return instant

    def _learn(self, text: str) -> int | None:
        try:
            instant, ambiguous = parse_instant(text, self._zone)
        except ValueError:
            return None
        minute, rest = text[:16], text[16:]
        adds_up = self._zone == "UTC" or rest.endswith(("Z", "z"))
        if adds_up and EARLIEST + _MARGIN < instant < LATEST - _MARGIN:
            start, _ = parse_instant(minute + "Z")
            self._minutes[minute], self._rests[rest] = start, instant - start
        return None if ambiguous else instant


def format_instant(micros: int) -> str:
    """``micros`` as RFC 3339 UTC, such as ``2024-01-01T10:00:00Z`` or ``2024-01-01T10:00:00.5Z``."""
    text = (_EPOCH + timedelta(microseconds=micros)).isoformat()
    if micros % 1_000_000:
        return text.rstrip("0") + "Z"
    return text + "Z"


#: As `format_instant`, and remembered: most readings share their stamps, and a step its watermark.
instant_text = lru_cache(maxsize=8192)(format_instant)


def _in_zone(stamp: datetime, zone: ZoneInfo) -> tuple[int, bool]:
    try:
        first, second = (stamp.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        back = first.astimezone(zone).replace(tzinfo=None)
    except OverflowError as error:
        raise ValueError(f"outside of the calendar in {zone.key}: {stamp}") from error
    if back != stamp:
        raise ValueError(f"{stamp} does not exist in {zone.key}: the clocks went forward over it")
    return (min(first, second) - _EPOCH_UTC) // _MICROSECOND, first != second


@lru_cache(maxsize=16)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def minutes_of(duration: int) -> int | float:
    """A duration in minutes; whole ones as an int."""
    return duration / _MINUTE if duration % _MINUTE else duration // _MINUTE
