"""Readings as rows of the raw topic, and what they come to.

Besides what the contract asks for, a row says `interval_seconds` and `energy_register_kwh` (the register at
the end of its interval), and with panels `export_kwh` and `export_register_kwh`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from gridwatch.domain.policy import MINUTE, SECOND
from gridwatch.simulator.model.classes import KINDS
from gridwatch.simulator.model.network import (
    LEAST_POWER_FACTOR,
    LEAST_VOLTAGE,
    MOST_POWER_FACTOR,
    MOST_VOLTAGE,
)
from gridwatch.simulator.model.readings import Meters, Readings
from replay.files.rows import Row

_VOLTS = [f"{value / 100:.2f}" for value in range(LEAST_VOLTAGE, MOST_VOLTAGE + 1)]
_FACTORS = [f"{value / 1000:.3f}" for value in range(LEAST_POWER_FACTOR, MOST_POWER_FACTOR + 1)]
#: mWh in a kWh.
_KWH = 1_000_000
_SHOWN = 3


class Rows:
    """Turns the readings of a fleet into rows, in order of time and meter."""

    def __init__(self, meters: Meters) -> None:
        fleet, every = meters.fleet, meters.every
        self._fleet = fleet
        self._feeding = meters.feeding.tolist()
        self._minutes = given_minutes(every)
        interval = f',"interval_minutes":{self._minutes}' if self._minutes else ""
        self._heads = [
            f'{interval},"interval_seconds":{every},"region":"{fleet.region_names[region]}","voltage":'
            for region in fleet.region.tolist()
        ]
        self._taken = np.zeros(len(fleet.ids), np.int64)
        #: mWh that panels have fed in.
        self.fed_in = 0
        self.first: list[Row] = []

    def of(self, blocks: Iterable[Readings]) -> Iterator[list[Row]]:
        """The rows of readings."""
        for readings in blocks:
            self._taken += readings.energy.sum(axis=0)
            self.fed_in += int(readings.fed_in.sum())
            rows = self._rows(readings)
            if not self.first:
                self.first = rows[:_SHOWN]
            yield rows

    @property
    def energy(self) -> dict[str, tuple[int, float]]:
        """By class: how many meters, and kWh taken so far."""
        return {
            kind.name: (int(of_kind.sum()), int(self._taken[of_kind].sum()) / _KWH)
            for number, kind in enumerate(KINDS)
            if (of_kind := self._fleet.kind == number).any()
        }

    def _rows(self, readings: Readings) -> list[Row]:
        found: list[Row] = []
        ids, heads, minutes = self._fleet.ids, self._heads, self._minutes
        energy, register = (readings.energy / _KWH).tolist(), (readings.register / _KWH).tolist()
        power, current = (readings.power / 100_000).tolist(), (readings.current / 10_000).tolist()
        voltage = (readings.voltage - LEAST_VOLTAGE).tolist()
        factor = (readings.power_factor - LEAST_POWER_FACTOR).tolist()
        for at, (second, hertz) in enumerate(
            zip(readings.instants.tolist(), readings.frequency.tolist(), strict=True)
        ):
            time = second * SECOND
            last = f',"frequency":{hertz / 1000:.3f},"energy_register_kwh":'
            rows: list[Row] = [
                (
                    time,
                    meter,
                    kwh,
                    minutes,
                    f'{head}{_VOLTS[v]},"current":{i:.4f},"power_kw":{p:.5f},"power_factor":{_FACTORS[f]}'
                    f"{last}{total:.6f}",
                )
                for meter, head, kwh, v, i, p, f, total in zip(
                    ids, heads, energy[at], voltage[at], current[at], power[at], factor[at], register[at],
                    strict=True,
                )
            ]  # fmt: skip
            fed, fed_register = readings.fed_in[at].tolist(), readings.feed_register[at].tolist()
            for place, exported, total in zip(self._feeding, fed, fed_register, strict=True):
                of, meter, kwh, given, members = rows[place]
                more = f',"export_kwh":{exported / _KWH:.6f},"export_register_kwh":{total / _KWH:.6f}'
                rows[place] = (of, meter, kwh, given, members + more)
            found += rows
        return found


def given_minutes(every: int) -> int:
    """The interval that a reading gives in whole minutes; 0 when it is none."""
    minutes, rest = divmod(every * SECOND, MINUTE)
    return 0 if rest else minutes
