"""`swap`: a meter is taken down, and another one, with an id of its own, goes on in its place."""

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
class Swap(Episodic):
    """In an episode of the meter nothing is sent; after the first one it is `meter~2`, then `meter~3` …

    The old id never comes again.
    """

    every: int = option(60 * DAY, options.duration)
    length: tuple[int, int] = option((HOUR, 6 * HOUR), options.span)

    def striker(self, chance: Chance) -> Strike:
        episodes = self.episodes(chance)
        #: For meters that were swapped: how often, and the end of the last swap.
        swaps: dict[str, tuple[int, int]] = {}

        def strike(reading: Sending) -> Sequence[Sending]:
            episode = episodes.at(reading.meter, reading.time)
            done, until = swaps.get(reading.meter, (0, 0))
            if episode and episode.end != until:
                done += 1
                swaps[reading.meter] = (done, episode.end)
            if done:
                time, meter, kwh, given, more = reading.row
                if not episode:
                    reading.row = (time, f"{meter}~{done + 1}", kwh, given, more)
                elif done > 1:
                    reading.row = (time, f"{meter}~{done}", kwh, given, more)
                if episode:
                    reading.withhold(self.kind)
                else:
                    reading.struck(self.kind)
            return ()

        return strike
