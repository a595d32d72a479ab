"""`reboot-storm`: the meters of a region restart again and again for a while."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from replay.faults.base import options
from replay.faults.base.chance import SECOND, Chance, below, within
from replay.faults.base.episodic import DAY, HOUR, Episodic
from replay.faults.base.fault import Strike
from replay.faults.base.options import option
from replay.faults.base.region import Regions
from replay.faults.base.sending import Sending

_MINUTE = 60 * SECOND


@dataclass(frozen=True)
class RebootStorm(Episodic):
    """In an episode of the region each reading is lost with probability `lose`; one that comes is sent
    `repeats` times more within seconds, and is followed by what a meter says when it has started: a reading
    of nothing, a duration of `after` later, off the grid.

    Meters without a region are put into one of `regions` made-up ones; with 0 all of them are one region.
    """

    every: int = option(14 * DAY, options.duration)
    length: tuple[int, int] = option((HOUR, 4 * HOUR), options.span)
    regions: int = option(8, options.count)
    lose: float = option(0.3, options.rate)
    repeats: int = option(2, options.count)
    after: tuple[int, int] = option((6 * _MINUTE, 9 * _MINUTE - SECOND), options.span)

    def striker(self, chance: Chance) -> Strike:
        regions, episodes, limit = Regions(chance, self.regions), self.episodes(chance), below(self.lose)

        def strike(reading: Sending) -> Sequence[Sending]:
            if not episodes.at(f"region/{regions.of(reading)}", reading.time):
                return ()
            first, second, _ = chance.draws(reading.meter, reading.time)
            if first < limit:
                reading.withhold(self.kind)
                return ()
            reading.struck(self.kind)
            again = [replace(reading, delay=reading.delay + n * SECOND) for n in range(1, self.repeats + 1)]
            after = within(second, self.after)
            time, meter, _, given, more = reading.row
            started = replace(reading, time=reading.time + after, row=(time + after, meter, 0.0, given, more))
            return [*again, started]

        return strike
