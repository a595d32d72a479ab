"""Local days and changes of the clocks, from the zone data alone. Instants are minutes since 1970, UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from random import Random
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = (
    "Europe/Berlin", "Europe/London", "America/New_York", "Australia/Sydney", "Australia/Lord_Howe", "UTC",
    "Asia/Kolkata",
)  # fmt: skip
DAY = 1440


def moment(instant: int) -> datetime:
    """An instant, in UTC."""
    return EPOCH + timedelta(minutes=instant)


def shown(instant: int, zone: str) -> datetime:
    """What the clocks of a zone show at an instant, with the offset."""
    return moment(instant).astimezone(ZoneInfo(zone))


def midnight(day: date, zone: str) -> int:
    """When a local day begins."""
    start = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
    return int((start.astimezone(UTC) - EPOCH) / timedelta(minutes=1))


def length(day: date, zone: str) -> int:
    """The minutes of a local day."""
    return midnight(day + timedelta(days=1), zone) - midnight(day, zone)


@lru_cache(maxsize=256)
def changes(zone: str, year: int) -> tuple[tuple[date, int], ...]:
    """The days of a year that are not of 24 hours, and by how many minutes they are longer."""
    days = (date(year, 1, 1) + timedelta(days=n) for n in range(365))
    return tuple((day, length(day, zone) - DAY) for day in days if length(day, zone) != DAY)


def some_days(rng: Random, zone: str, years: tuple[int, ...] = (2019, 2021, 2023, 2024)) -> tuple[date, int]:
    """A first day and a number of days; mostly the clocks change on one of them."""
    count, year = rng.choice((1, 1, 2, 2, 3)), rng.choice(years)
    changing = changes(zone, year)
    if changing and rng.random() < 0.8:
        return rng.choice(changing)[0] - timedelta(days=rng.randrange(count)), count
    return date(year, 1, 1) + timedelta(days=rng.randrange(350)), count
