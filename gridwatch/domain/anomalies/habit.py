"""What one meter usually uses, and its runs of like windows. All whole numbers; power in mW.

A bucket is a mean, a deviation and a count of up to 3. Only the one of the last judged window is in the state
of the meter; the others are a state of their own, which is read when the hour changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from gridwatch.domain.anomalies.days import HOURS, neighbours_of
from gridwatch.domain.policy import NEVER

Buckets: TypeAlias = list[int]
"""Mean, deviation and count of each, one after the other: a million meters have them, so they are as plain as
their row."""
Baseline: TypeAlias = tuple[int, int]
"""Mean and deviation."""

ENOUGH: Final = 3
"""A bucket is used from so many windows on."""
DAY_ENOUGH: Final = 96
"""The mean of all hours is used from so many windows on."""
LEAST_DEVIATION: Final = 200_000
"""What is nearer to the baseline is not sure to be out of the ordinary, mW."""
_SPEED: Final = 5
_PARTS: Final = 3


def no_buckets() -> Buckets:
    """Those of a meter that none is known of."""
    return [0] * (_PARTS * 2 * HOURS)


class Habit:
    """What is known of one meter."""

    __slots__ = (
        "bucket",
        "count",
        "day_count",
        "day_deviation",
        "day_mean",
        "deviation",
        "earlier",
        "length",
        "level",
        "mean",
        "newest",
        "run_count",
        "run_from",
        "run_length",
        "run_mean",
        "run_span",
        "run_value",
        "side_from",
        "side_length",
        "side_sum",
        "sides",
    )

    def __init__(self) -> None:
        self.newest = -NEVER
        """Start of the last judged window."""
        self.length = 0
        """Its length."""
        self.bucket = 0
        """Its bucket, which these are of."""
        self.mean = self.deviation = self.count = 0
        self.day_mean = self.day_deviation = self.day_count = 0
        """Of all hours."""
        self.level = 0
        """What is added to all means, since the last level shift."""
        self.earlier: int | None = None
        """The level before it, as long as that is not over."""
        self.run_value = self.run_count = self.run_span = self.run_from = self.run_length = 0
        """Windows in a row with equal power: that, how many, their length altogether, the first one's start
        and length."""
        self.run_mean: int | None = None
        """The mean of all hours as they began, if there was one."""
        self.sides = self.side_sum = self.side_from = self.side_length = 0
        """Windows in a row surely above (positive) or below the baseline: how many, the sum of what they are
        above the raw one, the first one's start and length."""

    def enter(self, bucket: int, buckets: Buckets) -> bool:
        """Turn to another bucket. Whether ``buckets`` changed: they have the one before from now on."""
        changed, at = bool(self.count), _PARTS * self.bucket
        if changed:
            buckets[at], buckets[at + 1], buckets[at + 2] = self.mean, self.deviation, self.count
        self.bucket, at = bucket, _PARTS * bucket
        self.mean, self.deviation, self.count = buckets[at], buckets[at + 1], buckets[at + 2]
        return changed

    def baseline(self, buckets: Callable[[], Buckets], *, by_hour: bool) -> Baseline | None:
        """The raw baseline of the bucket: its own, else that of the hours around, that of all hours, none."""
        if self.count == ENOUGH:
            return self.mean, self.deviation
        if by_hour:
            known = buckets()
            near = [at for place in neighbours_of(self.bucket) if known[(at := _PARTS * place) + 2] == ENOUGH]
            if near:
                means, deviations = sum(known[at] for at in near), sum(known[at + 1] for at in near)
                return means // len(near), deviations // len(near)
        return (self.day_mean, self.day_deviation) if self.day_count == DAY_ENOUGH else None

    def learn(self, power: int) -> None:
        """Add a window with this power, less the level."""
        error = power - self.day_mean
        if self.day_count:
            self.day_count = count = min(self.day_count + 1, DAY_ENOUGH)
            self.day_mean += error // count
            self.day_deviation += (abs(error) - self.day_deviation) // count
        else:
            self.day_mean, self.day_count = power, 1
        error, speed = power - self.mean, _SPEED
        if self.count == ENOUGH:
            most = max(3 * self.deviation, LEAST_DEVIATION)
            error = max(-most, min(most, error))
        elif self.count:
            self.count += 1
            speed = self.count
        else:
            self.mean, self.deviation, self.count = power, 0, 1
            return
        self.mean += error // speed
        self.deviation += (abs(error) - self.deviation) // speed

    def break_runs(self) -> None:
        """Let the runs begin anew."""
        self.run_count = self.run_span = self.sides = 0

    def run(self, start: int, length: int, power: int) -> None:
        """Add a window to the run of equal ones, or begin another."""
        if not self.run_count or power != self.run_value:
            self.run_value, self.run_from, self.run_length = power, start, length
            self.run_count = self.run_span = 0
            self.run_mean = self.day_mean + self.level if self.day_count == DAY_ENOUGH else None
        self.run_count += 1
        self.run_span += length

    def side(self, start: int, length: int, above_raw: int, side: int) -> None:
        """Add a window that is surely on one side of the baseline, 1 or -1, to its run, or begin another."""
        if self.sides * side > 0:
            self.sides += side
            self.side_sum += above_raw
        else:
            self.sides, self.side_sum, self.side_from, self.side_length = side, above_raw, start, length
