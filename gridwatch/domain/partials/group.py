"""How many meters count at one place, as a step function of event time.

A meter that joins or leaves at an instant changes the function there, whether that lies before the watermark
or after it. Changes are kept by quarter of an hour as long as its window can change; what is before is one
number.
"""

from __future__ import annotations

from typing import Final

from gridwatch.domain.meter.usage import Place
from gridwatch.domain.policy import MINUTE

QUARTER: Final = 15 * MINUTE


class Group:
    """The meters at one place."""

    __slots__ = ("base", "changed", "place", "steps")

    def __init__(self, place: Place) -> None:
        self.place = place
        self.base = 0
        """Meters before the first step."""
        self.steps: dict[int, tuple[int, int]] = {}
        """By quarter: how many joined in it, less those that left, and the µs that this is within it."""
        self.changed = False
        """Whether meters joined, left, fell silent or came back since this was last emitted."""

    def step(self, at: int, joined: int, dropped: int) -> None:
        """Let meters join (or leave, if negative) at an instant. Quarters that end at or before ``dropped``
        can change no more."""
        for quarter in sorted(quarter for quarter in self.steps if quarter + QUARTER <= dropped):
            self.base += self.steps.pop(quarter)[0]
        quarter = at - at % QUARTER
        if quarter + QUARTER <= dropped:
            self.base += joined
            return
        count, within = self.steps.get(quarter, (0, 0))
        self.steps[quarter] = (count + joined, within + joined * (quarter + QUARTER - at))

    def members(self, quarter: int) -> int:
        """How many there are at the end of a quarter."""
        return self.base + sum(count for at, (count, _) in self.steps.items() if at <= quarter)

    def time(self, quarter: int) -> int:
        """The time of all of them within a quarter, µs."""
        before = self.base + sum(count for at, (count, _) in self.steps.items() if at < quarter)
        return QUARTER * before + self.steps.get(quarter, (0, 0))[1]

    @property
    def size(self) -> int:
        """How many there are after all that is known."""
        return self.base + sum(count for count, _ in self.steps.values())
