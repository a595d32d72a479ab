"""`day`: whole days of a meter are never sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from replay.faults.base import options
from replay.faults.base.chance import Chance, below
from replay.faults.base.episodic import DAY
from replay.faults.base.fault import Fault, Strike
from replay.faults.base.options import option
from replay.faults.base.sending import Sending
from replay.files.spacing import calendar_given


@dataclass(frozen=True)
class Day(Fault):
    """Each day of each meter with probability `rate`: of UTC, or of its own where it has local days (or
    months). Days that follow each other make one gap."""

    rate: float = option(0.01, options.rate)

    def striker(self, chance: Chance) -> Strike:
        limit = below(self.rate)

        def strike(reading: Sending) -> Sequence[Sending]:
            days = calendar_given(reading.row[4])
            day = reading.time // DAY * DAY if days is None else days.nearest(reading.time, 0)
            if chance.draws(reading.meter, day)[0] < limit:
                reading.withhold(self.kind)
            return ()

        return strike
