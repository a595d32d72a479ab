"""Faults that come in episodes: one begins at a moment drawn for each span of `every`, and lasts a while."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from replay.faults.base import options
from replay.faults.base.chance import Chance, Episodes
from replay.faults.base.fault import Fault, Strike
from replay.faults.base.options import option
from replay.faults.base.sending import Sending

HOUR = 3_600_000_000
DAY = 24 * HOUR
_MOST_AT_ONCE = 100


@dataclass(frozen=True)
class Episodic(Fault):
    """What they have in common."""

    every: int = option(7 * DAY, options.duration)
    length: tuple[int, int] = option((HOUR, 8 * HOUR), options.span)

    def check(self) -> None:
        super().check()
        if self.length[1] > _MOST_AT_ONCE * self.every:
            raise ValueError(f"length: at most {_MOST_AT_ONCE} times every")

    def episodes(self, chance: Chance) -> Episodes:
        """When they are."""
        return Episodes(chance, self.every, self.length)


@dataclass(frozen=True)
class Changing(Episodic):
    """Those that change every reading of a meter in its episodes, each reading by itself."""

    def change(self, reading: Sending) -> None:
        """Change a reading of an episode."""
        raise NotImplementedError

    def striker(self, chance: Chance) -> Strike:
        episodes = self.episodes(chance)

        def strike(reading: Sending) -> Sequence[Sending]:
            if episodes.at(reading.meter, reading.time):
                self.change(reading)
            return ()

        return strike
