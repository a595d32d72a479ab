"""How fast a replay goes: event time against wall time."""

from __future__ import annotations

import time
from collections.abc import Callable

_LONGEST_WAIT = 0.2


class Pace:
    """Holds each item back until its arrival is due: event time runs `speed` times as fast as the clock.

    Event time is `now` (µs) when this is made; without it, event time starts at the first item that is waited
    for, so a resumed replay goes on at once.
    """

    def __init__(self, speed: float, idle: Callable[[float], None], now: int | None = None) -> None:
        self._speed = speed
        self._idle = idle
        self._started = None if now is None else (time.monotonic(), now)

    def wait_for(self, arrival: int) -> None:
        """Return when `arrival` (µs of event time) is due; `idle(seconds)` is called while waiting."""
        if self._started is None:
            self._started = (time.monotonic(), arrival)
            return
        began, first = self._started
        due = began + (arrival - first) / 1_000_000 / self._speed
        while (left := due - time.monotonic()) > 0:
            self._idle(min(left, _LONGEST_WAIT))
