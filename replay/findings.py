"""What is known to be true of a replay: one finding each. Times in µs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass
class GapTruth:
    """A run of missing slots as it must stand at the end. Times in µs, `to` exclusive."""

    meter: str
    first: int
    last: int
    interval: int
    state: Literal["OPEN", "CLOSED", "PARTIAL", "FILLED", "EXPIRED"] = "OPEN"
    filled: set[int] = field(default_factory=set)
    injected: int = 0
    to: int = 0

    @property
    def slots(self) -> int:
        return (self.last - self.first) // self.interval + 1

    @property
    def missing(self) -> int:
        return self.slots - len(self.filled)

    def has(self, slot: int) -> bool:
        return self.first <= slot <= self.last and slot not in self.filled

    def end(self, state: Literal["EXPIRED"] | None = None) -> None:
        """The meter is back (or given up): from now on `to` and the state follow from what was filled."""
        self.to = self.last + self.interval
        self.state = state or ("CLOSED" if not self.filled else "PARTIAL" if self.missing else "FILLED")


@dataclass(frozen=True)
class NothingTruth:
    """Withheld readings that no detector can miss, and why."""

    meter: str
    first: int
    to: int
    slots: int
    why: str


@dataclass(frozen=True)
class DelayTruth:
    """A reading that was sent late, and how it must be classified."""

    meter: str
    time: int
    arrival: int
    status: Literal["ON_TIME", "LATE", "TOO_LATE"]
    delay: int


@dataclass(frozen=True)
class Unjudged:
    """A stretch of one meter in which nothing is expected: `first` ≤ time < `to`."""

    meter: str
    first: int
    to: int
    why: str
    injected: int


Finding = GapTruth | NothingTruth | DelayTruth | Unjudged
