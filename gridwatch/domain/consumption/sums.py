"""The sums of the readings in one window of one meter, in whole numbers."""

from __future__ import annotations

from typing import Final

from gridwatch.domain.meter.usage import NO_POWER, NO_VALUE, Values

MICRO_WH: Final = 1_000_000_000
"""Micro-Wh in a kWh."""
#: Power in mW is energy in micro-Wh times this over the duration in seconds: 3.6.
TIMES: Final = 18
OVER: Final = 5


def micro_wh(kwh: float) -> int:
    """``kwh`` (not negative) in whole micro-Wh, half up."""
    return int(kwh * MICRO_WH + 0.5)


class Sums:
    """Of the readings in [start, start + length). ``seconds``: the interval of their meter; 0 if that is not
    known, and then a power counts only where it came."""

    __slots__ = (
        "current",
        "currents",
        "energy",
        "factor",
        "factors",
        "frequencies",
        "frequency",
        "highest",
        "length",
        "lowest",
        "power",
        "powers",
        "readings",
        "scale",
        "start",
        "voltage",
        "voltages",
    )

    def __init__(self, start: int, length: int, seconds: int) -> None:
        self.start = start
        self.length = length
        self.scale = OVER * seconds or 1
        """All of power is times this."""
        self.readings = self.energy = 0
        self.power = self.powers = self.lowest = self.highest = 0
        self.voltage = self.voltages = self.current = self.currents = self.factor = self.factors = 0
        self.frequency = self.frequencies = 0
        """Sum and count of each, in the units of ``Values``."""

    def add(self, energy: int, values: Values | None, *, known: bool) -> None:
        """Add a reading, with its energy in micro-Wh. ``known``: whether that gives its power where none
        came: its interval is known, and its energy is of that alone."""
        self.readings += 1
        self.energy += energy
        power = NO_POWER if values is None else values[0]
        if power != NO_POWER:
            self._add_power(power * self.scale)
        elif known:
            self._add_power(TIMES * energy)
        if values is None:
            return
        _, voltage, current, factor, frequency = values
        if voltage != NO_VALUE:
            self.voltage += voltage
            self.voltages += 1
        if current != NO_VALUE:
            self.current += current
            self.currents += 1
        if factor != NO_VALUE:
            self.factor += factor
            self.factors += 1
        if frequency != NO_VALUE:
            self.frequency += frequency
            self.frequencies += 1

    def _add_power(self, power: int) -> None:
        if not self.powers:
            self.lowest = self.highest = power
        elif power < self.lowest:
            self.lowest = power
        elif power > self.highest:
            self.highest = power
        self.power += power
        self.powers += 1

    def merge(self, other: Sums) -> None:
        """Add the sums of a window within this one, of the same interval."""
        self.readings += other.readings
        self.energy += other.energy
        if other.powers:
            if not self.powers or other.lowest < self.lowest:
                self.lowest = other.lowest
            if not self.powers or other.highest > self.highest:
                self.highest = other.highest
            self.power += other.power
            self.powers += other.powers
        self.voltage += other.voltage
        self.voltages += other.voltages
        self.current += other.current
        self.currents += other.currents
        self.factor += other.factor
        self.factors += other.factors
        self.frequency += other.frequency
        self.frequencies += other.frequencies
