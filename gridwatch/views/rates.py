"""Reading rates over the last hour, by event time and by wall clock.

By event time: the metric windows in each partition's committed row, which cover the last hour up to its
watermark (`domain/partition/windows.py`), so they survive restarts and are the same on every worker. By wall
clock: how many raw records were processed, sampled every few seconds since this worker started.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from gridwatch.clock import now_micros
from gridwatch.domain.instants import format_instant, parse_instant
from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.partition.windows import METRICS
from gridwatch.domain.policy import MINUTE, SECOND
from gridwatch.views.state import Record

HOUR = 60 * MINUTE
#: The values of a window that can be added up over partitions.
COUNTS = tuple(METRICS)


def windows_of(states: Iterable[PartitionState], length: int) -> list[Record]:
    """The windows of some partitions, added up, in order of time. `length` of a window in µs.

    A reading is counted once, but a meter is active in every window in which it reports.
    """
    added: dict[int, dict[str, float]] = {}
    for state in states:
        for start, window in state.windows.items():
            counts = added.setdefault(start, dict.fromkeys(COUNTS, 0))
            for name, count in METRICS.items():
                counts[name] += count(window)
    return [
        {"window_start": format_instant(start), "window_end": format_instant(start + length), **added[start]}
        for start in sorted(added)
    ]


def merged(answers: Iterable[list[Record]]) -> list[Record]:
    """The windows of several workers added up, in order of time."""
    added: dict[str, Record] = {}
    for windows in answers:
        for window in windows:
            known = added.get(window["window_start"])
            if known is None:
                added[window["window_start"]] = dict(window)
            else:
                for name in COUNTS:
                    known[name] += window[name]
    return sorted(added.values(), key=lambda window: parse_instant(window["window_start"])[0])


def last_hour(windows: list[Record], watermark: int | None) -> list[Record]:
    """The windows of the hour that ends with the window of `watermark`, the highest one.

    Windows that a slow partition still holds of earlier hours are left out. A window longer than an hour is
    returned alone.
    """
    if not windows or watermark is None:
        return []
    length = _micros(windows[0]["window_end"]) - _micros(windows[0]["window_start"])
    end = watermark - watermark % length + length
    return [one for one in windows if end - max(HOUR, length) <= _micros(one["window_start"]) < end]


def late_share(windows: list[Record]) -> float | None:
    """Late and too-late readings as a share of all received, 0 to 1; None if none was received."""
    late = sum(one["readings_late"] + one["readings_too_late"] for one in windows)
    received = sum(one["readings_received"] for one in windows)
    return late / received if received else None


def _micros(instant: str) -> int:
    return parse_instant(instant)[0]


class Throughput:
    """Records processed by this worker in each minute of wall time, for an hour."""

    def __init__(self) -> None:
        self._reached: dict[int, int] = {}
        self._observed_at: float | None = None
        #: Minute (µs), records processed in it, seconds of it that were observed.
        self._minutes: deque[list[Any]] = deque(maxlen=61)

    def observe(self, reached: Mapping[int, int]) -> None:
        """Record each partition's position: partition → offset of the next record."""
        now, minute = time.monotonic(), now_micros() // MINUTE * MINUTE
        processed = sum(
            max(0, offset - self._reached[partition])
            for partition, offset in reached.items()
            if partition in self._reached
        )
        if self._observed_at is not None:
            if not self._minutes or self._minutes[-1][0] != minute:
                self._minutes.append([minute, 0, 0.0])
            self._minutes[-1][1] += processed
            self._minutes[-1][2] += now - self._observed_at
        self._reached, self._observed_at = dict(reached), now

    def minutes(self) -> list[Record]:
        """Each minute with its records and the seconds of it that were observed, in order of time."""
        since = now_micros() - HOUR
        return [
            {"minute": format_instant(minute), "records": processed, "seconds": round(seconds, 3)}
            for minute, processed, seconds in self._minutes
            if minute > since
        ]


def merged_minutes(answers: Iterable[list[Record]]) -> list[tuple[int, float]]:
    """Records per second, summed over several workers: (minute in µs, rate), in order of time."""
    rates: dict[int, float] = {}
    for minutes in answers:
        for one in minutes:
            if one["seconds"] > 0:
                at = _micros(one["minute"])
                # The current minute, and the one in which a worker started, are observed in part only.
                rates[at] = rates.get(at, 0.0) + one["records"] / max(one["seconds"], 1.0)
    return sorted(rates.items())


def age_seconds(instant: str | None) -> float | None:
    """Wall time minus an instant."""
    return None if instant is None else (now_micros() - _micros(instant)) / SECOND
