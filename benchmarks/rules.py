"""The job as the peers do it: lateness by watermark, a gap count by expected slot, one record out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

LATE_AFTER = 10.0
GRACE = 900.0


class Rules:
    """Watermark a partition, and what is decided by it."""

    def __init__(self) -> None:
        self._highest: dict[int, float] = {}
        self._instants: dict[str, float] = {}

    def judge(self, partition: int, reading: dict[str, Any], state: list[float] | None) -> Any:
        """(state, validated) for a reading; state is [last_seen, expected_next, gaps, late]."""
        stamp = reading["timestamp"]
        time = self._instants.get(stamp)
        if time is None:
            time = self._instants[stamp] = datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()
        highest = self._highest.get(partition, time)
        watermark = highest - LATE_AFTER
        if time > highest or partition not in self._highest:
            self._highest[partition] = time
        status = "OK" if time >= watermark else "LATE"
        interval = reading["interval_minutes"] * 60.0
        if state is None:
            state = [time, time + interval, 0, 0]
        elif time >= state[0]:
            if watermark >= state[1] + GRACE:
                state = [time, time + interval, state[2] + 1, state[3]]
            else:
                state = [time, time + interval, state[2], state[3]]
        if status == "LATE":
            state = [state[0], state[1], state[2], state[3] + 1]
        validated = dict(reading)
        validated["status"] = status
        validated["delay_seconds"] = max(0.0, watermark - time)
        validated["flags"] = []
        return state, validated
