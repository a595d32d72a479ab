"""The slow model on windows of consumption: cases worked out by hand."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from tests.model.stamps import DAY, HOUR, MINUTE, QUARTER, SECOND, show
from tests.model.test_reference import METER
from tests.model.test_reference_controls import OTHER, Step, at, entry, outage, reading, run, tick

BOTH = (MINUTE, QUARTER)
KWH = 1_000_000_000  # µWh


def windows(*steps: Step, **settings: Any) -> list[dict[str, Any]]:
    settings = {"windows": BOTH, "default_interval": 10 * SECOND, **settings}
    return [one for kind, one in run(*steps, **settings) if kind == "aggregate"]


def told(*steps: Step, **settings: Any) -> list[tuple[Any, ...]]:
    """(start, minutes, revision, readings, expected, µWh) of each window."""
    return [
        (
            show(one["start"])[11:16],
            one["length"] // MINUTE,
            *(one[name] for name in ("revision", "readings", "expected", "energy")),
        )
        for one in windows(*steps, **settings)
    ]


def unplaced(*steps: Step, **settings: Any) -> list[tuple[str, float]]:
    """(window, kWh) of the metric."""
    settings = {"windows": BOTH, **settings}
    return [
        (one["window_start"][11:16], one["value"])
        for kind, one in run(*steps, **settings)
        if kind == "metric" and one["metric"] == "energy_unplaced_kwh"
    ]


def every_ten_seconds(first: str, count: int, **more: Any) -> list[Step]:
    start = at(first)
    stamps = (show(start + number * 10 * SECOND)[11:-1] for number in range(count))
    return [reading(stamp, **more) for stamp in stamps]


def test_the_windows_of_ten_second_readings_have_all_that_was_measured() -> None:
    steps = [
        reading(
            f"10:00:{number}0",
            consumption_kwh=0.01,
            power_kw=number + 1,
            voltage=230 + number % 2,
            current=[0.002, 0.003, 0.002, 0.003, 0.002, 0.003][number],
            **({"power_factor": 0.95} if number == 2 else {}),
        )
        for number in range(6)
    ]
    first, second = windows(*steps, reading("10:01:10", consumption_kwh=0.01), tick("10:15"))[:2]
    assert first == {
        "meter_id": METER,
        "start": at("10:00"),
        "length": MINUTE,
        "revision": 1,
        "region": None,
        "readings": 6,
        "expected": 6,
        "energy": 6 * KWH // 100,
        "power": 3_500_000,
        "lowest_power": 1_000_000,
        "highest_power": 6_000_000,
        "voltage": 230_500,
        "current": 2,  # 2.5 mA, half to even
        "power_factor": 950_000,
        "partition": 0,
        "received": at("12-31 00:00"),
    }
    assert (second["readings"], second["expected"], second["power"]) == (1, 6, 3_600_000)  # from energy


def test_a_quarter_of_an_hour_has_what_its_minutes_have() -> None:
    found = windows(*every_ten_seconds("10:00", 90, consumption_kwh=0.01), tick("10:15"))
    minutes, quarters = ([one for one in found if one["length"] == length] for length in BOTH)
    assert [one["start"] for one in minutes] == [at("10:00") + number * MINUTE for number in range(15)]
    assert all(one["readings"] == 6 for one in minutes)
    (quarter,) = quarters
    assert (quarter["readings"], quarter["expected"], quarter["energy"]) == (90, 90, 90 * KWH // 100)
    assert [one["length"] for one in found[-2:]] == [MINUTE, QUARTER]


def test_windows_come_by_end_then_length_then_meter() -> None:
    steps = [reading(stamp, meter) for stamp in ("10:13", "10:14") for meter in (OTHER, METER)]
    order = [
        (one["start"] + one["length"], one["length"], one["meter_id"])
        for one in windows(*steps, tick("11:00"))
    ]
    assert len(order) == len(set(order)) > 3
    assert all(one < other for one, other in pairwise(order))


def test_a_late_reading_is_the_next_revision_when_the_watermark_next_crosses_a_minute() -> None:
    steps = [*every_ten_seconds("10:00", 3), tick("10:01"), reading("10:00:40"), tick("10:01:59")]
    assert told(*steps) == [("10:00", 1, 1, 3, 6, 3 * KWH)]
    assert told(*steps, tick("10:02")) == [("10:00", 1, 1, 3, 6, 3 * KWH), ("10:00", 1, 2, 4, 6, 4 * KWH)]


def test_a_window_that_is_filled_after_its_end_has_revision_1_then() -> None:
    steps = [*every_ten_seconds("10:00", 2), tick("10:02"), reading("10:01:30"), tick("10:03")]
    assert told(*steps)[1:] == [("10:01", 1, 1, 1, 6, KWH)]


def test_a_revision_replaces_energy_and_measures() -> None:
    first = [reading("10:00", power_kw=5), reading("10:00:10", power_kw=7), tick("10:01")]
    steps = [*first, reading("10:00:10", consumption_kwh=3), tick("10:02")]
    before, after = windows(*steps)
    assert (before["revision"], before["energy"], before["power"]) == (1, 2 * KWH, 6_000_000)
    assert (after["revision"], after["energy"], after["readings"]) == (2, 4 * KWH, 2)
    assert after["highest_power"] == 3 * 360 * 1_000_000  # from energy: the revision has no power


def test_a_duplicate_changes_no_window() -> None:
    steps = [*every_ten_seconds("10:00", 2), tick("10:01"), reading("10:00:10"), tick("10:02")]
    assert len(told(*steps)) == 1


def test_values_beyond_the_limit_do_not_count() -> None:
    steps = [reading("10:00", voltage=2e9, current=-2e9, power_factor=0.5), reading("10:00:10", voltage=230)]
    (window,) = windows(*steps, tick("10:01"))
    assert (window["voltage"], window["current"], window["power_factor"]) == (230_000, None, 500_000)


def test_expected_is_unknown_until_the_interval_is() -> None:
    (window,) = windows(reading("10:00"), tick("10:01"))
    assert (window["expected"], window["power"], window["energy"]) == (None, None, KWH)
    (window,) = windows(reading("10:00", interval_seconds=30), tick("10:01"))
    assert (window["expected"], window["power"]) == (2, 120_000_000)


def test_no_reading_is_expected_before_the_first_one() -> None:
    assert told(*every_ten_seconds("10:00:30", 3), tick("10:01")) == [("10:00", 1, 1, 3, 3, 3 * KWH)]


def test_only_meters_that_report_often_enough_have_windows() -> None:
    found = told(reading("10:00", interval_minutes=15), reading("10:15", interval_minutes=15), tick("10:30"))
    assert found == [("10:00", 15, 1, 1, 1, KWH), ("10:15", 15, 1, 1, 1, KWH)]
    assert told(reading("10:00", interval_minutes=30), tick("10:30")) == []
    assert told(reading("10:00", interval="1d"), tick("10:30")) == []


def test_a_meter_that_reports_at_the_end_of_its_interval_covers_what_was_before() -> None:
    steps = [reading("10:01", interval_minutes=1), reading("10:02", interval_minutes=1), tick("10:02")]
    assert told(*steps, anchor="end", windows=(MINUTE,)) == [
        ("10:00", 1, 1, 1, 1, KWH),
        ("10:01", 1, 1, 1, 1, KWH),
    ]


def test_the_energy_of_a_gap_is_spread_by_cumulative_floor() -> None:
    """0.000 000 1 kWh would be 100 µWh; the smallest that a register counts is 1000 µWh: over seven minutes
    from 10:01 on, F = 0, 142, 285, 428, 571, 714, 857, 1000."""
    steps = [
        reading("10:00", consumption_kwh=None, energy_register_kwh=5, interval_minutes=1),
        reading("10:07", consumption_kwh=None, energy_register_kwh=5.000001, interval_minutes=1),
        tick("10:08"),
    ]
    found = windows(*steps, windows=(MINUTE,), default_interval=30 * MINUTE)
    assert [(show(one["start"])[14:16], one["readings"], one["energy"]) for one in found] == [
        ("00", 1, 0), ("01", 0, 142), ("02", 0, 143), ("03", 0, 143), ("04", 0, 143), ("05", 0, 143),
        ("06", 0, 143), ("07", 1, 143),
    ]  # fmt: skip
    assert [one["power"] for one in found] == [0, *[None] * 7]
    assert [one["expected"] for one in found] == [1] * 8


def test_the_energy_of_a_gap_in_dropped_windows_is_unplaced() -> None:
    """The span is 09:01 to 12:01; at watermark 11:59:50 windows of 15 min from 10:45 on are left."""
    steps = [
        reading("09:00", consumption_kwh=None, energy_register_kwh=5, interval_minutes=1),
        tick("11:59:50"),
        reading("12:00", consumption_kwh=None, energy_register_kwh=23, interval_minutes=1),
        tick("12:20"),
    ]
    assert unplaced(*steps) == [("11:55", 10.4)]
    found = [one for one in windows(*steps) if one["length"] == QUARTER]
    assert [(show(one["start"])[11:16], one["energy"]) for one in found if one["energy"]] == [
        *((start, 3 * KWH // 2) for start in ("10:45", "11:00", "11:15", "11:30", "11:45")),
        ("12:00", KWH // 10),
    ]


def test_a_reading_whose_quarter_is_dropped_is_unplaced() -> None:
    """It covers 10:44 to 10:45, and at 11:45 the quarter from 10:30 on is dropped."""
    steps = [reading(stamp, interval_minutes=1) for stamp in ("10:30", "10:31")]
    late = reading("10:45", interval_minutes=1, consumption_kwh=2)
    assert unplaced(*steps, tick("11:44:59"), late, tick("11:50"), anchor="end") == []
    assert unplaced(*steps, tick("11:45"), late, tick("11:50"), anchor="end") == [("11:45", 2.0)]


def test_slots_of_a_planned_outage_are_not_expected() -> None:
    steps = [outage(1, "meter", METER, "10:00:30", "10:02"), *every_ten_seconds("10:00", 3), tick("10:03")]
    first, *others = told(*steps[1:2], *steps[:1], *steps[2:])
    assert (first, others) == (("10:00", 1, 1, 3, 3, 3 * KWH), [])


def test_of_a_removed_meter_as_many_are_expected_as_came() -> None:
    steps = [*every_ten_seconds("10:00", 2), entry(2, "removed"), *every_ten_seconds("10:00:50", 1)]
    assert told(entry(1, as_of="09:59"), *steps, tick("10:01")) == [("10:00", 1, 1, 3, 3, 3 * KWH)]


def test_the_first_watermark_emits_nothing_and_what_ended_before_is_emitted_with_the_next_minute() -> None:
    steps = [tick("10:05:30"), *every_ten_seconds("10:00", 2)]
    assert told(*steps, tick("10:05:59")) == []
    assert told(*steps, tick("10:06")) == [("10:00", 1, 1, 2, 6, 2 * KWH)]


def test_a_jump_of_a_day_emits_each_window_once() -> None:
    steps = [*every_ten_seconds("10:00", 7), tick("01-02 10:00")]
    assert told(*steps) == [
        ("10:00", 1, 1, 6, 6, 6 * KWH),
        ("10:01", 1, 1, 1, 6, KWH),
        ("10:00", 15, 1, 7, 90, 7 * KWH),
    ]
    assert told(*steps, reading("10:00:40", consumption_kwh=2), tick("01-02 10:01"))[3:] == []


def test_a_window_is_emitted_even_if_its_meter_is_dropped_in_the_same_step() -> None:
    steps = [*every_ten_seconds("10:00", 2), tick("01-03 10:00")]
    assert [one[:2] for one in told(*steps, state_ttl=DAY)] == [("10:00", 1), ("10:00", 15)]


def test_a_held_reading_counts_when_it_is_applied() -> None:
    ahead = reading("14:00", consumption_kwh=2, voltage=231)
    steps = [*every_ten_seconds("10:00", 2), ahead]
    settings: dict[str, Any] = {"max_watermark_jump": HOUR, "windows": (MINUTE,)}
    assert told(*steps, tick("13:59:49"), tick("13:59:49"), **settings) == [("10:00", 1, 1, 2, 6, 2 * KWH)]
    window = windows(*steps, tick("14:01"), **settings)[-1]
    assert (window["start"], window["energy"], window["voltage"]) == (at("14:00"), 2 * KWH, 231_000)
