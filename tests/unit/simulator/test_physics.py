"""What is read obeys the physics that are promised, to the digits that are sent."""

from __future__ import annotations

import numpy as np
import pytest

from gridwatch.domain.instants import parse_instant
from gridwatch.simulator.model.classes import KINDS
from gridwatch.simulator.model.draws import Ints
from gridwatch.simulator.model.fleet import Fleet, make_fleet
from gridwatch.simulator.model.network import (
    LEAST_POWER_FACTOR,
    LEAST_VOLTAGE,
    MOST_POWER_FACTOR,
    MOST_VOLTAGE,
)
from gridwatch.simulator.model.readings import Boost, Flat, Meters, Readings

ZONE = "Europe/Berlin"
DAY = 86_400


def second(text: str) -> int:
    return parse_instant(text)[0] // 1_000_000


WINTER, SUMMER = second("2026-01-13T00:00Z"), second("2026-06-16T00:00Z")


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return make_fleet(7, 1500, 3)


def span(fleet: Fleet, start: int, length: int, every: int, boosts: tuple[Boost, ...] = ()) -> Readings:
    """All readings of a stretch, in one piece."""
    blocks = list(Meters(fleet, ZONE, every, boosts).between(start, start + length))
    return Readings(*(np.concatenate([getattr(block, name) for block in blocks]) for name in vars(blocks[0])))


def of_kind(fleet: Fleet, name: str) -> Ints:
    number = next(at for at, kind in enumerate(KINDS) if kind.name == name)
    return np.flatnonzero(fleet.kind == number).astype(np.int64)


@pytest.fixture(scope="module")
def winter(fleet: Fleet) -> Readings:
    return span(fleet, WINTER, 2 * DAY, 900)


@pytest.fixture(scope="module")
def summer(fleet: Fleet) -> Readings:
    return span(fleet, SUMMER, 2 * DAY, 900)


@pytest.mark.parametrize("every", [1, 10, 60, 900, 3600])
def test_energy_is_the_integral_of_power(fleet: Fleet, every: int) -> None:
    whole = span(fleet, WINTER + 17 * 3600, 3600, every)
    kwh = whole.energy.sum(axis=0) / 1e6
    integral = whole.power.sum(axis=0) / 1e5 * every / 3600
    assert np.abs(kwh / integral - 1).max() < 0.001


def test_energy_of_an_hour_is_the_integral_of_power_by_the_second(fleet: Fleet) -> None:
    hour = span(fleet, WINTER + 18 * 3600, 3600, 3600)
    by_second = span(fleet, WINTER + 18 * 3600, 3600, 1)
    assert np.abs(by_second.power.sum(axis=0) / 1e5 / 3600 / (hour.energy[0] / 1e6) - 1).max() < 0.001


def test_a_register_rises_by_the_energy_of_each_interval_to_the_last_digit(winter: Readings) -> None:
    assert (np.diff(winter.register, axis=0) == winter.energy[1:]).all()
    assert (np.diff(winter.feed_register, axis=0) == winter.fed_in[1:]).all()


def test_the_register_is_the_same_however_often_it_is_read(fleet: Fleet) -> None:
    hourly, often = span(fleet, SUMMER, DAY, 3600), span(fleet, SUMMER, DAY, 60)
    assert (hourly.register == often.register[59::60]).all()


def test_current_times_voltage_times_power_factor_is_power(winter: Readings) -> None:
    amperes, volts = winter.current / 1e4, winter.voltage / 100
    watts = amperes * volts * winter.power_factor / 1000
    # The current is rounded to a tenth of a milliampere.
    assert np.abs(watts - winter.power / 100).max() <= 0.00005 * 253 + 0.001


def test_voltage_and_power_factor_stay_within_their_limits(winter: Readings, summer: Readings) -> None:
    for readings in (winter, summer):
        assert readings.voltage.min() > LEAST_VOLTAGE
        assert readings.voltage.max() < MOST_VOLTAGE
        assert readings.power_factor.min() >= LEAST_POWER_FACTOR
        assert readings.power_factor.max() <= MOST_POWER_FACTOR


def test_voltage_falls_with_the_load_of_the_feeder(fleet: Fleet, winter: Readings) -> None:
    load = np.add.reduceat(winter.power, fleet.feeder_starts, axis=1)
    volts = np.add.reduceat(winter.voltage, fleet.feeder_starts, axis=1)
    for feeder in range(load.shape[1]):
        assert np.corrcoef(load[:, feeder], volts[:, feeder])[0, 1] < -0.5


