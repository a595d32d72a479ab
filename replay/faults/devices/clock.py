"""`clock`: meters whose clock is wrong, so that the stamp is not the time of the reading."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from replay.faults.base import options
from replay.faults.base.chance import SECOND, Chance, within
from replay.faults.base.episodic import DAY, HOUR, Episodic
from replay.faults.base.fault import ONCE, Strike
from replay.faults.base.options import option
from replay.faults.base.sending import Sending

_MINUTE = 60 * SECOND


@dataclass(frozen=True)
class Clock(Episodic):
    """The stamp is off by a duration of `by`; the reading is sent in its own time.

    `mode` fast, slow: always ahead or behind by what is drawn for the meter. drift: it gains or loses
    (drawn for the meter) so much a day, and is set right every `every`. jump: off in the meter's episodes
    only, by what is drawn for each. `direction` of drift and jump: either, ahead, behind.
    """

    every: int = option(14 * DAY, options.duration)
    length: tuple[int, int] = option((6 * HOUR, 48 * HOUR), options.span)
    mode: str = option("fast", options.choice("fast", "slow", "drift", "jump"))
    by: tuple[int, int] = option((30 * SECOND, 4 * _MINUTE), options.span)
    direction: str = option("either", options.choice("either", "ahead", "behind"))

    def striker(self, chance: Chance) -> Strike:
        offset = getattr(self, f"_{self.mode}")(chance)

        def strike(reading: Sending) -> Sequence[Sending]:
            off = offset(reading.meter, reading.time)
            if off:
                time, meter, kwh, given, more = reading.row
                reading.row = (time + off, meter, kwh, given, more)
                reading.struck(self.kind)
            return ()

        return strike

    def _sign(self, draw: int) -> int:
        return {"ahead": 1, "behind": -1}.get(self.direction, 1 if draw & 1 else -1)

    def _fast(self, chance: Chance) -> Callable[[str, int], int]:
        return lambda meter, _: within(chance.draws(meter, ONCE)[1], self.by)

    def _slow(self, chance: Chance) -> Callable[[str, int], int]:
        return lambda meter, _: -within(chance.draws(meter, ONCE)[1], self.by)

    def _drift(self, chance: Chance) -> Callable[[str, int], int]:
        def offset(meter: str, time: int) -> int:
            _, second, third = chance.draws(meter, ONCE)
            since = (time + third) % self.every
            return self._sign(third >> 32) * (within(second, self.by) * since // DAY // SECOND * SECOND)

        return offset

    def _jump(self, chance: Chance) -> Callable[[str, int], int]:
        episodes = self.episodes(chance)

        def offset(meter: str, time: int) -> int:
            episode = episodes.at(meter, time)
            return self._sign(episode.draw) * within(episode.draw >> 1, self.by) if episode else 0

        return offset
