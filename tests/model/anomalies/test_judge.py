"""The slow model of anomalies, one meter: cases worked out by hand from docs/anomalies.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.model.anomalies.baseline import Baseline, Habit
from tests.model.anomalies.case import Case
from tests.model.anomalies.judge import Judge
from tests.model.anomalies.table import Sight
from tests.model.anomalies.window import Bucket, Window, bucket_of
from tests.model.logs import Parameters
from tests.model.stamps import DAY, HOUR, MINUTE, QUARTER
from tests.model.test_reference_controls import at

MONDAY = at("01-01 00:00")
NOON = Bucket(working=True, hour=12)


def quarter(number: int, x: int | None = 500_000, **more: int) -> Window:
    others = {"voltage": None, "frequency": None, "factor": None, **more}
    return Window(MONDAY + number * QUARTER, QUARTER, x, **others)


def judged(
    xs: Sequence[int | None], judge: Judge | None = None, first: int = 0, bucket: Bucket = NOON, **more: int
) -> list[tuple[Any, ...]]:
    """(quarter of its first window, kind, revision, state, reason, ended quarter) of what comes of quarters
    that are all of one bucket; None where none is judged."""
    judge = judge or Judge(Parameters())
    found = []
    for number, x in enumerate(xs, first):
        if x is not None:
            found += judge.judge(quarter(number, x, **more), bucket)
    return [told(case) for case in found]


def told(case: Case) -> tuple[Any, ...]:
    ended = None if case.ended is None else (case.ended - MONDAY) // QUARTER
    return ((case.first.start - MONDAY) // QUARTER, case.kind, case.revision, case.state, case.reason, ended)


# -- the baseline


def test_a_bucket_learns_three_windows_and_then_a_fifth_of_each_clipped_one() -> None:
    habit, found = Habit(), []
    for y in (100_000, 103_000, 99_000, 100_000, 10_000_000, -10_000_000):
        habit.learn(NOON, y)
        bucket = habit.buckets[NOON]
        found.append((bucket.mean, bucket.deviation, bucket.count))
    assert found == [
        (100_000, 0, 1),
        (101_500, 1_500, 2),  # e = 3000: + 1500, and 3000 // 2
        (100_666, 1_833, 3),  # e = -2500: -2500 // 3 = -834, and 1000 // 3
        (100_532, 1_599, 3),  # e = -666: -134, and (666 - 1833) // 5 = -234
        (140_532, 41_279, 3),  # clipped to 300532: e = 200000
        (100_532, 73_023, 3),  # clipped to -59468: e = -200000, (200000 - 41279) // 5
    ]
    assert (habit.day.count, habit.day.mean) == (6, 66_999)


def test_the_whole_day_is_of_96_windows_at_most_and_is_not_clipped() -> None:
    habit = Habit()
    for number in range(95):
        habit.learn(Bucket(working=True, hour=number % 3), 1_000_000)
    assert (habit.day.mean, habit.day.count) == (1_000_000, 95)
    habit.learn(NOON, 1_960_000)
    assert (habit.day.mean, habit.day.deviation, habit.day.count) == (1_010_000, 10_000, 96)
    habit.learn(NOON, 1_010_000)
    assert (habit.day.mean, habit.day.deviation, habit.day.count) == (1_010_000, 9_895, 96)


def test_the_raw_baseline_is_of_the_bucket_else_of_its_neighbours_else_of_the_whole_day() -> None:
    habit = Habit()
    late, early = Bucket(working=True, hour=23), Bucket(working=True, hour=1)
    midnight, other = Bucket(working=True, hour=0), Bucket(working=False, hour=0)
    for _ in range(3):
        habit.learn(late, 100)
    assert habit.raw(late) == habit.raw(midnight) == Baseline(100, 0)
    for y in (201, 201, 201):
        habit.learn(early, y)
    assert habit.raw(midnight) == Baseline(150, 0)  # 301 // 2
    assert habit.raw(other) is habit.raw(NOON) is None
    for _ in range(90):
        habit.learn(Bucket(working=True, hour=6), 300)
    assert habit.raw(other) == Baseline(habit.day.mean, habit.day.deviation)
    for _ in range(3):
        habit.learn(Bucket(working=True, hour=None), 7)
    assert habit.raw(Bucket(working=True, hour=None)) == Baseline(7, 0)


@pytest.mark.parametrize(
    ("text", "length", "zone", "working", "hour"),
    [
        ("01-05 23:30", QUARTER, "UTC", True, 23),
        ("01-05 23:30", QUARTER, "Europe/Berlin", False, 0),  # Saturday there
        ("01-07 23:30", HOUR, "America/New_York", False, 18),
        ("01-08 12:00", HOUR, "UTC", False, 12),  # a holiday
        ("01-08 12:00", HOUR + MINUTE, "UTC", False, None),
        ("03-31 00:59", HOUR, "Europe/London", False, 0),
        ("03-31 01:00", HOUR, "Europe/London", False, 2),
        ("10-27 01:00", HOUR, "Europe/London", False, 1),  # for the second time
    ],
)
def test_the_bucket_is_of_the_local_hour_and_date(
    text: str, length: int, zone: str, working: bool, hour: int | None
) -> None:
    window = Window(at(text), length, 0, None, None, None)
    assert bucket_of(window, zone, ("2024-01-08",)) == Bucket(working, hour)


# -- kinds


def sight(x: int, b: int | None, deviation: int = 0, **more: int) -> Sight:
    return Sight(quarter(0, x, **more), None if b is None else Baseline(b, deviation), Parameters())


def begins(kind: str, *args: Any, **more: int) -> str | None:
    found = sight(*args, **more).begins(kind)
    return None if found is None else "/".join(found)


def test_a_spike_is_of_more_than_twice_the_baseline() -> None:
    assert begins("SPIKE", 200_001, 100_000) == "low/low"
    assert begins("SPIKE", 200_000, 100_000) is None
    assert begins("SPIKE", 300_001, 100_000) == "medium/high"
    assert begins("SPIKE", 300_001, 100_000, 66_667) == "medium/high"
    assert begins("SPIKE", 300_001, 100_000, 66_668) == "medium/low"
    assert begins("SPIKE", 500_001, 100_000) == "high/high"
    assert begins("SPIKE", 1_100_001, 100_000) == "critical/high"
    assert begins("SPIKE", 10_000_000, 49_999) is begins("SPIKE", 10_000_000, None) is None
    assert [sight(x, 100_000).near("SPIKE") for x in (150_000, 150_001)] == [True, False]
    assert [sight(x, -10_000).near("SPIKE") for x in (15_000, 15_001)] == [True, False]
    assert sight(0, None).near("SPIKE") is None


def test_a_drop_is_of_less_than_half_the_baseline() -> None:
    assert begins("DROP", 500_000, 1_000_000) is None
    assert begins("DROP", 499_999, 1_000_000) == "low/high"
    assert begins("DROP", 249_999, 1_000_000) == "medium/high"
    assert begins("DROP", 99_999, 1_000_000) == "high/high"
    assert begins("DROP", 0, 199_999) == "high/low"
    assert begins("DROP", 0, 49_999) is None
    assert [sight(x, 1_000_000).near("DROP") for x in (750_000, 749_999)] == [True, False]


def test_reverse_flow_needs_no_baseline_but_is_usual_below_zero() -> None:
    assert begins("REVERSE_FLOW", -1, None) == "low/low"
    assert begins("REVERSE_FLOW", -200_000, 0) == "low/high"
    assert begins("REVERSE_FLOW", -200_000, -1) is begins("REVERSE_FLOW", 0, None) is None
    assert [sight(-1, b).near("REVERSE_FLOW") for b in (None, 0, -1)] == [False, False, True]
    assert sight(0, None).near("REVERSE_FLOW") is True


def test_voltage_frequency_and_power_factor_have_limits_of_their_own() -> None:
    volts = (207_000, 206_999, 253_001, 264_501, 195_499)
    assert [begins("VOLTAGE", 1, None, voltage=v) for v in volts] == [
        None, "medium/high", "medium/high", "high/high", "high/high",
    ]  # fmt: skip
    assert [sight(1, None, voltage=v).near("VOLTAGE") for v in (241_500, 241_501)] == [True, False]
    hertz = (49_500, 49_499, 50_501, 51_001)
    assert [begins("FREQUENCY", 1, None, frequency=f) for f in hertz] == [
        None, "medium/high", "medium/high", "high/high",
    ]  # fmt: skip
    assert [sight(1, None, frequency=f).near("FREQUENCY") for f in (49_750, 49_749)] == [True, False]
    assert begins("LOW_POWER_FACTOR", 200_000, None, factor=-799_999) == "low/high"
    assert begins("LOW_POWER_FACTOR", 199_999, None, factor=0) == "low/low"
    assert begins("LOW_POWER_FACTOR", 200_000, None, factor=800_000) is None
    assert [sight(1, None, factor=p).near("LOW_POWER_FACTOR") for p in (-900_000, 899_999)] == [True, False]
    for kind in ("VOLTAGE", "FREQUENCY", "LOW_POWER_FACTOR"):
        assert begins(kind, 1, 1) is sight(1, 1).near(kind) is None


# -- the life of an anomaly


def test_an_anomaly_ends_with_the_first_of_two_near_windows_in_a_row() -> None:
    usual, high = [500_000] * 3, 1_100_000
    found = judged([*usual, high, 500_000, high, 500_000, None, 500_000, 500_000])
    assert found == [
        (3, "SPIKE", 1, "OPEN", None, None),
        (3, "SPIKE", 2, "CLOSED", "RETURNED", 6),
    ]


def test_it_is_revised_when_it_is_worse_than_ever() -> None:
    judge = Judge(Parameters())
    cases = []
    for number, x in enumerate([500_000] * 3 + [1_100_000, 2_000_000, 1_500_000, 8_000_000]):
        cases += judge.judge(quarter(number, x), NOON)
    assert [(case.revision, case.severity, case.value, case.baseline) for case in cases] == [
        (1, "low", 1_100_000, 500_000),
        (2, "medium", 2_000_000, 540_000),  # 1.1 kW clipped to 700000: + 40000, and D = 40000
        (3, "critical", 8_000_000, 623_200),  # 2 kW to 740000: + 40000, and D = 72000; 1.5 kW to 796000
    ]


def test_it_is_silent_a_day_after_the_last_judged_window() -> None:
    judge = Judge(Parameters())
    judged([500_000] * 3 + [2_000_000], judge)
    assert judge.silent_from() == MONDAY + 4 * QUARTER + DAY
    assert [told(case) for case in judge.close_all()] == [(3, "SPIKE", 2, "CLOSED", "SILENT", 4)]
    long = Window(MONDAY, 9 * HOUR, 0, None, None, None)
    assert long.silence == 27 * HOUR


def test_an_open_or_closed_one_is_taken_back_by_its_first_window() -> None:
    judge = Judge(Parameters())
    judged([500_000] * 3 + [2_000_000, 2_000_000, 500_000, 500_000], judge)
    assert judge.emitted_again(quarter(4, 500_000)) == []
    assert judge.emitted_again(quarter(3, 1_100_000)) == []
    (case,) = judge.emitted_again(quarter(3, 1_000_000))
    assert told(case) == (3, "SPIKE", 3, "RETRACTED", "REVISED", None)
    assert judge.emitted_again(quarter(3, 1_000_000)) == []


def test_a_flatline_is_of_24_equal_windows_and_begins_once_a_run() -> None:
    judge = Judge(Parameters())
    found = judged([300_000] * 30 + [400_000, 300_000, 400_000, 400_001] + [500_000] * 24, judge)
    kinds = [one for one in found if one[1] == "FLATLINE"]
    assert kinds == [
        (0, "FLATLINE", 1, "OPEN", None, None),
        (0, "FLATLINE", 2, "CLOSED", "RETURNED", 32),
        (34, "FLATLINE", 1, "OPEN", None, None),
    ]
    assert judge.emitted_again(quarter(24, 1)) == []
    assert [told(case)[3] for case in judge.emitted_again(quarter(23, 1))] == ["RETRACTED"]


def test_a_flatline_has_no_part_in_what_comes_after_a_silence() -> None:
    xs = [300_000] * 23 + [None] * 95 + [300_000]
    assert [one[1] for one in judged(xs)] == ["FLATLINE"]
    xs = [300_000] * 23 + [None] * 96 + [300_000] * 23
    assert judged(xs) == []


def test_zeros_are_a_run_when_their_lengths_add_up_to_a_day() -> None:
    judge = Judge(Parameters())
    xs = [300_000 + number for number in range(96)] + [0] * 96
    (case,) = (
        case
        for number, x in enumerate(xs)
        for case in judge.judge(quarter(number, x), Bucket(working=True, hour=number // 4 % 24))
        if case.kind == "ZERO_RUN"
    )
    assert told(case) == (96, "ZERO_RUN", 1, "OPEN", None, None)
    assert (case.value, case.baseline, case.confidence) == (0, 300_000, "high")  # of a rise of n by n + 1
    assert case.detected == MONDAY + 2 * DAY


def shifted(*after: int) -> list[tuple[Any, ...]]:
    """Quarters of one meter that go up by 1 kW: eight of the hours 0 and 1, where all is known, and these."""
    judge, found = Judge(Parameters()), []
    for hour in range(24):
        judged([500_000] * 3, judge, 3 * hour, Bucket(working=True, hour=hour))
    for number, x in enumerate([1_500_000] * 8 + list(after), 72):
        cases = judge.judge(quarter(number, x), Bucket(working=True, hour=number % 24))
        found += [(*told(case), case.value, case.baseline, judge.level) for case in cases]
    return [one for one in found if one[1] == "LEVEL_SHIFT"]


OPEN = (72, "LEVEL_SHIFT", 1, "OPEN", None, None, 1_500_000, 500_000, 1_000_000)


def test_eight_sure_windows_on_one_side_are_a_new_level() -> None:
    assert shifted() == [OPEN]
    assert shifted(1_500_000, 1_500_000) == [OPEN]


def test_the_level_before_is_used_again_after_two_windows_near_to_it() -> None:
    assert shifted(600_000, 400_000) == [
        OPEN,
        (72, "LEVEL_SHIFT", 2, "CLOSED", "RETURNED", 80, 1_500_000, 500_000, 0),
    ]
    assert shifted(600_000, 400_000 - 1) == [OPEN]


def test_eight_more_are_a_revision() -> None:
    found = shifted(*[3_500_000] * 8)
    assert found == [OPEN, (72, "LEVEL_SHIFT", 2, "OPEN", None, None, 3_500_000, 1_500_000, 3_000_000)]


def test_the_new_level_is_learned_after_seven_days() -> None:
    judge, found = Judge(Parameters()), []
    for hour in range(24):
        judged([500_000] * 3, judge, 3 * hour, Bucket(working=True, hour=hour))
    for number in range(7 * 24 + 1):
        window = Window(MONDAY + (18 + number) * HOUR, HOUR, 1_500_000, None, None, None)
        found += judge.judge(window, Bucket(working=True, hour=number % 24))
    cases = [case for case in found if case.kind == "LEVEL_SHIFT"]
    assert [(case.revision, case.reason) for case in cases] == [(1, None), (2, "LEARNED")]
    assert cases[1].ended == cases[0].first.start + 7 * DAY == MONDAY + 18 * HOUR + 7 * DAY
    assert judge.level == 1_000_000