def test_voltage_is_lower_farther_along_a_loaded_feeder(fleet: Fleet, winter: Readings) -> None:
    evening = winter.voltage[18 * 4]
    for feeder in range(int(fleet.feeder.max()) + 1):
        along = np.argsort(fleet.place[fleet.feeder == feeder])
        assert (np.diff(evening[fleet.feeder == feeder][along]) <= 0).all()


def test_frequency_is_one_for_all_and_near_50_hertz(winter: Readings) -> None:
    assert winter.frequency.shape == winter.instants.shape
    assert 49_960 <= winter.frequency.min() < winter.frequency.max() <= 50_040


def test_power_is_above_zero_and_within_the_connection(fleet: Fleet) -> None:
    limits = np.array([kind.max_kw for kind in KINDS])[fleet.kind]
    for start in (WINTER, SUMMER):
        readings = span(fleet, start + 16 * 3600, 4 * 3600, 10)
        assert readings.power.min() > 0
        assert (readings.power.max(axis=0) / 1e5 < limits).all()


def test_what_panels_feed_in_is_never_negative_consumption(fleet: Fleet, summer: Readings) -> None:
    feeding = of_kind(fleet, "pv-prosumer")
    assert summer.energy.min() >= 0
    assert summer.fed_in.min() >= 0
    noon, midnight = 11 * 4, 23 * 4
    assert summer.fed_in[noon].min() > 0
    assert summer.fed_in[midnight].max() == 0
    assert summer.fed_in.shape[1] == len(feeding)


def test_heat_pumps_follow_the_cold(fleet: Fleet, winter: Readings, summer: Readings) -> None:
    pumps, flats = of_kind(fleet, "heat-pump"), of_kind(fleet, "flat")
    assert winter.power[:, pumps].mean() > 3 * summer.power[:, pumps].mean()
    assert winter.power[:, flats].mean() < 1.5 * summer.power[:, flats].mean()


def test_street_lighting_burns_by_night(fleet: Fleet, winter: Readings, summer: Readings) -> None:
    lamps = of_kind(fleet, "street-lighting")
    for readings in (winter, summer):
        assert readings.power[11 * 4, lamps].max() < readings.power[23 * 4, lamps].min() / 10
    assert winter.power[:, lamps].mean() > 1.4 * summer.power[:, lamps].mean()


def test_businesses_and_industry_rest_on_weekends(fleet: Fleet) -> None:
    week = span(fleet, second("2026-03-02T00:00Z"), 7 * DAY, 3600)
    for name in ("business", "industry"):
        power = week.power[:, of_kind(fleet, name)]
        assert power[6 * 24 :].mean() < 0.7 * power[: 5 * 24].mean()


def test_people_keep_local_time_across_the_change_of_clocks(fleet: Fleet) -> None:
    households = of_kind(fleet, "business")
    before = span(fleet, second("2026-03-26T00:00Z"), DAY, 3600).power[:, households].mean(axis=1)
    after = span(fleet, second("2026-04-02T00:00Z"), DAY, 3600).power[:, households].mean(axis=1)
    # An hour earlier by UTC: shops open at the same time by the clock on the wall.
    assert np.abs(np.roll(after, 1) - before).sum() < 0.6 * np.abs(after - before).sum()


def test_a_household_takes_what_households_take_in_a_year(fleet: Fleet) -> None:
    year = 365 * DAY
    meters = Meters(fleet, ZONE, DAY)
    start, end = (meters.at(np.array([at])).register[0] for at in (WINTER, WINTER + year))
    kwh = (end - start) / 1e6
    usual = {
        "household": (2500, 4500),
        "flat": (1500, 3200),
        "heat-pump": (6000, 13_000),
        "ev": (4500, 8000),
        "business": (10_000, 22_000),
        "street-lighting": (6000, 13_000),
        "industry": (120_000, 220_000),
    }
    for name, (least, most) in usual.items():
        assert least < kwh[of_kind(fleet, name)].mean() < most, name


