"""`delay`: readings that are sent late, most of them a little or a few of them very."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from replay.faults.base import options
from replay.faults.base.chance import FULL, SECOND, Chance, below, within
from replay.faults.base.fault import Fault, Strike
from replay.faults.base.options import option
from replay.faults.base.sending import Sending


@dataclass(frozen=True)
class Delay(Fault):
    """Each reading with probability `rate`, by a duration of `by`.

    `shape` uniform: any of them is as likely. heavy: Pareto's law with exponent `tail` from the shorter on,
    cut at the longer: the smaller the exponent, the more of the very late.
    """

    rate: float = option(0.1, options.rate)
    by: tuple[int, int] = option((SECOND, 300 * SECOND), options.span)
    shape: str = option("uniform", options.choice("uniform", "heavy"))
    tail: float = option(1.2, options.number)

    def striker(self, chance: Chance) -> Strike:
        limit = below(self.rate)

        def strike(reading: Sending) -> Sequence[Sending]:
            first, second, _ = chance.draws(reading.meter, reading.time)
            if first < limit:
                by = within(second, self.by) if self.shape == "uniform" else self._heavy(second)
                reading.put_off(by, self.kind)
            return ()

        return strike

    def _heavy(self, draw: int) -> int:
        least, most = self.by
        # The logarithm of a share could overflow the power: the cut is made on the exponent's side.
        share = max((draw + 1) / FULL, (least / most) ** self.tail)
        return min(most, round(least * share ** (-1 / self.tail)) // SECOND * SECOND or least)
