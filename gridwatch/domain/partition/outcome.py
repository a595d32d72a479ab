"""Outcome: outputs and changed states of calls of ``process`` that are not committed yet."""

from __future__ import annotations

from typing import Any

from gridwatch.domain.outputs import Accepted, Output


class Outcome:
    """The outputs, and the states that changed."""

    def __init__(self) -> None:
        self.outputs: list[Output] = []
        """In order."""
        self.accepted = Accepted(self.outputs)
        """The collector of accepted readings; appends to ``outputs`` unless replaced beforehand."""
        self.changed: dict[str, Any] = {}
        """Meters whose state changed, and kept registers; None if one is removed. To be applied before a call
        with another outcome."""
        self.weight = 0
        """Approximate size of the changed states, bytes."""
        self.complete = True
        """Whether all records were processed; if not, call again with the same ones once this is
        committed."""
