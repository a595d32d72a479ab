"""`surge` and `drop`: a meter uses many times its energy for a while, or a small part of it."""

from __future__ import annotations

from dataclasses import dataclass

from replay.faults.base import options
from replay.faults.base.episodic import DAY, HOUR, Changing
from replay.faults.base.options import option
from replay.faults.base.sending import Sending


@dataclass(frozen=True)
class Surge(Changing):
    """In an episode of the meter every reading has `factor` times its value; its power goes along."""

    every: int = option(7 * DAY, options.duration)
    length: tuple[int, int] = option((HOUR, 4 * HOUR), options.span)
    factor: float = option(5.0, options.number)

    def check(self) -> None:
        super().check()
        if self.factor <= 1:
            raise ValueError("factor: more than 1")

    def change(self, reading: Sending) -> None:
        reading.use(reading.row[2] * self.factor, self.kind, self.factor)


@dataclass(frozen=True)
class Drop(Changing):
    """In an episode of the meter every reading has `factor` times its value; its power goes along."""

    every: int = option(7 * DAY, options.duration)
    length: tuple[int, int] = option((HOUR, 4 * HOUR), options.span)
    factor: float = option(0.1, options.rate)

    def check(self) -> None:
        super().check()
        if self.factor >= 1:
            raise ValueError("factor: less than 1")

    def change(self, reading: Sending) -> None:
        reading.use(reading.row[2] * self.factor, self.kind, self.factor)
