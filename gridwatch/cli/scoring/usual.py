"""What a meter usually uses, worked out from its windows alone. Pure.

This is a second implementation of the baseline of docs/anomalies.md, which shares nothing with the worker's.
Power in mW, times in µs.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from gridwatch.domain.policy import HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SATURDAY = 5
_HOURS = 24
_ENOUGH, _ENOUGH_DAYS = 3, 96
_STEADY = 5
#: What counts as a difference at least, mW.
LEAST = 200_000


class Usual(NamedTuple):
    """A mean and a deviation."""

    mean: int
    deviation: int

    @property
    def clear(self) -> int:
        """How far from the mean a power lies that is surely another one."""
        return max(3 * self.deviation, LEAST)


class Days(NamedTuple):
    """The calendar of a meter: its zone, and the holidays of its region (ISO dates)."""

    zone: str
    holidays: Collection[str] = ()

    def bucket(self, start: int, length: int) -> int:
        """The bucket of a window: the hour, after those of working days those of the others. Longer windows
        have two buckets."""
        local = (_EPOCH + start * _MICROSECOND).astimezone(ZoneInfo(self.zone))
        works = local.weekday() < _SATURDAY and local.date().isoformat() not in self.holidays
        return (local.hour if length <= HOUR else 0) + _HOURS * (not works)


class Usage:
    """What is known of one meter; powers are without the level that was used."""

    def __init__(self) -> None:
        self._buckets: dict[int, tuple[Usual, int]] = {}
        self._day = Usual(0, 0)
        self._days = 0

    @property
    def day(self) -> Usual | None:
        """That of the whole day, once enough is known."""
        return self._day if self._days == _ENOUGH_DAYS else None

    def raw(self, bucket: int, length: int) -> Usual | None:
        """The baseline of a window before any level."""
        if (own := self._settled(bucket)) is not None:
            return own
        first = bucket - bucket % _HOURS
        around = (first + (bucket - 1) % _HOURS, first + (bucket + 1) % _HOURS) if length <= HOUR else ()
        near = [found for at in around if (found := self._settled(at)) is not None]
        if near:
            return Usual(
                sum(one.mean for one in near) // len(near), sum(one.deviation for one in near) // len(near)
            )
        return self.day

    def learn(self, bucket: int, power: int) -> None:
        """Take the power of a window that was judged."""
        known, count = self._buckets.get(bucket, (Usual(power, 0), 0))
        clipped = power
        if count == _ENOUGH:
            clipped = min(max(power, known.mean - known.clear), known.mean + known.clear)
        moved = _moved(known, clipped, _STEADY if count == _ENOUGH else count + 1)
        self._buckets[bucket] = moved, min(count + 1, _ENOUGH)
        self._days = min(self._days + 1, _ENOUGH_DAYS)
        self._day = Usual(power, 0) if self._days == 1 else _moved(self._day, power, self._days)

    def _settled(self, bucket: int) -> Usual | None:
        known = self._buckets.get(bucket)
        return known[0] if known is not None and known[1] == _ENOUGH else None


def _moved(known: Usual, power: int, share: int) -> Usual:
    off = power - known.mean
    return Usual(known.mean + off // share, known.deviation + (abs(off) - known.deviation) // share)
