"""The register of every meter at any instant, in mJ: the one thing that all else follows from.

register(meter, t) = what it began with
    + scale × the curve of its class (`curves.py`)
    + its appliances (`appliances.py`)
    + its compressor: power × (whole periods × time on + time on in this one)
    + flicker: on the straight line between numbers drawn for every minute, so that power has a little noise
      and the sum none

Each term is known for t alone. It never falls: flicker takes at most half of what the class draws idle.
"""

from __future__ import annotations

import numpy as np

from gridwatch.simulator.model.appliances import Appliances
from gridwatch.simulator.model.calendar import day_of, day_start
from gridwatch.simulator.model.classes import KINDS
from gridwatch.simulator.model.curves import CURVES, FEED_IN, Curves
from gridwatch.simulator.model.draws import Ints, draw, keys
from gridwatch.simulator.model.fleet import Fleet

_MINUTE = 60
#: What registers began with, kWh, at most; at least a thousand, so that none is near zero.
_BEGAN = 40_000
_MILLIJOULES_A_KWH = 3_600_000_000


class Energy:
    """Registers of a fleet whose clocks on the wall are those of `zone`."""

    def __init__(self, fleet: Fleet, zone: str) -> None:
        self._curves = Curves(fleet.seed, fleet.region_names, zone)
        self._appliances = Appliances(fleet, zone)
        self._scale = fleet.scale
        self._curve = fleet.region * CURVES + fleet.kind
        chance = keys(fleet.seed, "device", fleet.number)
        self._began = _MILLIJOULES_A_KWH * (1000 + draw(chance, 0, _BEGAN))
        watts = np.array([kind.compressor[0] for kind in KINDS], np.int64)[fleet.kind]
        minutes = np.array([kind.compressor[1] for kind in KINDS], np.int64)[fleet.kind]
        self._compressor = watts * fleet.scale
        self._period = minutes * 45 + draw(chance, 1, minutes * 30)
        self._on = self._period // 3
        self._phase = draw(chance, 2, self._period)
        self._noise = keys(fleet.seed, "flicker", fleet.number)
        self._flicker = np.array([kind.idle for kind in KINDS], np.int64)[fleet.kind] * fleet.scale // 2
        #: Meters with panels, by their place in the fleet.
        self.feeding = np.flatnonzero(np.array([kind.panels > 0 for kind in KINDS])[fleet.kind]).astype(
            np.int64
        )
        self._feeding_curve = fleet.region[self.feeding] * CURVES + FEED_IN
        self._feeding_scale = fleet.scale[self.feeding]

    def registers(self, instants: Ints) -> tuple[Ints, Ints]:
        """mJ taken, by instant and meter, and mJ fed in, by instant and meter of `feeding`.

        `instants` are seconds since the Unix epoch, rising, from 2020 on.
        """
        taken, fed = [], []
        first, last = day_of(int(instants[0])), day_of(int(instants[-1]))
        edges = np.searchsorted(instants, [day_start(day) for day in range(first, last + 2)])
        for day, begin, end in zip(range(first, last + 1), edges[:-1], edges[1:], strict=True):
            if begin < end:
                of_day = self._of_day(day, instants[begin:end])
                taken.append(of_day[0])
                fed.append(of_day[1])
        return np.concatenate(taken), np.concatenate(fed)

    def _of_day(self, day: int, instants: Ints) -> tuple[Ints, Ints]:
        seconds = instants - day_start(day)
        curves = self._curves.of(day).until(seconds)
        found = curves[:, self._curve]
        found *= self._scale
        found += self._began
        self._appliances.add_energy(day, seconds, found)
        periods, rest = np.divmod(instants[:, None] + self._phase, self._period)
        periods *= self._on
        periods += np.minimum(rest, self._on)
        periods *= self._compressor
        found += periods
        found += self._flickered(instants)
        return found, curves[:, self._feeding_curve] * self._feeding_scale

    def _flickered(self, instants: Ints) -> Ints:
        minute, second = instants[:, None] // _MINUTE, instants[:, None] % _MINUTE
        here = draw(self._noise, minute, self._flicker) * (_MINUTE - second)
        if second.any():
            here += draw(self._noise, minute + 1, self._flicker) * second
        return here
