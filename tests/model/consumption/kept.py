"""What is kept of an accepted reading for windows and regions: in whole numbers, as of its acceptance.

Energy µWh, power mW, voltage mV, current mA, power factor in millionths, frequency mHz; times and durations
µs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from tests.model.stamps import MINUTE

SCALES = {
    "power_kw": 1_000_000, "voltage": 1_000, "current": 1_000, "power_factor": 1_000_000, "frequency": 1_000,
}  # fmt: skip
LIMITS = {"power_kw": 1e9, "voltage": 2e6, "current": 2e6, "power_factor": 2000.0, "frequency": 2e6}


class Slot(NamedTuple):
    """A slot and the time that it covers."""

    start: int
    since: int
    until: int


@dataclass
class Kept:
    """One remembered reading; a revision replaces all but the span and the slot."""

    stamp: int
    energy: int
    measures: dict[str, int]  # without those that did not come
    span: tuple[int, int] | None  # of energy that came over a gap
    slot: Slot | None  # that it filled, of a meter whose interval was known
    region: str | None
    received: bool = False  # the slot counts in the sums of a region


def micro_wh(kwh: float) -> int:
    return math.floor(kwh * 1e9 + 0.5)


def measures_of(body: dict[str, Any]) -> dict[str, int]:
    came = {name: body[name] for name in SCALES if body.get(name) is not None}
    return {
        name: math.floor(value * SCALES[name] + 0.5)
        for name, value in came.items()
        if -LIMITS[name] <= value <= LIMITS[name]  # beyond it a value does not count
    }


def floor_to(instant: int, length: int) -> int:
    return instant - instant % length


def share(energy: int, span: tuple[int, int], since: int, until: int) -> int:
    """What of an energy spread over a span lies in [since, until), by cumulative floor."""
    if energy < 0:
        return -share(-energy, span, since, until)
    start, end = span

    def up_to(instant: int) -> int:
        return energy * (min(max(instant, start), end) - start) // (end - start)

    return up_to(until) - up_to(since)


def overlap(since: int, until: int, start: int, end: int) -> int:
    return max(0, min(until, end) - max(since, start))


def pieces(since: int, until: int, length: int = MINUTE) -> Iterator[int]:
    """The starts of the windows of a length that overlap [since, until)."""
    yield from range(floor_to(since, length), until, length)


def half_even(value: Fraction | None) -> int | None:
    """Rounded to a whole number, half to even, as `round` does with fractions."""
    return None if value is None else round(value)


def mean(values: list[Fraction]) -> Fraction | None:
    return sum(values, Fraction(0)) / len(values) if values else None
