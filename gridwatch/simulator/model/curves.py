"""What a meter of each class draws by the clock and the weather: power by region and quarter of an hour.

The curve of the class (working day or weekend, local time, on the straight line between full hours) × the
season; for heat pumps the cold on top, for street lighting the dark; panels are taken off. What they make
beyond the need of the house is fed in: a curve of its own, after those of the classes. Within a quarter
power is constant, so energy is its sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gridwatch.simulator.model.calendar import (
    QUARTER,
    QUARTERS,
    cold,
    local_quarters,
    place_in_year,
    sun,
)
from gridwatch.simulator.model.classes import KINDS, Hours
from gridwatch.simulator.model.draws import Ints
from gridwatch.simulator.model.weather import Weather

#: A curve for each class, and what panels feed in.
FEED_IN = len(KINDS)
CURVES = FEED_IN + 1
_WARM = 160
_DARK = -50
_DAYS_AT_ONCE = 64


@dataclass(frozen=True)
class DayCurves:
    """All curves of a day, by region × curve: J up to the day, W by quarter, J from midnight by quarter."""

    before: Ints
    watts: Ints
    joules: Ints

    def until(self, seconds: Ints) -> Ints:
        """J since the beginning, by second of the day (0 … 86400) and curve."""
        quarter = np.minimum(seconds // QUARTER, QUARTERS - 1)
        rest = seconds - quarter * QUARTER
        until: Ints = self.before + self.joules[:, quarter].T + self.watts[:, quarter].T * rest[:, None]
        return until


class Curves:
    """The curves of all regions; days that follow each other are quick."""

    def __init__(self, seed: int, regions: Sequence[str], zone: str) -> None:
        self._zone = zone
        self._weather = [Weather(seed, region) for region in regions]
        self._before = np.zeros(len(regions) * CURVES, np.int64)
        self._next = 0

    def of(self, day: int) -> DayCurves:
        """The curves of a day, counted from 2020-01-01."""
        if day < self._next:
            self._next, self._before = 0, np.zeros_like(self._before)
        while self._next < day:
            days = range(self._next, min(day, self._next + _DAYS_AT_ONCE))
            self._before = self._before + QUARTER * self._watts(days).sum(axis=(1, 2))
            self._next = days.stop
        watts = self._watts(range(day, day + 1))[:, 0, :]
        joules = np.zeros((len(watts), QUARTERS), np.int64)
        np.cumsum(QUARTER * watts[:, :-1], axis=1, out=joules[:, 1:])
        return DayCurves(self._before, watts, joules)

    def _watts(self, days: range) -> Ints:
        """W by region × curve, day and quarter."""
        quarter, weekend = local_quarters(self._zone, days)
        year = place_in_year(np.arange(days.start, days.stop, dtype=np.int64))
        winter, height = cold()[year][:, None], sun()[year]
        by_clock = [
            np.where(weekend, _quarters(kind.weekend)[quarter], _quarters(kind.workday)[quarter])
            * (1_000_000 + kind.winter * winter)
            // 1_000_000
            + np.where(height < _DARK, kind.lamps, 0)
            for kind in KINDS
        ]
        found = []
        for weather in self._weather:
            cold_by = np.maximum(_WARM - weather.temperature(days), 0)
            light = np.maximum(height, 0) * (1000 - weather.clouds(days) * 3 // 4)
            fed_in = np.zeros_like(light)
            for kind, power in zip(KINDS, by_clock, strict=True):
                need = power + kind.heat * cold_by // 10
                made = kind.panels * light // 1_000_000
                found.append(np.maximum(need - made, kind.idle))
                fed_in += np.maximum(made - need, 0)
            found.append(fed_in)
        return np.stack(found)


@lru_cache(maxsize=64)
def _quarters(hours: Hours) -> Ints:
    """W by quarter of the day, on the straight line between full hours."""
    table = [
        (hours[at // 4] * (4 - at % 4) + hours[(at // 4 + 1) % 24] * (at % 4)) // 4 for at in range(QUARTERS)
    ]
    return np.array(table, np.int64)
