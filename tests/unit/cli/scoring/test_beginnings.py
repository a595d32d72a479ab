"""Which windows begin an anomaly, by examples after docs/anomalies.md."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gridwatch.cli.scoring.beginnings import Beginning, Judge, Judged, Nominal
from gridwatch.cli.scoring.usual import Days
from gridwatch.domain.instants import parse_instant
from gridwatch.domain.policy import DAY, HOUR

QUARTER = HOUR // 4
MONDAY = parse_instant("2026-03-02T00:00Z")[0]


def windows(powers: Sequence[int], start: int = MONDAY, length: int = QUARTER) -> list[Judged]:
    return [Judged(start + n * length, length, power) for n, power in enumerate(powers)]


def begun(judged: Sequence[Judged]) -> list[tuple[str, int]]:
    """What begins, by kind and the number of the window."""
    judge = Judge(Days("UTC"), Nominal(230_000, 50_000))
    length = judged[0].length
    return [(one.kind, (one.start - judged[0].start) // length) for one in judge.beginnings(judged)]


def known(power: int, *then: int) -> list[Judged]:
    """After two days of this power, a little up and down."""
    return windows([power + n % 2 for n in range(2 * 96)] + list(then))


@pytest.mark.parametrize(
    ("usual", "power", "kinds"),
    [
        (100_000, 200_002, ["SPIKE"]),
        (100_000, 200_000, []),
        (100_000, 49_000, ["DROP"]),
        (100_000, 50_001, []),
        (49_000, 990_000, []),
        (49_000, 0, []),
        (49_000, -1, ["REVERSE_FLOW"]),
        (100_000, -1, ["DROP", "REVERSE_FLOW"]),
        (-100_000, -200_000, []),
    ],
)
def test_thresholds_of_power_are_strict(usual: int, power: int, kinds: list[str]) -> None:
    found = [kind for kind, at in begun(known(usual, power)) if at == 2 * 96]
    assert found == kinds


def test_without_a_baseline_nothing_but_reverse_flow_begins_by_power() -> None:
    assert begun(windows([100_000, 9_000_000, -1])) == [("REVERSE_FLOW", 2)]


@pytest.mark.parametrize(
    ("measures", "kinds"),
    [
        ({"voltage": 253_000, "frequency": 50_500, "power_factor": 800_000}, []),
        ({"voltage": 253_001}, ["VOLTAGE"]),
        ({"voltage": 206_999}, ["VOLTAGE"]),
        ({"frequency": 50_501}, ["FREQUENCY"]),
        ({"frequency": 49_499}, ["FREQUENCY"]),
        ({"power_factor": 799_999}, ["LOW_POWER_FACTOR"]),
        ({"power_factor": -799_999}, ["LOW_POWER_FACTOR"]),
    ],
)
def test_what_is_measured_has_fixed_limits(measures: dict[str, int], kinds: list[str]) -> None:
    window = windows([100_000])[0]._replace(**measures)
    assert [kind for kind, _ in begun([window])] == kinds


def test_a_flat_line_is_24_equal_windows_and_begins_once_a_run() -> None:
    flat = [7] * 40
    assert begun(windows([1, *flat, 2, *flat[:23], 3])) == [("FLATLINE", 24)]
    assert begun(windows([*flat, 2, *flat])) == [("FLATLINE", 23), ("FLATLINE", 64)]


def test_a_zero_run_is_a_day_of_windows_and_a_silence_begins_another() -> None:
    zeros = windows([0] * 100)
    assert begun(zeros) == [("ZERO_RUN", 95)]
    later = windows([0] * 50, MONDAY + 50 * QUARTER + DAY)
    assert begun(zeros[:50] + later) == []
    assert begun(windows([0] * 30, length=HOUR)) == [("ZERO_RUN", 23)]


def test_a_level_shift_is_eight_sure_windows_on_one_side() -> None:
    shifted = [5_000_000 + n for n in range(7)]
    assert "LEVEL_SHIFT" not in dict(begun(known(150_000, *shifted, 150_000, *shifted)))
    assert "LEVEL_SHIFT" not in dict(begun(known(150_000, *[360_000 + n for n in range(20)])))
    found = begun(known(150_000, *shifted, 5_000_002, 5_000_000, 5_000_001, 5_000_000))
    assert [at for kind, at in found if kind == "LEVEL_SHIFT"] == [2 * 96 + 7]
    # The windows after it are judged at the new level.
    assert [at - 2 * 96 for kind, at in found if kind == "SPIKE"] == list(range(8))


def test_after_a_shift_the_level_before_is_used_again_once_it_is_returned_to() -> None:
    up, usual = [5_000_000 + n % 2 for n in range(20)], [150_000 + n % 2 for n in range(20)]
    found = begun(known(150_000, *up, *usual, *up))
    assert [at - 2 * 96 for kind, at in found if kind == "LEVEL_SHIFT"] == [7, 47]


def test_after_a_week_the_new_level_stays() -> None:
    week = [5_000_000 + n % 2 for n in range(7 * 96)]
    back = [150_000 + n % 2 for n in range(20)]
    found = begun(known(150_000, *week, *back))
    # It is another shift now.
    assert [at - 2 * 96 for kind, at in found if kind == "LEVEL_SHIFT"] == [7, 7 * 96 + 7]


def test_windows_are_judged_in_order_of_time_each_once() -> None:
    usual = known(100_000)
    late = usual[-2]._replace(power=9_000_000)
    assert begun([*usual, late]) == begun(usual)


def test_a_run_is_sure_only_if_all_its_windows_are() -> None:
    flat = windows([7] * 24)
    judge = Judge(Days("UTC"), Nominal(230_000, 50_000))
    doubtful = [*flat[:5], flat[5]._replace(sure=False), *flat[6:]]
    assert list(judge.beginnings(doubtful)) == [
        Beginning("FLATLINE", flat[-1].start, flat[-1].start + QUARTER, False)
    ]


def test_a_meter_of_longer_windows_is_learned_anew() -> None:
    hours = windows([100_000] * 3, MONDAY + 2 * DAY, 2 * HOUR)
    spike = windows([900_000], MONDAY + 3 * DAY, 2 * HOUR)
    assert begun([*known(100_000), *hours[:2], *spike]) == []
