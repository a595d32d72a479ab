"""What is asked to happen: `SCOPE@FROM+DURATION`, with `×FACTOR` or `=VALUE` where one is needed.

outage         meters of a region, feeder or transformer, or one meter, send nothing; they go on measuring
spike          one meter draws so many times its power
overload       all meters of a region do
drop           meters draw a part of their power
zero-run       they draw nothing
level-shift    they draw so many times their power, for a while or for ever
flat-line      they draw their mean power, evenly
reverse-flow   they draw nothing and feed in so many kW
voltage, frequency, power-factor   what they measure is this value

An outage is a fault of replay's kind. What changes the energy is in the readings already, from the register
to the current, so here it only leaves its name for the truth; what is measured besides is put into the rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from replay.faults import FaultPlan, Faults, Sending
from replay.faults.base.members import member, with_member
from replay.files.rows import Row

EventKind = Literal[
    "outage", "spike", "overload", "drop", "zero-run", "level-shift", "flat-line", "reverse-flow", "voltage",
    "frequency", "power-factor",
]  # fmt: skip
#: Events that multiply power, and those of which the factor is 0.
MULTIPLY: tuple[EventKind, ...] = ("spike", "overload", "drop", "level-shift")
STOP: tuple[EventKind, ...] = ("zero-run", "reverse-flow")
#: Events that have a value of their own, and what of a reading it is.
VALUES: dict[EventKind, str] = {
    "reverse-flow": "power_kw",
    "voltage": "voltage",
    "frequency": "frequency",
    "power-factor": "power_factor",
}
#: What scopes are called, by the number of parts of their names.
_LEVELS = {1: "region", 2: "feeder", 3: "transformer", 4: "meter"}
_ALLOWED: dict[EventKind, tuple[int, ...]] = {"spike": (4,), "overload": (1,)}
_EXAMPLES = {1: "R01", 2: "R01-F0001", 3: "R01-F0001-T1", 4: "R01-F0001-T1-M000001"}
_SCOPE = re.compile(r"R\d+(-F\d+(-T\d+(-M\d+)?)?)?")


@dataclass(frozen=True)
class Event:
    """`start` ≤ time < `end` (µs); power times `factor` (‰), or for `VALUES` the value (thousandths)."""

    kind: EventKind
    scope: str
    start: int
    end: int
    factor: int = 1000

    def check(self) -> None:
        """ValueError saying what is wrong with the scope."""
        parts = self.scope.count("-") + 1
        allowed = _ALLOWED.get(self.kind, tuple(_LEVELS))
        if not _SCOPE.fullmatch(self.scope) or parts not in allowed:
            names = " or ".join(f"a {_LEVELS[at]} such as {_EXAMPLES[at]}" for at in allowed)
            raise ValueError(f"{self.scope!r}: of {self.kind} the scope is {names}")

    @property
    def pattern(self) -> str:
        """The ids of its meters, as a shell pattern."""
        return self.scope if self.scope.count("-") == len(_LEVELS) - 1 else f"{self.scope}-*"

    @property
    def size(self) -> float:
        """The factor, or the value; 0 for a zero run."""
        return 0.0 if self.kind == "zero-run" else self.factor / 1000

    def touches(self, meter: str, start: int, end: int) -> bool:
        """Whether any of `start` ≤ time < `end` of this meter falls into it."""
        within = meter == self.scope or meter.startswith(f"{self.scope}-")
        return within and start < self.end and self.start < end


class Injected(Faults):
    """The faults of a plan, and the events that readings have been through (`every` in µs)."""

    def __init__(self, plan: FaultPlan, events: Sequence[Event], every: int) -> None:
        super().__init__(plan)
        self._events = events
        self._every = every
        self.active = self.active or bool(events)

    def over(self, row: Row) -> list[Sending] | None:
        """What becomes of a row; None when it is sent as it is, in its time."""
        time, meter = row[0], row[1]
        events = [event for event in self._events if event.touches(meter, time, time + self._every)]
        for event in events:
            if event.kind in VALUES and event.start <= time:
                row = _measuring(row, event)
        sendings = super().over(row)
        if events:
            sendings = sendings or [Sending(time, meter, row)]
            names = tuple(event.kind for event in events)
            sizes = tuple((event.kind, event.size) for event in events if event.kind != "flat-line")
            for sending in sendings:
                sending.faults = (*names, *sending.faults)
                sending.sizes = (*sizes, *sending.sizes)
        return sendings


def _measuring(row: Row, event: Event) -> Row:
    """The row with what an event says of it, and the current that follows: I = P / (V · pf)."""
    feeds_in = event.kind == "reverse-flow"
    row = with_member(row, VALUES[event.kind], -event.size if feeds_in else event.size)
    power, voltage, factor = (member(row[4], name) for name in ("power_kw", "voltage", "power_factor"))
    if event.kind == "frequency" or power is None or not voltage or not factor:
        return row
    return with_member(row, "current", round(abs(power) * 1000 / (voltage * factor), 4))
