"""The one wall clock of the services. The domain never reads it: there, time is an argument."""

from __future__ import annotations

import time


def now_micros() -> int:
    """Wall time, µs since the epoch."""
    return time.time_ns() // 1000
