"""Plain integers: times µs, energies µWh, powers mW."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from math import floor

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
QUARTER = 15 * MINUTE
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=200_000)
def instant(text: str) -> int:
    """An RFC 3339 instant in µs."""
    span = datetime.fromisoformat(text) - _EPOCH
    return (span.days * 86_400 + span.seconds) * SECOND + span.microseconds


def text_of(time: int) -> str:
    """The instant as RFC 3339; whole seconds only."""
    assert time % SECOND == 0, time
    return f"{datetime.fromtimestamp(time // SECOND, UTC):%Y-%m-%dT%H:%M:%SZ}"


def down(time: int, length: int) -> int:
    """The start of the window of that length."""
    return time - time % length


def half_even(numerator: int, denominator: int) -> int:
    """The nearest whole number to a fraction; of two the even one."""
    whole, rest = divmod(numerator, denominator)
    if 2 * rest > denominator or (2 * rest == denominator and whole % 2):
        return whole + 1
    return whole


def scaled(value: float, scale: int) -> int:
    """A measured value in whole units."""
    return floor(value * scale + 0.5)


def share(energy: int, start: int, end: int, since: int, to: int) -> int:
    """What of an energy over [start, end) lies in [since, to): differences of one cumulative floor."""
    if energy < 0:
        return -share(-energy, start, end, since, to)

    def until(time: int) -> int:
        return energy * (min(max(time, start), end) - start) // (end - start)

    return until(to) - until(since)


def overlap(start: int, end: int, since: int, to: int) -> int:
    """How much two spans have in common."""
    return max(0, min(end, to) - max(start, since))


def union(spans: list[tuple[int, int]], since: int, to: int) -> int:
    """How much of [since, to) lies in any of the spans."""
    covered, reached = 0, since
    for start, end in sorted(spans):
        if min(end, to) > max(start, reached):
            covered += min(end, to) - max(start, reached)
            reached = min(end, to)
    return covered
