"""`spike`: single readings with far too high a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from replay.faults.base import options
from replay.faults.base.chance import Chance, below
from replay.faults.base.fault import Fault, Strike
from replay.faults.base.options import option
from replay.faults.base.sending import Sending

#: What a reading of nothing is raised from, kWh.
_LEAST = 0.05


@dataclass(frozen=True)
class Spike(Fault):
    """Each reading with probability `rate` has `factor` times its value; its power goes along."""

    rate: float = option(0.001, options.rate)
    factor: float = option(20.0, options.number)

    def striker(self, chance: Chance) -> Strike:
        limit = below(self.rate)

        def strike(reading: Sending) -> Sequence[Sending]:
            if chance.draws(reading.meter, reading.time)[0] < limit:
                reading.use(max(reading.row[2], _LEAST) * self.factor, self.kind, self.factor)
            return ()

        return strike
