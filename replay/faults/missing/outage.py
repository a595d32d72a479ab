"""`outage`: all meters of a region fall silent at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from replay.faults.base import options
from replay.faults.base.chance import Chance
from replay.faults.base.episodic import DAY, HOUR, Episodic
from replay.faults.base.fault import Strike
from replay.faults.base.options import option
from replay.faults.base.region import Regions
from replay.faults.base.sending import Sending


@dataclass(frozen=True)
class Outage(Episodic):
    """All readings of the meters of a region in an episode of the region.

    Meters whose readings say no region are put into one of `regions` made-up ones, and say it from then on;
    with 0 they are spared.
    """

    every: int = option(14 * DAY, options.duration)
    length: tuple[int, int] = option((HOUR, 12 * HOUR), options.span)
    regions: int = option(8, options.count)

    def striker(self, chance: Chance) -> Strike:
        regions, episodes = Regions(chance, self.regions), self.episodes(chance)

        def strike(reading: Sending) -> Sequence[Sending]:
            region = regions.of(reading)
            if region and episodes.at(f"region/{region}", reading.time):
                reading.withhold(self.kind)
            return ()

        return strike
