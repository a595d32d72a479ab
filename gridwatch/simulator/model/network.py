"""The grid that meters hang on: power to voltage, current and power factor; one frequency for all.

Voltage leaves the substation at 236 V ± 1.5 V, which drifts by region, and falls along the feeder with its
load against what it was built for: up to 15 V at that load at its far end, 24 V at 160% of it. What panels
feed in lifts it. Between 207 V and 253 V (EN 50160: 230 V ± 10%) in any case.

Frequency is 50 Hz ± 40 mHz, drawn for every minute and on the straight line in between.
"""

from __future__ import annotations

import numpy as np

from gridwatch.simulator.model.classes import KINDS
from gridwatch.simulator.model.draws import Ints, between, draw, keys
from gridwatch.simulator.model.fleet import Fleet

LEAST_VOLTAGE, MOST_VOLTAGE = 20_700, 25_300
"""Hundredths of V."""
LEAST_POWER_FACTOR, MOST_POWER_FACTOR = 850, 1000
"""‰."""
_SOURCE, _DRIFT, _DROP = 23_600, 150, 1_500
_LEAST_LOAD, _MOST_LOAD = -600, 1_600
_MINUTE, _QUARTER = 60, 900


class Network:
    """What follows from the power of all meters of a fleet. Power is in hundredths of W."""

    def __init__(self, fleet: Fleet) -> None:
        nobody = np.zeros(1, np.int64)
        regions = np.arange(len(fleet.region_names), dtype=np.int64)
        self._drifts = keys(fleet.seed, "voltage", regions)
        self._pulse = keys(fleet.seed, "frequency", nobody)
        self._factors = keys(fleet.seed, "power-factor", fleet.number)
        self._usual_factor = np.array([kind.power_factor for kind in KINDS], np.int64)[fleet.kind]
        self._fleet = fleet
        self._built_for = np.add.reduceat(fleet.peak, fleet.feeder_starts) * 100

    def voltage(self, instants: Ints, net_power: Ints) -> Ints:
        """Hundredths of V by instant and meter; `net_power` is less what is fed in."""
        fleet = self._fleet
        load = np.add.reduceat(net_power, fleet.feeder_starts, axis=1) * 1000 // self._built_for
        drop = np.clip(load, _LEAST_LOAD, _MOST_LOAD) * _DROP // 1000
        source = _SOURCE - _DRIFT + between(self._drifts, instants[:, None], _QUARTER, 2 * _DRIFT + 1)
        voltage = source[:, fleet.region] - drop[:, fleet.feeder] * fleet.place // 1000
        limited: Ints = np.clip(voltage, LEAST_VOLTAGE, MOST_VOLTAGE)
        return limited

    def power_factor(self, instants: Ints) -> Ints:
        """‰ by instant and meter: what is usual for the class, a little up and down every quarter."""
        factor = self._usual_factor - 15 + draw(self._factors, instants[:, None] // _QUARTER, 31)
        limited: Ints = np.clip(factor, LEAST_POWER_FACTOR, MOST_POWER_FACTOR)
        return limited

    def frequency(self, instants: Ints) -> Ints:
        """mHz by instant."""
        return 49_960 + between(self._pulse, instants, _MINUTE, 81)


def current(power: Ints, voltage: Ints, power_factor: Ints) -> Ints:
    """Tenths of mA: I = P / (V · pf), rounded."""
    through = voltage * power_factor
    rounded: Ints = (power * 10_000_000 + through // 2) // through
    return rounded
