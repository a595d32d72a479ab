"""`revision`: readings that are sent again with another value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from replay.faults.base import options
from replay.faults.base.chance import FULL, SECOND, Chance, below, within
from replay.faults.base.fault import Fault, Strike
from replay.faults.base.options import option
from replay.faults.base.sending import Sending

#: So that a revised value is another one, also of nothing.
_LEAST_CHANGE = 0.001


@dataclass(frozen=True)
class Revision(Fault):
    """Each reading with probability `rate`, again a duration of `after` later, its value up to `change` of
    itself higher."""

    rate: float = option(0.02, options.rate)
    after: tuple[int, int] = option((SECOND, 1800 * SECOND), options.span)
    change: float = option(0.2, options.number)

    def striker(self, chance: Chance) -> Strike:
        limit = below(self.rate)

        def strike(reading: Sending) -> Sequence[Sending]:
            first, second, third = chance.draws(reading.meter, reading.time)
            if first >= limit:
                return ()
            again = reading.copy(self.kind)
            again.delay += within(second, self.after)
            time, meter, kwh, given, more = again.row
            higher = kwh + abs(kwh) * self.change * third / FULL + _LEAST_CHANGE
            again.row = (time, meter, round(higher, 6), given, more)
            return (again,)

        return strike
