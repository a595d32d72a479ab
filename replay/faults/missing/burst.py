"""`burst`: a meter sends nothing for a while."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from replay.faults.base.chance import Chance
from replay.faults.base.episodic import Episodic
from replay.faults.base.fault import Strike
from replay.faults.base.sending import Sending


@dataclass(frozen=True)
class Burst(Episodic):
    """All readings of a meter in an episode of its own."""

    def striker(self, chance: Chance) -> Strike:
        episodes = self.episodes(chance)

        def strike(reading: Sending) -> Sequence[Sending]:
            if episodes.at(reading.meter, reading.time):
                reading.withhold(self.kind)
            return ()

        return strike
