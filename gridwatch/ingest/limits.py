"""How many readings a caller may send: a token bucket each.

A bucket holds what a caller may send in ten seconds and fills with time. Who asks for more is told when there
will be enough. Buckets that are full again are forgotten.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

BURST_SECONDS: Final = 10
_MOST_CALLERS: Final = 10_000


class Limits:
    """The buckets of all callers.

    Args:
        rate: readings a second; 0: no limit.
        clock: monotonic, seconds.
    """

    def __init__(self, rate: int, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait(self, caller: str, count: int) -> int:
        """0, and the readings are counted; or seconds until the caller may send so many."""
        if not self._rate:
            return 0
        now, most = self._clock(), float(self._rate * BURST_SECONDS)
        left, since = self._buckets.get(caller, (most, now))
        left = min(most, left + (now - since) * self._rate)
        needed = min(float(count), most)  # a batch larger than the bucket needs a full one
        if left >= needed:
            if len(self._buckets) >= _MOST_CALLERS:
                self._forget(now, most)
            self._buckets[caller] = (left - count, now)
            return 0
        return max(1, math.ceil((needed - left) / self._rate))

    def _forget(self, now: float, most: float) -> None:
        full = [
            caller
            for caller, (left, since) in self._buckets.items()
            if left + (now - since) * self._rate >= most
        ]
        for caller in full:
            del self._buckets[caller]
