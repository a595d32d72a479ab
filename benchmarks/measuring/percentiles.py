"""What many waits come to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Latency:
    """Milliseconds from sent to validated, at `rate` readings a second; `load` of the machine before."""

    contestant: str
    rate: float
    seconds: float
    readings: int
    p50: float
    p99: float
    worst: float
    load: float


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value below which `share` of the ordered values lie (nearest rank)."""
    if not ordered:
        raise ValueError("no values")
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def latency_of(contestant: str, rate: float, seconds: float, waits: list[float], load: float) -> Latency:
    """What milliseconds of waiting come to."""
    waits.sort()
    p50, p99 = percentile(waits, 0.50), percentile(waits, 0.99)
    return Latency(contestant, rate, seconds, len(waits), p50, p99, waits[-1], load)


def steady(arrived: Sequence[tuple[int, int]], seconds: float) -> list[float]:
    """Milliseconds between (sent, arrived), both µs, of what was sent in the last two thirds of the time."""
    counted_from = max(sent for sent, _ in arrived) - int(seconds * 2 / 3 * 1e6)
    return [(now - sent) / 1000 for sent, now in arrived if sent >= counted_from]
