"""What the physics is made of: draws, clocks, weather, appliances."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from gridwatch.simulator.model.appliances import Appliances
from gridwatch.simulator.model.calendar import EPOCH_DAY, day_of, day_start, local_quarters, sun
from gridwatch.simulator.model.draws import between, draw, keys
from gridwatch.simulator.model.fleet import make_fleet
from gridwatch.simulator.model.weather import Weather

WHO = np.arange(2000, dtype=np.int64)


def test_draws_are_even_and_within_their_bound() -> None:
    drawn = draw(keys(1, "x", WHO), 7, 10)
    assert set(drawn.tolist()) == set(range(10))
    assert np.bincount(drawn).min() > 140
    assert draw(keys(1, "x", WHO), 7, (1 << 32) - 1).max() < (1 << 32) - 1


def test_draws_of_other_seeds_names_meters_and_times_are_apart() -> None:
    one = draw(keys(1, "x", WHO), 7, 1 << 30)
    for other in (
        draw(keys(2, "x", WHO), 7, 1 << 30),
        draw(keys(1, "y", WHO), 7, 1 << 30),
        draw(keys(1, "x", WHO), 8, 1 << 30),
        draw(keys(1, "x", WHO + 1), 7, 1 << 30),
    ):
        assert (one == other).sum() <= 1
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.1


def test_a_time_may_be_one_number_or_many_and_below_zero() -> None:
    key = keys(3, "x", WHO)
    many = draw(key, np.array([[-5], [9]], np.int64), 1000)
    assert (many[0] == draw(key, -5, 1000)).all()
    assert (many[1] == draw(key, 9, 1000)).all()


def test_between_two_draws_lies_the_straight_line() -> None:
    key = keys(3, "x", WHO[:1])
    line = between(key, np.arange(0, 121, dtype=np.int64), 60, 1000)
    assert line[0] == draw(key, 0, 1000)[0]
    assert line[60] == draw(key, 1, 1000)[0]
    assert np.abs(np.diff(line[:61], n=2)).max() <= 1


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/St_Johns", "Pacific/Auckland", "UTC"])
def test_quarters_are_those_of_the_clock_on_the_wall(zone: str) -> None:
    first = day_of(int(datetime(2026, 3, 25, tzinfo=UTC).timestamp()))
    quarters, weekend = local_quarters(zone, range(first, first + 220))
    for day in range(0, 220, 3):
        for quarter in range(0, 96, 7):
            at = datetime.fromtimestamp(day_start(first + day) + 900 * quarter, UTC)
            local = at.astimezone(ZoneInfo(zone))
            assert quarters[day, quarter] == local.hour * 4 + local.minute // 15
            assert weekend[day, quarter] == (local.weekday() >= 5)


def test_days_are_counted_from_2020() -> None:
    assert datetime(1970, 1, 1) + timedelta(days=EPOCH_DAY) == datetime(2020, 1, 1)
    assert day_of(day_start(123)) == 123
    assert day_of(day_start(123) - 1) == 122


def test_the_sun_is_high_at_noon_in_june_and_low_in_december() -> None:
    height = sun()
    noon = 45  # 11:15 UTC is 12 by the sun at 10° E
    assert abs(height[172, noon] - 894) < 10  # sin 63.4°
    assert abs(height[355, noon] - 284) < 10  # sin 16.5°
    assert height[:, 0].max() < 0


def test_the_weather_is_that_of_its_region_season_and_hour() -> None:
    days = range(2000, 2000 + 3 * 365)
    one, other = Weather(1, "R01"), Weather(1, "R02")
    temperature = one.temperature(days)
    assert -300 < temperature.min() < temperature.max() < 420
    assert abs(temperature.mean() - 100) < 40
    assert temperature[:, 56].mean() - temperature[:, 8].mean() > 60
    assert (temperature != other.temperature(days)).any()
    clouds = one.clouds(days)
    assert 0 <= clouds.min() < 50
    assert 950 < clouds.max() <= 1000
    # Neither jumps, also at midnight.
    assert np.abs(np.diff(temperature.ravel())).max() < 10
    assert np.abs(np.diff(clouds.ravel())).max() < 60


def test_appliances_run_their_mean_over_many_days_and_never_more_than_twice_it_on_one() -> None:
    fleet = make_fleet(2, 200, 1)
    appliances = Appliances(fleet, "UTC")

    def used(day: int, second: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
        onto = np.zeros((1, 200), np.int64)
        appliances.add_energy(day, np.array([second], np.int64), onto)
        return onto[0]

    daily = [used(day, 0) for day in range(1000, 1400)]
    rises = np.diff(daily, axis=0)
    assert rises.min() >= 0
    mean = (daily[-1] - daily[0]) / 399
    assert (rises.max(axis=0) <= 4 * mean + 1).all()
    assert (rises.std(axis=0) > 0.1 * mean)[mean > 0].all()


def test_the_end_of_a_day_is_the_beginning_of_the_next() -> None:
    fleet = make_fleet(2, 300, 1)
    appliances = Appliances(fleet, "Europe/Berlin")
    for day in range(1500, 1520):
        ends, begins = np.zeros((1, 300), np.int64), np.zeros((1, 300), np.int64)
        appliances.add_energy(day, np.array([86_400], np.int64), ends)
        appliances.add_energy(day + 1, np.array([0], np.int64), begins)
        assert (ends == begins).all()
