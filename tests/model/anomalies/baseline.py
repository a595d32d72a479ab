"""What a meter usually uses: recomputed from nothing but what it learned, one window after the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from tests.model.anomalies.window import Bucket

FULL = 3  # windows of a bucket
WHOLE_DAY = 96
SURE = 200_000
WEIGHT = 5


class Baseline(NamedTuple):
    """mW."""

    b: int
    deviation: int

    def plus(self, level: int) -> Baseline:
        return Baseline(self.b + level, self.deviation)

    def width(self) -> int:
        """From how far away a window is sure."""
        return max(3 * self.deviation, SURE)

    def is_sure(self, x: int) -> bool:
        return abs(x - self.b) >= 3 * self.deviation and abs(x - self.b) >= SURE


@dataclass
class Mean:
    """A mean with its deviation and count."""

    mean: int = 0
    deviation: int = 0
    count: int = 0

    def learn(self, y: int, weight: int) -> None:
        if self.count == 0:
            self.mean, self.deviation = y, 0
        else:
            e = y - self.mean
            self.mean += e // weight
            self.deviation += (abs(e) - self.deviation) // weight


@dataclass
class Habit:
    """All buckets and the whole day of one meter; power without the level."""

    buckets: dict[Bucket, Mean] = field(default_factory=dict)
    day: Mean = field(default_factory=Mean)

    def full(self, bucket: Bucket) -> Baseline | None:
        known = self.buckets.get(bucket)
        return Baseline(known.mean, known.deviation) if known and known.count == FULL else None

    def raw(self, bucket: Bucket) -> Baseline | None:
        own = self.full(bucket)
        if own is not None:
            return own
        near = [one for one in map(self.full, bucket.neighbours()) if one is not None]
        if near:
            return Baseline(
                sum(one.b for one in near) // len(near), sum(one.deviation for one in near) // len(near)
            )
        return Baseline(self.day.mean, self.day.deviation) if self.day.count == WHOLE_DAY else None

    def learn(self, bucket: Bucket, y: int) -> None:
        own = self.buckets.setdefault(bucket, Mean())
        clipped = y
        if own.count == FULL:
            most = max(3 * own.deviation, SURE)
            clipped = min(max(y, own.mean - most), own.mean + most)
        own.learn(clipped, own.count + 1 if own.count < FULL else WEIGHT)
        own.count = min(own.count + 1, FULL)
        number = min(self.day.count + 1, WHOLE_DAY)
        self.day.learn(y, number)
        self.day.count = number
