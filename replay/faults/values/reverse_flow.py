"""`reverse-flow`: a meter feeds in for a while."""

from __future__ import annotations

from dataclasses import dataclass

from replay.faults.base import options
from replay.faults.base.episodic import DAY, HOUR, Changing
from replay.faults.base.members import with_member
from replay.faults.base.options import option
from replay.faults.base.sending import Sending


@dataclass(frozen=True)
class ReverseFlow(Changing):
    """In an episode of the meter its power is −`kw`, and it consumes nothing: an energy is never negative."""

    every: int = option(7 * DAY, options.duration)
    length: tuple[int, int] = option((HOUR, 4 * HOUR), options.span)
    kw: float = option(1.5, options.number)

    def change(self, reading: Sending) -> None:
        reading.use(0.0, self.kind, self.kw)
        reading.row = with_member(reading.row, "power_kw", -self.kw)
