"""One anomaly from its beginning to its end."""

from __future__ import annotations

from typing import Final

from gridwatch.domain.anomalies.anomaly import (
    CLOSED,
    CONFIDENCES,
    FLATLINE,
    LEVEL_SHIFT,
    OPEN,
    RETRACTED,
    RETURNED,
    REVISED,
    SEVERITIES,
    ZERO_RUN,
    Anomaly,
)
from gridwatch.domain.anomalies.kinds import Finding, Nominal, find
from gridwatch.domain.anomalies.window import Judged

_NEAR_ENOUGH: Final = 2
"""So many near windows in a row end an anomaly."""


class Life:
    """One anomaly of one meter, as it stands. ``start``, ``length``: its first window; ``window``: the one
    with which it begins."""

    __slots__ = (
        "baseline",
        "confidence",
        "detected",
        "ended",
        "first_baseline",
        "first_value",
        "kind",
        "length",
        "near",
        "near_from",
        "reason",
        "revision",
        "severity",
        "stamp",
        "start",
        "state",
        "value",
    )

    def __init__(self, kind: str, start: int, length: int, window: Judged, found: Finding) -> None:
        self.kind = kind
        self.start = start
        self.length = length
        self.detected = window.end
        self.stamp = window.stamp
        """Of the reading with which it began, if it did with a slot."""
        self.value, self.baseline, self.severity, self.confidence = found
        self.first_value, self.first_baseline = self.value, self.baseline
        """Those that it began with."""
        self.revision = 1
        self.state = OPEN
        self.reason: str | None = None
        self.ended: int | None = None
        self.near = self.near_from = 0
        """Near windows in a row, and where they begin."""

    @property
    def is_open(self) -> bool:
        return self.state == OPEN

    def rise(self, found: Finding) -> bool:
        """A window in which it would begin, too. Whether that is a revision: it is worse, or more certain."""
        self.near = 0
        if found.severity <= self.severity and found.confidence <= self.confidence:
            return False
        self.change(
            found._replace(
                severity=max(found.severity, self.severity), confidence=max(found.confidence, self.confidence)
            )
        )
        return True

    def change(self, found: Finding) -> None:
        """Its next revision, with these values."""
        self.value, self.baseline, self.severity, self.confidence = found
        self.revision += 1

    def approach(self, window: Judged, near: bool | None) -> bool:
        """A window that is near to what is usual, or not; None: it says nothing. Whether that ends it."""
        if near is None:
            return False
        if not near:
            self.near = 0
            return False
        if not self.near:
            self.near_from = window.start
        self.near += 1
        if self.near < _NEAR_ENOUGH:
            return False
        self.end(CLOSED, RETURNED, self.near_from)
        return True

    def end(self, state: str, reason: str, ended: int | None) -> None:
        """Its last revision but one, if it is retracted later."""
        self.state, self.reason, self.ended = state, reason, ended
        self.revision += 1

    def is_taken_back(self, window: Judged, nominal: Nominal) -> bool:
        """Whether the new values of a window that was judged take back what it began with; if so it is
        retracted."""
        if self.kind == LEVEL_SHIFT or self.stamp != window.stamp:
            return False
        if self.stamp is None and not self.start <= window.start < self.detected:
            return False
        if self.kind in {FLATLINE, ZERO_RUN}:
            stands = window.power == self.first_value
        else:
            stands = self.kind in find(window, self.first_baseline, self.confidence, nominal)
        if not stands:
            self.end(RETRACTED, REVISED, None)
        return not stands

    def output(self, meter_id: str, region: str | None, partition: int, received: int) -> Anomaly:
        """This revision of it."""
        return Anomaly(
            meter_id,
            self.kind,
            self.start,
            self.length,
            self.revision,
            self.state,
            self.reason,
            SEVERITIES[self.severity],
            CONFIDENCES[self.confidence],
            region,
            self.detected,
            self.ended,
            self.value,
            self.baseline,
            partition,
            received,
        )