def test_a_boost_multiplies_power_and_leaves_the_register_higher(fleet: Fleet) -> None:
    start, meters = WINTER + 12 * 3600, fleet.below("R02")
    boost = Boost(meters, start + 1800, start + 3600, 2500)
    plain, lifted = span(fleet, start, 7200, 60), span(fleet, start, 7200, 60, (boost,))
    during = slice(30, 60)
    assert (np.abs(lifted.energy[during, meters] - 2.5 * plain.energy[during, meters]) <= 4).all()
    others = np.setdiff1d(np.arange(len(fleet.ids)), meters)
    assert (lifted.energy[:, others] == plain.energy[:, others]).all()
    # The register stays off by what is no whole mWh.
    assert (np.abs(lifted.energy[60:] - plain.energy[60:]) <= 1).all()
    assert (np.diff(lifted.register, axis=0) == lifted.energy[1:]).all()
    gained = lifted.register[-1, meters] - plain.register[-1, meters]
    assert (np.abs(gained - 1.5 * plain.energy[during, meters].sum(axis=0)) <= 60).all()
    assert lifted.voltage[during, meters].mean() < plain.voltage[during, meters].mean()


def test_the_factors_of_boosts_that_overlap_are_multiplied(fleet: Fleet) -> None:
    region, one = fleet.below("R02"), fleet.below("R02")[:1]
    overload = Boost(region, WINTER, WINTER + 3600, 500)
    drop = Boost(one, WINTER + 1200, WINTER + 2400, 200)
    plain = span(fleet, WINTER, 4800, 600)
    both = span(fleet, WINTER, 4800, 600, (overload, drop))
    share = both.energy[:, one[0]] / plain.energy[:, one[0]]
    assert np.abs(share - [0.5, 0.5, 0.1, 0.1, 0.5, 0.5, 1, 1]).max() < 0.001
    assert np.abs(both.energy[:6, region[1:]] / plain.energy[:6, region[1:]] - 0.5).max() < 0.001


def test_a_long_and_high_boost_stays_within_what_an_integer_holds(fleet: Fleet) -> None:
    boost = Boost(of_kind(fleet, "industry"), WINTER - 60 * DAY, WINTER + DAY, 1_000_000)
    plain, lifted = span(fleet, WINTER, 7200, 3600), span(fleet, WINTER, 7200, 3600, (boost,))
    assert np.abs(lifted.energy[:, boost.meters] / plain.energy[:, boost.meters] - 1000).max() < 0.001


def test_a_boost_that_is_over_still_counts_in_a_window_that_starts_later(fleet: Fleet) -> None:
    boost = Boost(fleet.below("R01"), WINTER, WINTER + 3600, 3000)
    whole = span(fleet, WINTER - 3600, 4 * 3600, 600, (boost,))
    later = span(fleet, WINTER + 7200, 3600, 600, (boost,))
    assert (whole.register[-6:] == later.register).all()


@pytest.mark.parametrize("every", [10, 900, 1800])
def test_a_flat_line_has_equal_energy_and_nearly_the_mean_of_its_time(fleet: Fleet, every: int) -> None:
    start, meters = WINTER + 12 * 3600, fleet.below("R02-F0001-T1")
    flat = Flat(meters, start + 1800, start + 5400)
    plain = span(fleet, start, 7200, every)
    blocks = list(Meters(fleet, ZONE, every, (), (flat,)).between(start, start + 7200))
    energy, power = (
        np.concatenate([getattr(block, name) for block in blocks]) for name in ("energy", "power")
    )
    during = slice(1800 // every, 5400 // every)
    for of_meters in (energy, power):
        assert (of_meters[during, meters] == of_meters[1800 // every, meters]).all()
    assert (power[during, meters] > 0).all()
    # Rounded down to whole mWh an interval.
    lost = plain.energy[during, meters].sum(axis=0) - energy[during, meters].sum(axis=0)
    assert (lost <= 3600 // every).all()
    others = np.setdiff1d(np.arange(len(fleet.ids)), meters)
    assert (energy[:, others] == plain.energy[:, others]).all()
    assert (np.abs(energy[5400 // every :] - plain.energy[5400 // every :]) <= 1).all()
    register = np.concatenate([block.register for block in blocks])
    assert (np.diff(register, axis=0) == energy[1:]).all()


def test_a_flat_line_is_the_same_in_a_window_that_starts_within_it(fleet: Fleet) -> None:
    flat = Flat(fleet.below("R01"), WINTER, WINTER + 7200)
    boost = Boost(fleet.below("R01"), WINTER + 1800, WINTER + 3600, 3000)
    meters = Meters(fleet, ZONE, 600, (boost,), (flat,))
    whole = np.concatenate([block.register for block in meters.between(WINTER - 3600, WINTER + 10_800)])
    later = np.concatenate([block.register for block in meters.between(WINTER + 3600, WINTER + 10_800)])
    assert (whole[-12:] == later).all()
