"""One anomaly: what it is by its newest revision, and what it began with."""

from __future__ import annotations

from dataclasses import dataclass

from tests.model.anomalies.baseline import Baseline
from tests.model.anomalies.table import CONFIDENCES, SEVERITIES, Began
from tests.model.anomalies.window import Window


@dataclass(eq=False)
class Case:
    """`first`: its first window. `began`: the start of the window with which it began."""

    kind: str
    first: Window
    began: int
    detected: int
    severity: str
    confidence: str
    value: int | None
    baseline: int | None
    basis: Baseline | None = None  # the baseline of the window with which it began
    state: str = "OPEN"
    reason: str | None = None
    ended: int | None = None
    revision: int = 0
    near: list[int] | None = None  # starts of the near windows in a row

    def worsens(self, found: Began) -> bool:
        """Whether severity or confidence is higher than before: then both are the highest so far."""
        severity = max(self.severity, found[0], key=SEVERITIES.index)
        confidence = max(self.confidence, found[1], key=CONFIDENCES.index)
        if (severity, confidence) == (self.severity, self.confidence):
            return False
        self.severity, self.confidence = severity, confidence
        return True

    def is_over(self, start: int, near: bool | None) -> bool:
        """After another judged window: whether it was the second near one in a row."""
        if near is None:
            return False
        self.near = [*(self.near or []), start] if near else []
        return len(self.near) == 2

    def close(self, reason: str, ended: int | None) -> None:
        self.state, self.reason, self.ended = "CLOSED", reason, ended

    def retract(self) -> None:
        self.state, self.reason, self.ended = "RETRACTED", "REVISED", None
