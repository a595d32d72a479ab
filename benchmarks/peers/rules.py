"""The job as the peers do it: lateness by watermark, a gap count by expected slot, one record out.

In two parts, because an engine with state keyed by meter needs the results by partition first.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

LATE_AFTER = 10.0
GRACE = 900.0

Reading = dict[str, Any]
State = list[float]


def instant_of(stamp: str) -> float:
    """Seconds since the epoch of an RFC 3339 text in UTC."""
    return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()


class Rules:
    """Watermark a partition, and what is decided by it. Times in seconds since the epoch."""

    def __init__(self) -> None:
        self._highest: dict[int, float] = {}
        self._instants: dict[str, float] = {}

    def place(self, partition: int, reading: Reading) -> tuple[float, float]:
        """(time, watermark before it) of the next reading of a partition."""
        stamp = reading["timestamp"]
        time = self._instants.get(stamp)
        if time is None:
            time = self._instants[stamp] = instant_of(stamp)
        highest = self._highest.get(partition, time)
        if time >= highest:
            self._highest[partition] = time
        return time, highest - LATE_AFTER


def judge(reading: Reading, time: float, watermark: float, state: State | None) -> tuple[State, Reading]:
    """(state, validated) of a reading of one meter; state is [last_seen, expected_next, gaps, late]."""
    late = time < watermark
    if state is None:
        state = [time, time + reading["interval_minutes"] * 60.0, 0, late]
    else:
        last, expected, gaps, lates = state
        if time >= last:
            gaps += watermark >= expected + GRACE
            last, expected = time, time + reading["interval_minutes"] * 60.0
        state = [last, expected, gaps, lates + late]
    validated = dict(reading)
    validated["status"] = "LATE" if late else "OK"
    validated["delay_seconds"] = watermark - time if late else 0.0
    validated["flags"] = []
    return state, validated
