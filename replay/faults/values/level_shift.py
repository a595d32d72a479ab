"""`level-shift`: a meter uses more or less than before, for days or for ever."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from replay.faults.base import options
from replay.faults.base.chance import SECOND, Chance
from replay.faults.base.episodic import DAY, Changing
from replay.faults.base.fault import ONCE, Strike
from replay.faults.base.options import option
from replay.faults.base.sending import Sending


@dataclass(frozen=True)
class LevelShift(Changing):
    """In an episode of the meter every reading has `factor` times its value, and `add` kWh more; its power
    goes along.

    With `stays` there is one shift a meter, which never ends: at a moment drawn within `every` after `start`.
    """

    every: int = option(30 * DAY, options.duration)
    length: tuple[int, int] = option((4 * DAY, 10 * DAY), options.span)
    factor: float = option(2.0, options.number)
    add: float = option(0.0, options.number)
    stays: bool = option(False, options.truth)

    def check(self) -> None:
        super().check()
        if self.factor == 1 and not self.add:
            raise ValueError("factor: another one than 1, or add")
        if self.stays and self.start is None:
            raise ValueError("stays: goes with start")

    def striker(self, chance: Chance) -> Strike:
        start = self.start
        if start is None or not self.stays:
            return super().striker(chance)

        def strike(reading: Sending) -> Sequence[Sending]:
            after = chance.draws(reading.meter, ONCE)[1] % self.every // SECOND * SECOND
            if reading.time >= start + after:
                self.change(reading)
            return ()

        return strike

    def change(self, reading: Sending) -> None:
        size = self.factor if self.factor != 1 else self.add
        reading.use(reading.row[2] * self.factor + self.add, self.kind, size)
