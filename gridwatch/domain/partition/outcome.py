"""Outcome: what calls of ``process`` gave that is not applied yet."""

from __future__ import annotations

from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.outputs import Accepted, Output


class Outcome:
    """What came out, and which states changed with that."""

    def __init__(self) -> None:
        self.outputs: list[Output] = []
        """In order."""
        self.accepted = Accepted(self.outputs)
        """What takes the readings that count; ``outputs`` unless something else is put here before."""
        self.changed: dict[str, MeterState | None] = {}
        """Meters whose state changed; None if it is removed. To be applied before a call with another
        outcome."""
        self.weight = 0
        """About how many bytes of changed state that is."""
        self.complete = True
        """Whether all records were worked; if not, call again with the same ones once this is committed."""
