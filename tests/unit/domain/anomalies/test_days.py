"""The bucket of a window: local hours, working days, holidays, and both changes of the clocks."""

from __future__ import annotations

import pytest

from gridwatch.domain.anomalies.days import bucket_of, neighbours_of
from gridwatch.domain.policy import DAY, HOUR, MINUTE
from tests.unit.domain.log import at


@pytest.mark.parametrize(
    ("clock", "zone", "bucket"),
    [
        ("2024-01-05T23:45:00", "UTC", 23),  # a Friday
        ("2024-01-06T00:00:00", "UTC", 24),
        ("2024-01-07T23:59:59", "UTC", 47),
        ("2024-01-08T00:00:00", "UTC", 0),
        ("2024-01-05T23:45:00", "Europe/Berlin", 24),  # already Saturday there
        ("2024-01-06T04:59:00", "America/New_York", 23),  # still Friday
        ("2024-03-31T00:59:00", "Europe/London", 24),  # before the clocks go forward
        ("2024-03-31T01:00:00", "Europe/London", 26),
        ("2024-10-27T00:30:00", "Europe/London", 25),  # the repeated hour, its first pass
        ("2024-10-27T01:30:00", "Europe/London", 25),  # and its second
        ("2024-10-27T02:00:00", "Europe/London", 26),
        ("2024-01-08T00:00:00", "Asia/Kathmandu", 5),  # 05:45
    ],
)
def test_it_is_that_of_the_local_hour(clock: str, zone: str, bucket: int) -> None:
    assert bucket_of(at(clock), 15 * MINUTE, zone, ()) == bucket


def test_holidays_are_no_working_days() -> None:
    clock = at("2024-12-24T23:30:00")
    assert bucket_of(clock, HOUR, "UTC", ("2024-12-25",)) == 23
    assert bucket_of(clock, HOUR, "Europe/Berlin", ("2024-12-25",)) == 24
    assert bucket_of(at("2024-12-28T10:00:00"), HOUR, "UTC", ("2024-12-28",)) == 34  # a Saturday anyway


def test_longer_windows_have_one_for_each_kind_of_day() -> None:
    clock = at("2024-01-05T13:00:00")
    assert [bucket_of(clock + day * DAY, 2 * HOUR, "UTC", ("2024-01-08",)) for day in range(5)] == [
        *(0, 24, 24, 24, 0)
    ]


def test_neighbours_are_the_hours_around_of_the_same_kind_of_day() -> None:
    assert [neighbours_of(bucket) for bucket in (0, 1, 23, 24, 47)] == [
        *((23, 1), (0, 2), (22, 0), (47, 25), (46, 24))
    ]
