"""`upload`: a meter loses its connection, keeps its readings, and sends them all at once when it is back."""

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
class Upload(Episodic):
    """All readings of a meter in an episode of its own arrive together at its end, in order of their time."""

    every: int = option(7 * DAY, options.duration)
    length: tuple[int, int] = option((HOUR, 12 * HOUR), options.span)

    def striker(self, chance: Chance) -> Strike:
        episodes = self.episodes(chance)

        def strike(reading: Sending) -> Sequence[Sending]:
            lost = episodes.at(reading.meter, reading.time)
            if lost and lost.end > reading.time + reading.delay:
                reading.put_off(lost.end - reading.time - reading.delay, self.kind)
            return ()

        return strike
