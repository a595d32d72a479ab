"""`duplicate`: readings that are sent twice, the same both times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from replay.faults.base import options
from replay.faults.base.chance import SECOND, Chance, below, within
from replay.faults.base.fault import Fault, Strike
from replay.faults.base.options import option
from replay.faults.base.sending import Sending


@dataclass(frozen=True)
class Duplicate(Fault):
    """Each reading with probability `rate`, again a duration of `after` later."""

    rate: float = option(0.02, options.rate)
    after: tuple[int, int] = option((SECOND, 1800 * SECOND), options.span)

    def striker(self, chance: Chance) -> Strike:
        limit = below(self.rate)

        def strike(reading: Sending) -> Sequence[Sending]:
            first, second, _ = chance.draws(reading.meter, reading.time)
            if first >= limit:
                return ()
            again = reading.copy(self.kind)
            again.delay += within(second, self.after)
            return (again,)

        return strike
