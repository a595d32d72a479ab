"""What a meter usually uses, by examples worked out by hand."""

from __future__ import annotations

import pytest

from gridwatch.cli.scoring.usual import Days, Usage, Usual
from gridwatch.domain.instants import parse_instant
from gridwatch.domain.policy import HOUR

QUARTER = HOUR // 4
DAYS = Days("Europe/Berlin", {"2026-03-06"})


def at(text: str) -> int:
    return parse_instant(text)[0]


@pytest.mark.parametrize(
    ("start", "length", "bucket"),
    [
        ("2026-03-02T23:00Z", QUARTER, 0),  # Tuesday, midnight in Berlin
        ("2026-03-02T05:59Z", HOUR, 6),
        ("2026-03-07T11:00Z", QUARTER, 24 + 12),  # Saturday
        ("2026-03-06T11:00Z", QUARTER, 24 + 12),  # a holiday
        ("2026-03-30T11:00Z", QUARTER, 13),  # summer time
        ("2026-03-02T11:00Z", 2 * HOUR, 0),
        ("2026-03-07T11:00Z", 2 * HOUR, 24),
    ],
)
def test_a_bucket_is_the_local_hour_of_a_working_day_or_another(start: str, length: int, bucket: int) -> None:
    assert DAYS.bucket(at(start), length) == bucket


def test_a_bucket_is_a_baseline_from_its_third_window_on() -> None:
    usage = Usage()
    for power in (900_000, 1_000_001):
        usage.learn(12, power)
        assert usage.raw(12, QUARTER) is None
    usage.learn(12, 1_000_000)
    # 900000; + 100001 // 2 = 950000, D 0 + 100001 // 2 = 50000; + 50000 // 3, D + (50000 − 50000) // 3
    assert usage.raw(12, QUARTER) == Usual(966_666, 50_000)


def test_what_is_known_weighs_four_fifths_and_outliers_are_clipped() -> None:
    usage = Usage()
    for _ in range(3):
        usage.learn(12, 1_000_000)
    usage.learn(12, 9_000_000)
    # Clipped to 1200000.
    assert usage.raw(12, QUARTER) == Usual(1_040_000, 40_000)
    usage.learn(12, 1_000_000)
    assert usage.raw(12, QUARTER) == Usual(1_032_000, 40_000)
    usage.learn(12, 1_031_999)
    # Rounded down: −1 // 5 is −1, and (1 − 40000) // 5 is −8000.
    assert usage.raw(12, QUARTER) == Usual(1_031_999, 32_000)


def test_the_hours_before_and_after_stand_in_of_the_same_kind_of_day() -> None:
    usage = Usage()
    for _ in range(3):
        usage.learn(23, 1_000_000)
        usage.learn(1, 2_000_001)
        usage.learn(24 + 1, 5_000_000)
    assert usage.raw(0, QUARTER) == Usual(1_500_000, 0)
    assert usage.raw(2, QUARTER) == Usual(2_000_001, 0)
    assert usage.raw(24, QUARTER) == Usual(5_000_000, 0)
    assert usage.raw(3, QUARTER) is None
    assert usage.raw(0, 2 * HOUR) is None


def test_the_whole_day_stands_in_from_its_96th_window_on() -> None:
    usage = Usage()
    for number in range(96):
        assert usage.day is None
        assert usage.raw(12, QUARTER) is None
        usage.learn(0, 500_000 + 96 * (number == 95))
    assert usage.raw(12, QUARTER) == usage.day == Usual(500_001, 1)


def test_clear_is_three_deviations_and_200_watts_at_least() -> None:
    assert Usual(0, 10).clear == 200_000
    assert Usual(0, 100_000).clear == 300_000
