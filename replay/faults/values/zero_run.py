"""`zero-run`: a meter reports, but nothing is consumed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from replay.faults.base import options
from replay.faults.base.chance import Chance
from replay.faults.base.episodic import DAY, HOUR, Episodic
from replay.faults.base.fault import Strike
from replay.faults.base.options import option
from replay.faults.base.sending import Sending


@dataclass(frozen=True)
class ZeroRun(Episodic):
    """In an episode of the meter every value is 0, and so is its power."""

    every: int = option(14 * DAY, options.duration)
    length: tuple[int, int] = option((6 * HOUR, 48 * HOUR), options.span)

    def striker(self, chance: Chance) -> Strike:
        episodes = self.episodes(chance)

        def strike(reading: Sending) -> Sequence[Sending]:
            if episodes.at(reading.meter, reading.time):
                reading.use(0.0, self.kind, 0.0)
            return ()

        return strike
