"""A window as it is judged, and its bucket. Power mW, voltage mV, frequency mHz, power factor in millionths;
times µs."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tests.model.stamps import DAY, EPOCH, HOUR

SATURDAY = 5


class Window(NamedTuple):
    """One window of consumption, or one slot."""

    start: int
    length: int
    x: int | None  # its power
    voltage: int | None
    frequency: int | None
    factor: int | None

    @property
    def end(self) -> int:
        return self.start + self.length

    @property
    def silence(self) -> int:
        """How long nothing may be judged after it."""
        return max(DAY, 3 * self.length)


class Bucket(NamedTuple):
    """Whether it is of working days, and its hour: None where windows are longer than an hour."""

    working: bool
    hour: int | None

    def neighbours(self) -> list[Bucket]:
        """The hours before and after, of the same kind of day."""
        if self.hour is None:
            return []
        return [Bucket(self.working, (self.hour + away) % 24) for away in (-1, 1)]


def bucket_of(window: Window, zone: str, holidays: tuple[str, ...]) -> Bucket:
    """By the local hour and date in which the window begins."""
    local = (EPOCH + timedelta(microseconds=window.start)).astimezone(ZoneInfo(zone))
    working = local.weekday() < SATURDAY and local.date().isoformat() not in holidays
    return Bucket(working, local.hour if window.length <= HOUR else None)
