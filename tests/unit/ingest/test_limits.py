"""The limit of a caller against a model that counts in fractions, second by second."""

from __future__ import annotations

import math
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as some

from gridwatch.ingest import limits
from gridwatch.ingest.limits import BURST_SECONDS, Limits


class Model:
    """A bucket that fills in steps of an eighth of a second."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.most = Fraction(rate * BURST_SECONDS)
        self.left = self.most

    def pass_time(self, eighths: int) -> None:
        for _ in range(eighths):
            self.left = min(self.most, self.left + Fraction(self.rate, 8))

    def wait(self, count: int) -> int:
        needed = min(Fraction(count), self.most)
        if self.left >= needed:
            self.left -= count
            return 0
        return max(1, math.ceil((needed - self.left) / self.rate))


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


STEPS = some.tuples(some.sampled_from("ab"), some.integers(0, 40), some.integers(1, 300))


@settings(max_examples=300)
@given(some.sampled_from([1, 2, 8, 16]), some.lists(STEPS, max_size=30))
def test_every_caller_has_a_bucket_of_its_own_that_fills_with_time(
    rate: int, steps: list[tuple[str, int, int]]
) -> None:
    clock = Clock()
    real, models = Limits(rate, clock), {name: Model(rate) for name in "ab"}
    for caller, eighths, count in steps:
        clock.now += eighths / 8
        for model in models.values():
            model.pass_time(eighths)
        assert real.wait(caller, count) == models[caller].wait(count)


@given(some.integers(1, 50), some.integers(1, 600), some.integers(1, 600))
def test_whoever_comes_again_when_told_is_let_in(rate: int, first: int, second: int) -> None:
    clock = Clock()
    real = Limits(rate, clock)
    assert real.wait("a", first) == 0
    if seconds := real.wait("a", second):
        clock.now += seconds
        assert real.wait("a", second) == 0


def test_without_a_rate_nobody_waits() -> None:
    real = Limits(0, Clock())
    assert [real.wait("a", 5000) for _ in range(100)] == [0] * 100


def test_a_batch_larger_than_the_bucket_needs_a_full_one_and_is_paid_for_later() -> None:
    clock = Clock()
    real = Limits(10, clock)
    assert real.wait("a", 1000) == 0
    assert real.wait("a", 1) == 91
    clock.now += 91
    assert real.wait("a", 1) == 0


def test_full_buckets_are_forgotten_and_others_are_not() -> None:
    clock = Clock()
    real = Limits(10, clock)
    most = limits._MOST_CALLERS
    assert real.wait("spent", 100) == 0
    for number in range(most):
        real.wait(f"caller {number}", 1)
    clock.now += 1
    assert real.wait("one more", 1) == 0
    assert set(real._buckets) == {"spent", "one more"}
    assert real.wait("spent", 100) == 9
