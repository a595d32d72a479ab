"""Quarters of UTC days in local time: hour of the day, weekend, season, height of the sun.

A day has 96 quarters of an hour; all changes of clocks fall on such a quarter. The sun is that of 50° N,
10° E: declination by the season, height by the hour angle, the textbook formula.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from gridwatch.simulator.model.draws import Ints

DAY = 86_400
QUARTER = 900
QUARTERS = 96
#: Days are counted from 2020-01-01, a Wednesday; registers began before that.
EPOCH_DAY = 18_262
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
_WEDNESDAY, _SATURDAY = 2, 5
_LATITUDE, _LONGITUDE_HOURS = math.radians(50), 10 / 15
_TILT = math.radians(23.44)


def day_of(second: int) -> int:
    """The day that a second since the Unix epoch lies in."""
    return second // DAY - EPOCH_DAY


def day_start(day: int) -> int:
    """The first second of a day, since the Unix epoch."""
    return (day + EPOCH_DAY) * DAY


def place_in_year(days: Ints) -> Ints:
    """0 on about the first of January to 365."""
    return days * 100 % 36_525 // 100


@lru_cache(maxsize=1)
def cold() -> Ints:
    """By place in the year: ‰ of the way from the mean (0) to the depth of winter (1000)."""
    return np.array([round(1000 * math.cos(math.tau * (day - 18) / 365.25)) for day in range(366)], np.int64)


@lru_cache(maxsize=1)
def sun() -> Ints:
    """By place in the year and quarter: the sine of the sun's height, ‰; below zero at night."""
    table = []
    for day in range(366):
        declination = -_TILT * math.cos(math.tau * (day + 10) / 365.25)
        row = []
        for quarter in range(QUARTERS):
            angle = math.tau * ((quarter + 0.5) / 4 + _LONGITUDE_HOURS - 12) / 24
            height = math.sin(_LATITUDE) * math.sin(declination)
            height += math.cos(_LATITUDE) * math.cos(declination) * math.cos(angle)
            row.append(round(1000 * height))
        table.append(row)
    return np.array(table, np.int64)


def offsets(zone: str, days: range) -> Ints:
    """By day and quarter: local time less UTC, in quarters."""
    local = ZoneInfo(zone)

    def offset(quarters: int) -> int:
        found = (_EPOCH + timedelta(minutes=15 * quarters)).astimezone(local).utcoffset()
        return 0 if found is None else found // timedelta(minutes=15)

    edges = [offset(day * QUARTERS) for day in [*days, days.stop]]
    table = np.repeat(np.array(edges[:-1], np.int64)[:, None], QUARTERS, axis=1)
    for at, day in enumerate(days):
        if edges[at] != edges[at + 1]:
            table[at] = [offset(day * QUARTERS + quarter) for quarter in range(QUARTERS)]
    return table


def local_quarters(zone: str, days: range) -> tuple[Ints, NDArray[np.bool_]]:
    """By day and quarter: the quarter of the local day, and whether that is on a weekend."""
    moved = np.arange(QUARTERS, dtype=np.int64) + offsets(zone, days)
    local_day = np.arange(days.start, days.stop, dtype=np.int64)[:, None] + moved // QUARTERS
    return moved % QUARTERS, (local_day + _WEDNESDAY) % 7 >= _SATURDAY
