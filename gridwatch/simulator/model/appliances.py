"""How long each appliance has run since the beginning, at any instant.

An appliance starts once a day, at a moment drawn for (meter, appliance, day), and runs for its mean plus the
difference of two draws, those of the next day and of its own: D(d) = mean + u(d + 1) − u(d), u in 0 … mean.
So what has run over n days is n × mean + u(n) − u(0), without adding them up, and a day of much is followed
by one of less, as with laundry and charging.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridwatch.simulator.model.calendar import DAY, QUARTER, QUARTERS, offsets
from gridwatch.simulator.model.classes import KINDS
from gridwatch.simulator.model.draws import Ints, Keys, draw, keys
from gridwatch.simulator.model.fleet import Fleet

_MOST = max(len(kind.appliances) for kind in KINDS)
_NOON = QUARTERS // 2


@dataclass(frozen=True)
class _Runs:
    """One appliance of each meter. Seconds, but for the power (mW); 0 where a meter has none."""

    chance: Keys
    power: Ints
    mean: Ints
    earliest: Ints
    spread: Ints


@dataclass(frozen=True)
class _Day:
    """When one appliance of each meter runs yesterday and today, in seconds of today."""

    power: Ints
    #: What ran up to the beginning of yesterday.
    before: Ints
    start_before: Ints
    length_before: Ints
    start: Ints
    length: Ints


class Appliances:
    """All appliances of a fleet."""

    def __init__(self, fleet: Fleet, zone: str) -> None:
        self._zone = zone
        self._runs = [runs for at in range(_MOST) if (runs := _dealt(fleet, at)).power.any()]
        self._today: tuple[int, list[_Day]] | None = None

    def add_energy(self, day: int, seconds: Ints, onto: Ints) -> None:
        """Add mJ used since the beginning, by second of the day (0 … 86400) and meter, to `onto`."""
        if self._today is None or self._today[0] != day:
            self._today = (day, [self._day(runs, day) for runs in self._runs])
        moment = seconds[:, None]
        for one in self._today[1]:
            run = np.clip(moment - one.start, 0, one.length)
            if (one.start_before + one.length_before > 0).any():
                run += np.clip(moment - one.start_before, 0, one.length_before)
                run += one.before
            else:
                run += one.before + one.length_before
            run *= one.power
            onto += run

    def _day(self, runs: _Runs, day: int) -> _Day:
        used = [draw(runs.chance, when, runs.mean + 1) for when in (0, day - 1, day, day + 1)]
        return _Day(
            runs.power,
            (day - 1) * runs.mean + used[1] - used[0],
            self._start(runs, day - 1) - DAY,
            runs.mean + used[2] - used[1],
            self._start(runs, day),
            runs.mean + used[3] - used[2],
        )

    def _start(self, runs: _Runs, day: int) -> Ints:
        """Second of the UTC day; the hour is local."""
        offset = int(offsets(self._zone, range(day, day + 1))[0, _NOON]) * QUARTER
        # Draws about starts are apart from those about lengths.
        start: Ints = (runs.earliest - offset + draw(runs.chance, day + (1 << 40), runs.spread + 1)) % DAY
        return start


def _dealt(fleet: Fleet, at: int) -> _Runs:
    """The appliance number `at` of each meter."""
    chance = keys(fleet.seed, f"appliance/{at}", fleet.number)
    power, mean, earliest, spread = (np.zeros(len(fleet.ids), np.int64) for _ in range(4))
    for number, kind in enumerate(KINDS):
        if at >= len(kind.appliances):
            continue
        appliance = kind.appliances[at]
        has = (fleet.kind == number) & (draw(chance, -10, 1000) < appliance.share)
        least, most = appliance.watts
        power[has] = 1000 * (least + draw(chance, -11, most - least + 1)[has])
        mean[has] = 60 * appliance.minutes
        earliest[has] = round(3600 * appliance.hour)
        spread[has] = round(3600 * appliance.spread)
    return _Runs(chance, power, mean, earliest, spread)
