"""The figures of a row are exact, and each is rounded once."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridwatch.domain.regions.load import row_of
from gridwatch.domain.regions.records import QUARTER, RegionRow
from gridwatch.domain.rounding import half_even
from tests.unit.domain.regions.feed import NOON, window


def row(capacity: int | None = None, **entry: object) -> RegionRow:
    """The row of one entry."""
    one = window(**entry)  # type: ignore[arg-type]
    return row_of("north", NOON, 1, "FINAL", complete=True, entries=[one], missing=[], capacity=capacity)


@given(st.integers(-(10**30), 10**30), st.integers(1, 10**20))
def test_half_even_is_the_rounding_of_the_exact_quotient(numerator: int, denominator: int) -> None:
    assert half_even(numerator, denominator) == round(Fraction(numerator, denominator))


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"), [(5, 2, 2), (7, 2, 4), (-5, 2, -2), (-7, 2, -4), (1, 3, 0)]
)
def test_half_way_is_rounded_to_even(numerator: int, denominator: int, rounded: int) -> None:
    assert half_even(numerator, denominator) == rounded


def test_all_received_is_the_measured_load() -> None:
    found = row(50_000_000)  # 10 kWh in a quarter of an hour, of 50 kW
    assert (found.completeness, found.load, found.percentage) == (10_000, 40_000_000, 800)


def test_the_load_is_scaled_up_to_what_was_expected() -> None:
    found = row(50_000_000, received=8 * QUARTER)
    assert (found.completeness, found.load, found.percentage) == (8000, 50_000_000, 1000)


def test_below_four_fifths_there_is_no_load() -> None:
    found = row(50_000_000, received=8 * QUARTER - 1)
    assert (found.completeness, found.load, found.percentage) == (8000, None, None)


def test_more_than_expected_is_complete_and_not_scaled_down() -> None:
    found = row(received=11 * QUARTER)
    assert (found.completeness, found.load) == (10_000, 40_000_000)


def test_nothing_expected_has_no_completeness() -> None:
    found = row(expected=0, received=0)
    assert (found.completeness, found.load, found.lowest) == (None, None, None)
    assert row(expected=0).load == 40_000_000


def test_nothing_received_has_no_power() -> None:
    found = row(received=0)
    assert (found.completeness, found.load, found.lowest, found.highest) == (0, None, None, None)


def test_power_by_minute_is_measured_and_even_where_slots_cover_the_quarter() -> None:
    minutes = (10**9, *(0,) * 13, 2 * 10**9)
    found = row(flat=10**9, minutes=minutes, received=9 * QUARTER)
    # 1 kWh over the quarter is 4 kW; 1 kWh in a minute is 60 kW.
    assert (found.lowest, found.highest) == (4_000_000, 124_000_000)
    assert found.energy == 4 * 10**9


def test_the_percentage_is_of_the_exact_load_and_half_to_even() -> None:
    # 0.25% of the capacity, then 0.35%: both half way between tenths.
    assert row(4_000_000, flat=2_500_000, minutes=(0,) * 15).percentage == 2
    assert row(4_000_000, flat=3_500_000, minutes=(0,) * 15).percentage == 4
    # The load itself, 0.4 mW, is rounded to nothing; its share of 1 mW is not.
    tiny = row(1, flat=100, minutes=(0,) * 15)
    assert (tiny.load, tiny.percentage) == (0, 400)


def test_what_was_shared_out_is_marked() -> None:
    assert (row().prorated, row(prorated=2).prorated) == (False, True)
