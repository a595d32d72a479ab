"""`voltage`, `frequency` and `power-factor`: what a meter measures beside its energy is out of range."""

from __future__ import annotations

from dataclasses import dataclass

from replay.faults.base import options
from replay.faults.base.episodic import DAY, HOUR, Changing
from replay.faults.base.members import with_member
from replay.faults.base.options import option
from replay.faults.base.sending import Sending


@dataclass(frozen=True)
class Measure(Changing):
    """In an episode of the meter every reading says one voltage, frequency or power factor.

    Also one that says none otherwise. Nothing else changes with it.
    """

    every: int = option(7 * DAY, options.duration)
    length: tuple[int, int] = option((HOUR, 4 * HOUR), options.span)

    def say(self, reading: Sending, name: str, value: float) -> None:
        """The reading says this value."""
        reading.row = with_member(reading.row, name, value)
        reading.struck(self.kind, value)


@dataclass(frozen=True)
class Voltage(Measure):
    """It is `volts`."""

    volts: float = option(190.0, options.number)

    def change(self, reading: Sending) -> None:
        self.say(reading, "voltage", self.volts)


@dataclass(frozen=True)
class Frequency(Measure):
    """It is `hertz`."""

    hertz: float = option(48.5, options.number)

    def change(self, reading: Sending) -> None:
        self.say(reading, "frequency", self.hertz)


@dataclass(frozen=True)
class PowerFactor(Measure):
    """It is `factor`."""

    factor: float = option(0.6, options.rate)

    def change(self, reading: Sending) -> None:
        self.say(reading, "power_factor", self.factor)
