"""What is known to be true of a replay: one finding each. Times in µs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from replay.files.spacing import Spacing

#: Faults that leave no reading out of a meter's own grid: an empty slot they explain was not withheld.
SOFT = frozenset({"clock", "interval-change"})
#: What made a reading late, or a slot missing for a while, that had no fault itself: the watermark was ahead
#: of it, which another meter's fast clock does.
OVERTAKEN = "overtaken"
#: What the file lacked by itself.
NATIVE = "native"

Status = Literal["ON_TIME", "LATE", "TOO_LATE"]


@dataclass
class GapTruth:
    """A run of missing slots as it must stand at the end. Times in µs, `to` exclusive.

    `causes` says of which faults slots are missing, `fillers` why those that were filled came so late.
    """

    meter: str
    first: int
    last: int
    spacing: Spacing
    state: Literal["OPEN", "CLOSED", "PARTIAL", "FILLED", "EXPIRED"] = "OPEN"
    filled: set[int] = field(default_factory=set)
    causes: Counter[str] = field(default_factory=Counter)
    fillers: Counter[str] = field(default_factory=Counter)
    to: int = 0

    @property
    def stop(self) -> int:
        """The end of its last slot."""
        return self.spacing.after(self.last)

    @property
    def slots(self) -> int:
        return self.spacing.steps(self.first, self.last) + 1

    @property
    def missing(self) -> int:
        return self.slots - len(self.filled)

    @property
    def injected(self) -> int:
        """Slots whose readings were withheld."""
        return sum(count for cause, count in self.causes.items() if cause not in SOFT)

    @property
    def kind(self) -> str:
        """The fault that most of it comes from."""
        if self.causes:
            return self.causes.most_common(1)[0][0]
        return NATIVE if self.missing or not self.fillers else self.fillers.most_common(1)[0][0]

    @property
    def ranges(self) -> list[tuple[int, int]]:
        """The slots that are missing still, as [from, to)."""
        found: list[tuple[int, int]] = []
        start = self.first
        for slot in [*sorted(self.filled), self.stop]:
            if slot > start:
                found.append((start, slot))
            start = self.spacing.after(slot)
        return found

    def has(self, slot: int) -> bool:
        return self.first <= slot <= self.last and slot not in self.filled

    def fill(self, slot: int, why: str) -> None:
        """The reading of a missing slot came after all."""
        self.filled.add(slot)
        self.fillers[why] += 1

    def end(self, state: Literal["EXPIRED"] | None = None) -> None:
        """The meter is back (or given up): from now on `to` and the state follow from what was filled."""
        self.to = self.stop
        self.state = state or ("CLOSED" if not self.filled else "PARTIAL" if self.missing else "FILLED")


@dataclass(frozen=True)
class NothingTruth:
    """Withheld readings that no detector can miss, and why."""

    meter: str
    first: int
    to: int
    slots: int
    why: str
    kind: str = "gap"


@dataclass(frozen=True)
class ReadingTruth:
    """A reading that was sent late or more than once, or came too late, and how it must be classified.

    `repeats`: its stamp had come before, with the same value (to be dropped) or with another one.
    """

    meter: str
    time: int
    arrival: int
    status: Status
    delay: int
    kind: str = "delay"
    repeats: Literal["", "DUPLICATE", "REVISED"] = ""


@dataclass(frozen=True)
class RefusedTruth:
    """What is no reading and must be a dead letter; `raw` is the record where it is known byte for byte."""

    meter: str
    time: int
    kind: str
    reason: str
    raw: bytes | None = None


@dataclass
class FaultTruth:
    """What was done to readings of one meter in a row, of which nothing follows by itself.

    `offsets` are the clock's at the first and the last of them. `size` is what the fault says that it did:
    a factor, kW, V, Hz …
    """

    meter: str
    kind: str
    first: int
    to: int
    slots: int = 1
    offsets: tuple[int, int] = (0, 0)
    size: float | None = None


@dataclass(frozen=True)
class Unjudged:
    """A stretch of one meter in which nothing is expected: `first` ≤ time < `to`."""

    meter: str
    first: int
    to: int
    why: str
    injected: int


Finding = GapTruth | NothingTruth | ReadingTruth | RefusedTruth | FaultTruth | Unjudged
