"""Every decision of a fault: a function of (seed, fault, who, when).

`who` is a meter, or a region where one decision is for all its meters. Draws are 64-bit numbers from a keyed
hash, so that they are the same on every machine and in any order of asking.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

FULL = 1 << 64
SECOND = 1_000_000
_CACHED = 200_000
_NEVER = 1 << 62


class Chance:
    """The draws of one fault."""

    def __init__(self, seed: int, fault: str) -> None:
        self._name = f"{seed}/{fault}"
        self._keys: dict[str, bytes] = {}

    def draws(self, who: str, when: int) -> tuple[int, int, int]:
        """Three numbers from 0 up to `FULL`."""
        key = self._keys.get(who)
        if key is None:
            if len(self._keys) >= _CACHED:
                self._keys.clear()
            key = self._keys[who] = blake2b(f"{self._name}/{who}".encode(), digest_size=32).digest()
        digest = blake2b(b"%d" % when, key=key, digest_size=24).digest()
        from_bytes = int.from_bytes
        return from_bytes(digest[:8], "big"), from_bytes(digest[8:16], "big"), from_bytes(digest[16:], "big")


def below(rate: float) -> int:
    """What a draw lies below with probability `rate`."""
    return int(rate * FULL)


def within(draw: int, span: tuple[int, int]) -> int:
    """A duration of the span, both ends included, in whole seconds wherever the span allows (µs)."""
    least, most = span
    step = SECOND if most - least >= SECOND else 1
    return least + step * (draw % ((most - least) // step + 1))


@dataclass(frozen=True)
class Episode:
    """`start` ≤ time < `end` (µs), and a number drawn for it."""

    start: int
    end: int
    draw: int


class Episodes:
    """Stretches of time: one begins at a moment drawn for each span of `every` µs, and lasts within `length`.

    Of two that overlap the earlier counts until its end.
    """

    def __init__(self, chance: Chance, every: int, length: tuple[int, int]) -> None:
        self._chance = chance
        self._every = every
        self._length = length
        self._back = -(-length[1] // every)
        #: What holds for whom from when until when.
        self._now: dict[str, tuple[int, int, Episode | None]] = {}

    def at(self, who: str, time: int) -> Episode | None:
        """The episode of `who` at `time`, if there is one."""
        known = self._now.get(who)
        if known is None or not known[0] <= time < known[1]:
            if len(self._now) >= _CACHED:
                self._now.clear()
            known = self._now[who] = self._look(who, time)
        return known[2]

    def _look(self, who: str, time: int) -> tuple[int, int, Episode | None]:
        cell = time // self._every
        since, until = cell * self._every, (cell + 1) * self._every
        for number in range(cell - self._back, cell + 1):
            first, second, third = self._chance.draws(who, number * self._every)
            start = number * self._every + first % self._every // SECOND * SECOND
            end = start + within(second, self._length)
            if start <= time < end:
                return start, end, Episode(start, end, third)
            if end <= time:
                since = max(since, end)
            elif start > time:
                until = min(until, start)
        return since, until, None
