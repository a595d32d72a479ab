"""What windows and quarters must be, by examples worked out by hand."""

from __future__ import annotations

import pytest

from gridwatch.cli.scoring.quarters import QUARTER, Quarters
from gridwatch.cli.scoring.readings import Reading
from gridwatch.cli.scoring.spreading import shares
from gridwatch.cli.scoring.windows import Windows, windows_of
from gridwatch.domain.policy import HOUR, MINUTE, SECOND

TEN = 10 * HOUR
LATENESS = HOUR


def reading(time: int, energy: int, interval: int = 10 * SECOND, **more: object) -> Reading:
    base = Reading(time, energy, interval, time, (0, time), frozenset(), "north")
    flags = more.pop("flags", ())
    return base._replace(flags=frozenset(flags), **more)  # type: ignore[call-overload,arg-type]


def series(count: int, interval: int, start: int = TEN, **more: object) -> list[Reading]:
    return [reading(start + n * interval, 1000 + n, interval, **more) for n in range(count)]


def windows(readings: list[Reading], length: int = MINUTE, *, end_anchor: bool = False) -> Windows:
    return windows_of(readings, length, LATENESS, end_anchor=end_anchor)


def quarters(*meters: list[Reading], end_anchor: bool = False) -> Quarters:
    sums = Quarters(LATENESS)
    for readings in meters:
        sums.add(readings, end_anchor=end_anchor)
    return sums


def test_shares_of_a_span_add_up_to_the_whole() -> None:
    assert list(shares(100, 5 * MINUTE, 35 * MINUTE, QUARTER)) == [
        (0, 33), (QUARTER, 50), (2 * QUARTER, 17),
    ]  # fmt: skip
    assert list(shares(-100, 5 * MINUTE, 35 * MINUTE, QUARTER)) == [
        (0, -33), (QUARTER, -50), (2 * QUARTER, -17),
    ]  # fmt: skip


def test_a_window_has_the_readings_of_its_time() -> None:
    found = windows(series(12, 10 * SECOND))
    assert [(start - TEN, one.readings, one.energy) for start, one in sorted(found.of.items())] == [
        (0, 6, 6015 / 1e9),
        (MINUTE, 6, 6051 / 1e9),
    ]
    # 1000 µWh in 10 s are 0.36 W.
    assert found.of[TEN].power == (0.000361, 0.00036, 0.000362)


def test_measures_are_means_of_those_that_came() -> None:
    first, second = series(2, 10 * SECOND)
    measured = [first._replace(power_kw=2.0, voltage=230.0), second._replace(power_kw=3.000001)]
    window = windows(measured).of[TEN]
    # 2.5000005 kW, a half: to the even neighbour.
    assert window.power == (2.5, 2.0, 3.000001)
    assert (window.voltage, window.current, window.power_factor) == (230.0, None, None)


def test_readings_of_interval_ends_count_before_their_stamp() -> None:
    found = windows(series(12, 10 * SECOND), end_anchor=True)
    assert {start - TEN: one.readings for start, one in found.of.items()} == {-MINUTE: 1, 0: 6, MINUTE: 5}
    # That it was known which interval the first one is of is not certain.
    assert [found.judges(TEN + n * MINUTE) for n in (-1, 0, 1)] == [False, False, True]


def test_longer_intervals_have_no_windows_but_while_they_are_unknown() -> None:
    found = windows(series(3, 30 * MINUTE, flags=()), 15 * MINUTE)
    assert found.of == {}
    assert [found.judges(TEN + n * QUARTER) for n in (0, 1, 2)] == [False, True, True]


def test_the_windows_before_a_change_of_the_interval_are_not_judged() -> None:
    before = series(3, 30 * MINUTE)
    after = series(12, 10 * SECOND, TEN + 100 * MINUTE)
    found = windows(before + after)
    assert not found.judges(TEN + 60 * MINUTE)
    assert found.judges(TEN + 100 * MINUTE)
    assert found.of[TEN + 101 * MINUTE].readings == 6


