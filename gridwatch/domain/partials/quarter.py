"""The sums of one region and quarter of an hour.

Energy is placed over the time that its reading covers, by cumulative floor: shares sum to it exactly. What
covers the whole quarter is one number; the rest is kept by minute, so that the lowest and the highest power
of the region are known, and a revision can take back what it replaces.
"""

from __future__ import annotations

from gridwatch.domain.consumption.aggregate import share
from gridwatch.domain.partials.group import QUARTER
from gridwatch.domain.policy import MINUTE


class Quarter:
    """The sums of one region and window. Energy µWh, durations µs."""

    __slots__ = (
        "changed",
        "extra",
        "flat",
        "minutes",
        "prorated",
        "received",
        "region",
        "reporting",
        "revision",
        "start",
        "waits",
    )

    def __init__(self, region: str, start: int) -> None:
        self.region = region
        self.start = start
        self.flat = 0
        """Energy of what covers all of it."""
        self.minutes = [0] * (QUARTER // MINUTE)
        """Energy of the rest."""
        self.received = 0
        """The time of slots that were filled."""
        self.extra = 0
        """That of those which nobody expected: it is expected on top."""
        self.reporting = 0
        """Meters with a slot that was filled."""
        self.prorated = 0
        """Slots that are longer than it."""
        self.revision = 0
        self.changed = False
        """Whether it changed since it was last emitted."""
        self.waits = False
        """Whether it is among the changed states of this call: not stored."""

    @property
    def end(self) -> int:
        return self.start + QUARTER

    @property
    def is_empty(self) -> bool:
        """Whether no reading has been counted in it."""
        return not (self.received or self.flat or any(self.minutes))

    def place(self, energy: int, first: int, last: int) -> None:
        """Add the part of an energy over [first, last) that lies in here. A negative one takes back what the
        same energy added."""
        sign, energy = (1, energy) if energy >= 0 else (-1, -energy)
        start, end = self.start, self.start + QUARTER
        if first <= start and end <= last:
            self.flat += sign * share(energy, first, last, start, end)
            return
        minute = max(first, start) - max(first, start) % MINUTE
        while minute < min(last, end):
            self.minutes[(minute - start) // MINUTE] += sign * share(
                energy, first, last, minute, minute + MINUTE
            )
            minute += MINUTE

    def place_at(self, energy: int, time: int) -> None:
        """Add the energy of an instant."""
        self.minutes[(time - self.start) // MINUTE] += energy
