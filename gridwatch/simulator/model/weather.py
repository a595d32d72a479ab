"""The weather of a region: temperature and clouds, from (seed, region, t).

Temperature, in tenths of °C: a mean of 10 °C, 10 K colder in the depth of winter and as much warmer in
summer, 4 K up and down over the day with its top at three in the afternoon, and spells of up to 6 K that
change over three days. Clouds, in ‰ of the sky: drawn every six hours, and in between on the straight line.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from gridwatch.simulator.model.calendar import QUARTERS, cold, place_in_year
from gridwatch.simulator.model.draws import Ints, between, draw, keys

_SPELL_QUARTERS = 3 * QUARTERS
_CLOUD_QUARTERS = QUARTERS // 4


class Weather:
    """The weather of one region, by its name."""

    def __init__(self, seed: int, region: str) -> None:
        nobody = np.zeros(1, np.int64)
        self._spells = keys(seed, f"spells/{region}", nobody)
        self._clouds = keys(seed, f"clouds/{region}", nobody)
        self._offset = int(draw(self._spells, -1, 41)[0]) - 20

    def temperature(self, days: range) -> Ints:
        """Tenths of °C by day and quarter."""
        day = np.arange(days.start, days.stop, dtype=np.int64)
        season = 100 - cold()[place_in_year(day)] // 10
        spell = between(self._spells, _quarters(days), _SPELL_QUARTERS, 121) - 60
        temperature: Ints = self._offset + season[:, None] + _course() + spell
        return temperature

    def clouds(self, days: range) -> Ints:
        """‰ of the sky by day and quarter."""
        return between(self._clouds, _quarters(days), _CLOUD_QUARTERS, 1001)


def _quarters(days: range) -> Ints:
    """The number of each quarter since the beginning, by day and quarter of it."""
    return np.arange(days.start * QUARTERS, days.stop * QUARTERS, dtype=np.int64).reshape(-1, QUARTERS)


@lru_cache(maxsize=1)
def _course() -> Ints:
    """The course of a day's temperature, tenths of K by quarter."""
    peak = 56  # 14:00 UTC
    return np.array(
        [round(40 * math.cos(math.tau * (q - peak) / QUARTERS)) for q in range(QUARTERS)], np.int64
    )