def test_energy_over_a_gap_is_spread_over_its_span() -> None:
    first = reading(TEN, 60)
    # Counts from 10:00:00 on, and covers 10:00:10 to 10:02:10.
    later = reading(TEN + 2 * MINUTE, 1200, energy_from=TEN, flags=("GAP_ENERGY",))
    found = windows([first, later])
    assert {start - TEN: (one.readings, one.energy * 1e9) for start, one in found.of.items()} == {
        0: (1, pytest.approx(560)),
        MINUTE: (0, pytest.approx(600)),
        2 * MINUTE: (1, pytest.approx(100)),
    }
    assert found.of[TEN + MINUTE].power == (None, None, None)


def test_gap_energy_of_windows_that_were_dropped_is_left_out() -> None:
    first = reading(TEN, 60)
    later = reading(
        TEN + 2 * MINUTE, 1200, energy_from=TEN, flags=("GAP_ENERGY",), watermark=TEN + MINUTE + LATENESS
    )
    found = windows([first, later])
    assert found.of[TEN].energy == 60 / 1e9
    assert sorted(found.of) == [TEN, TEN + MINUTE, TEN + 2 * MINUTE]


def test_a_register_reading_that_was_replaced_leaves_the_gap_before_it_open() -> None:
    first = reading(TEN, 60, register=True)
    later = reading(TEN + 2 * MINUTE, 1200, flags=("REVISED",), register=True)
    found = windows([first, later])
    assert [found.judges(TEN + n * MINUTE) for n in (0, 1, 2, 3)] == [False, False, False, True]


def test_quarters_add_up_the_meters_of_a_region() -> None:
    south = [one._replace(region="south") for one in series(100, 10 * SECOND)]
    sums = quarters(series(180, 10 * SECOND), series(90, 10 * SECOND), south)
    north_first = sum(range(1000, 1090))
    north_second = sum(range(1090, 1180))
    assert sums.energy == {
        ("north", TEN): 2 * north_first,
        ("north", TEN + QUARTER): north_second,
        ("south", TEN): north_first,
        ("south", TEN + QUARTER): sum(range(1090, 1100)),
    }
    assert sums.unjudged == set()


def test_slots_longer_than_a_quarter_are_shared_out() -> None:
    sums = quarters([one._replace(energy=101) for one in series(3, 30 * MINUTE)])
    # Of the first one it is not certain that its interval was known.
    assert sums.unjudged == {("north", TEN), ("north", TEN + QUARTER)}
    assert [sums.energy["north", TEN + n * QUARTER] for n in (2, 3, 4, 5)] == [50, 51, 50, 51]


def test_each_version_of_a_value_is_shared_out_by_itself() -> None:
    first, second = (one._replace(energy=5) for one in series(2, 30 * MINUTE))
    revised = second._replace(energy=8, versions=(5, 8), flags=frozenset({"REVISED"}))
    sums = quarters([first, revised])
    # 5 is 2 and 3, and 3 more are 1 and 2.
    assert [sums.energy["north", TEN + n * QUARTER] for n in (2, 3)] == [3, 5]


def test_a_meter_that_has_no_region_of_its_own_keeps_the_last_one() -> None:
    known, unknown = reading(TEN, 1), reading(TEN + 10 * SECOND, 2, region=None)
    assert quarters([known, unknown]).energy == {("north", TEN): 3}
    assert quarters([unknown]).energy == {}


def test_meters_of_longer_intervals_than_the_lateness_take_no_part() -> None:
    sums = quarters(series(3, 2 * HOUR))
    # The first one is of a meter whose interval may not have been known.
    assert max(quarter for _, quarter in sums.energy) < TEN + 2 * HOUR
    assert sums.energy.keys() <= sums.unjudged


def test_readings_beside_any_grid_are_judged_where_the_quarter_is_certain() -> None:
    jittered = [reading(TEN + at, 10) for at in (0, 10_500_000, 20_000_000, 899_000_000)]
    sums = quarters(jittered)
    assert ("north", TEN) in sums.unjudged
    assert ("north", TEN + QUARTER) in sums.unjudged
    assert quarters(jittered[1:3]).energy == {("north", TEN): 20}
