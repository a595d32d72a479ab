"""Which windows and slots of a meter are judged, and in which order."""

from __future__ import annotations

from typing import Any

from gridwatch.cli.scoring.beginnings import Judged
from gridwatch.cli.scoring.judged import judged_of
from gridwatch.cli.scoring.quarters import QUARTER
from gridwatch.domain.policy import HOUR, MINUTE
from tests.unit.cli.scoring.test_windows import TEN, reading, series


def row(start: int, **changes: Any) -> tuple[int, dict[str, Any]]:
    given = {
        "expected_readings": 3, "reading_count": 3, "power_kw_avg": 0.5, "voltage_avg": 230.1,
        "power_factor_avg": None, "revision": 1, **changes,
    }  # fmt: skip
    return start, given


def test_a_window_is_judged_with_its_means_and_the_frequency_of_its_readings() -> None:
    readings = [
        one._replace(frequency=hertz)
        for one, hertz in zip(series(3, 5 * MINUTE), (50.0, None, 50.011), strict=True)
    ]
    assert judged_of(readings, dict([row(TEN)]), QUARTER, end_anchor=False) == [
        # 50005.5, a half: to the even neighbour.
        Judged(TEN, QUARTER, 500_000, 230_100, 50_006, None, True)
    ]


def test_four_of_five_readings_are_enough_and_a_power_is_needed() -> None:
    rows = dict([
        row(TEN, expected_readings=5, reading_count=4),
        row(TEN + QUARTER, expected_readings=5, reading_count=3),
        row(TEN + 2 * QUARTER, power_kw_avg=None),
        row(TEN + 3 * QUARTER, expected_readings=None),
    ])  # fmt: skip
    found = judged_of(series(12, 5 * MINUTE), rows, QUARTER, end_anchor=False)
    assert [window.start for window in found or ()] == [TEN]


def test_revised_and_late_windows_are_not_sure_and_late_ones_come_after_what_was_emitted_before() -> None:
    readings = series(12, 5 * MINUTE)
    # One of the first window came half an hour after its end.
    readings[2] = readings[2]._replace(watermark=TEN + 3 * QUARTER + MINUTE)
    rows = dict([row(TEN), row(TEN + QUARTER, revision=2), row(TEN + 2 * QUARTER), row(TEN + 3 * QUARTER)])
    found = judged_of(readings, rows, QUARTER, end_anchor=False) or []
    assert [((one.start - TEN) // QUARTER, one.sure) for one in found] == [
        (1, False), (2, True), (0, False), (3, True),
    ]  # fmt: skip


def test_a_meter_of_a_longer_interval_has_its_slots_judged_in_the_order_of_the_log() -> None:
    first, second, third, fourth = series(4, 30 * MINUTE)
    swapped = [
        first,
        second._replace(position=(0, 2), energy=600_000_000, power_kw=None),
        third._replace(position=(0, 1), power_kw=-1.5),
        fourth._replace(position=(0, 3), flags=frozenset({"GAP_ENERGY"})),
    ]
    swapped[0] = first._replace(position=(0, 0))
    found = judged_of(swapped, {}, QUARTER, end_anchor=False) or []
    # Of the first one it is not certain that its interval was known.
    assert [(one.start - TEN, one.power) for one in found if one.start > TEN] == [
        (HOUR, -1_500_000),
        (30 * MINUTE, 1_200_000),
    ]
    assert {one.length for one in found} == {30 * MINUTE}


def test_a_revised_slot_is_judged_with_its_first_value_and_is_not_sure() -> None:
    readings = series(3, 30 * MINUTE)
    readings[2] = readings[2]._replace(
        energy=900_000_000, versions=(600_000_000, 900_000_000), flags=frozenset({"REVISED"})
    )
    found = judged_of(readings, {}, QUARTER, end_anchor=False) or []
    assert (found[-1].power, found[-1].sure) == (1_200_000, False)


def test_slots_of_readings_at_the_end_are_one_interval_earlier() -> None:
    found = judged_of(series(3, 30 * MINUTE), {}, QUARTER, end_anchor=True) or []
    assert found[-1].start == TEN + 30 * MINUTE


def test_meters_of_changing_intervals_and_of_local_days_are_left_out() -> None:
    assert judged_of(
        [*series(3, 30 * MINUTE), *series(3, QUARTER, TEN + 2 * HOUR)], {}, QUARTER, end_anchor=False
    ) is None  # fmt: skip
    daily = reading(TEN, 1, 24 * HOUR, calendar=True)
    assert judged_of([daily], {}, QUARTER, end_anchor=False) is None
