"""The interface of a fault: options that never change, and a `Strike` that works with them.

A fault is a frozen dataclass whose fields are its options, with the five of `Fault` common to all; its
class is named once in `catalogue`. `striker` makes what is called for every reading in its scope. A strike
changes the reading in place, and returns what is sent besides it (nothing, as a rule).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from replay.faults.base import options
from replay.faults.base.chance import Chance, below
from replay.faults.base.options import option
from replay.faults.base.sending import Sending

Strike = Callable[[Sending], Sequence[Sending]]

#: What a draw about a meter itself is asked with, in place of a time.
ONCE = -1
_CACHED = 1_000_000


@dataclass(frozen=True)
class Fault:
    """What is common: `share` of the meters whose id matches `meters`, and `start` ≤ time < `end`."""

    kind: str
    meters: str = option("*", options.text)
    share: float = option(1.0, options.rate)
    start: int | None = option(None, options.instant)
    end: int | None = option(None, options.instant)

    def striker(self, chance: Chance) -> Strike:
        """A strike whose decisions come from `chance`."""
        raise NotImplementedError

    def check(self) -> None:
        """Whether the options go together; ValueError("option: what is wrong") if not."""
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise ValueError("end: later than start")


class Scope:
    """Which readings a fault is about."""

    def __init__(self, fault: Fault, chance: Chance) -> None:
        self._fault = fault
        self._chance = chance
        self._below = below(fault.share)
        self._everyone = fault.share == 1 and fault.meters == "*"
        self._known: dict[str, bool] = {}

    def has(self, reading: Sending) -> bool:
        """Whether this reading is one of them."""
        fault, time = self._fault, reading.time
        if (fault.start is not None and time < fault.start) or (fault.end is not None and time >= fault.end):
            return False
        if self._everyone:
            return True
        known = self._known.get(reading.meter)
        if known is None:
            if len(self._known) >= _CACHED:
                self._known.clear()
            known = self._known[reading.meter] = (
                fnmatchcase(reading.meter, fault.meters)
                and self._chance.draws(reading.meter, ONCE)[0] < self._below
            )
        return known
