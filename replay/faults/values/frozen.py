"""`frozen`: a meter says the same value over and over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from replay.faults.base import options
from replay.faults.base.chance import Chance
from replay.faults.base.episodic import DAY, HOUR, Episodic
from replay.faults.base.fault import Strike
from replay.faults.base.members import member, with_member
from replay.faults.base.options import option
from replay.faults.base.sending import Sending

_POWERS = ("power_kw", "current")


@dataclass(frozen=True)
class Frozen(Episodic):
    """In an episode of the meter every reading has the value of the first one in it, and its power."""

    every: int = option(14 * DAY, options.duration)
    length: tuple[int, int] = option((6 * HOUR, 48 * HOUR), options.span)

    def striker(self, chance: Chance) -> Strike:
        episodes = self.episodes(chance)
        #: Of meters that have been frozen: the last episode's end, the value, and the powers.
        held: dict[str, tuple[int, float, tuple[float | None, ...]]] = {}

        def strike(reading: Sending) -> Sequence[Sending]:
            episode = episodes.at(reading.meter, reading.time)
            if episode:
                until, value, powers = held.get(reading.meter, (0, 0.0, ()))
                if until != episode.end:
                    value = reading.row[2]
                    powers = tuple(member(reading.row[4], name) for name in _POWERS)
                    held[reading.meter] = (episode.end, value, powers)
                reading.set_value(value, self.kind, value)
                for name, power in zip(_POWERS, powers, strict=True):
                    if power is not None:
                        reading.row = with_member(reading.row, name, power)
            return ()

        return strike
