"""What is asked to happen: `SCOPE@FROM+DURATION`, and `×FACTOR` where power is multiplied.

outage     meters of a region, feeder or transformer, or one meter, send nothing; they go on measuring
spike      one meter draws so many times its power
overload   all meters of a region do

An outage is a fault of replay's kind. Spike and overload are in the readings already, from the register to
the current, so here they only leave their names for the truth.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from replay.faults import FaultPlan, Faults, Sending
from replay.files.rows import Row

EventKind = Literal["outage", "spike", "overload"]
#: What scopes are called, by the number of parts of their names.
_LEVELS = {1: "region", 2: "feeder", 3: "transformer", 4: "meter"}
_ALLOWED: dict[EventKind, tuple[int, ...]] = {"outage": (1, 2, 3, 4), "spike": (4,), "overload": (1,)}
_EXAMPLES = {1: "R01", 2: "R01-F0001", 3: "R01-F0001-T1", 4: "R01-F0001-T1-M000001"}
_SCOPE = re.compile(r"R\d+(-F\d+(-T\d+(-M\d+)?)?)?")


@dataclass(frozen=True)
class Event:
    """`start` ≤ time < `end` (µs); power times `factor` (‰)."""

    kind: EventKind
    scope: str
    start: int
    end: int
    factor: int = 1000

    def check(self) -> None:
        """ValueError saying what is wrong with the scope."""
        parts = self.scope.count("-") + 1
        allowed = _ALLOWED[self.kind]
        if not _SCOPE.fullmatch(self.scope) or parts not in allowed:
            names = " or ".join(f"a {_LEVELS[at]} such as {_EXAMPLES[at]}" for at in allowed)
            raise ValueError(f"{self.scope!r}: of {self.kind} the scope is {names}")

    @property
    def pattern(self) -> str:
        """The ids of its meters, as a shell pattern."""
        return self.scope if self.scope.count("-") == len(_LEVELS) - 1 else f"{self.scope}-*"

    def touches(self, meter: str, start: int, end: int) -> bool:
        """Whether any of `start` ≤ time < `end` of this meter falls into it."""
        within = meter == self.scope or meter.startswith(f"{self.scope}-")
        return within and start < self.end and self.start < end


class Injected(Faults):
    """The faults of a plan, and the names of events that readings have been through (`every` in µs)."""

    def __init__(self, plan: FaultPlan, events: Sequence[Event], every: int) -> None:
        super().__init__(plan)
        self._events = events
        self._every = every
        self.active = self.active or bool(events)

    def over(self, row: Row) -> list[Sending] | None:
        """What becomes of a row; None when it is sent as it is, in its time."""
        sendings = super().over(row)
        time, meter = row[0], row[1]
        names = tuple(event.kind for event in self._events if event.touches(meter, time, time + self._every))
        if names:
            sendings = sendings or [Sending(time, meter, row)]
            for sending in sendings:
                sending.faults = (*names, *sending.faults)
        return sendings
