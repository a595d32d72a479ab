"""The slow model on the sums of regions: cases worked out by hand."""

from __future__ import annotations

from typing import Any

from tests.model.judging import partition_of
from tests.model.logs import PARTITIONS
from tests.model.measured import home_of
from tests.model.stamps import HOUR, MINUTE, QUARTER, show
from tests.model.test_reference import METER, PARTITION
from tests.model.test_reference_controls import Step, at, entry, outage, reading, run, tick

KWH = 1_000_000_000  # µWh
HALF = 30 * MINUTE


def bundles(*steps: Step, **settings: Any) -> list[dict[str, Any]]:
    return [one for kind, one in run(*steps, regional=True, **settings) if kind == "bundle"]


def sums(*steps: Step, **settings: Any) -> list[dict[str, Any]]:
    """Every window of every bundle, in order."""
    return [window for one in bundles(*steps, **settings) for window in one["windows"]]


def told(*steps: Step, **settings: Any) -> list[tuple[Any, ...]]:
    """(region, start, revision, energy, minutes received, minutes expected, active) of each window."""
    return [
        (
            one["region"],
            show(one["start"])[11:16],
            one["revision"],
            one["flat"] + sum(one["minutes"]),
            one["received"] / MINUTE,
            one["expected"] / MINUTE,
            one["active"],
        )
        for one in sums(*steps, **settings)
    ]


def groups(*steps: Step, **settings: Any) -> list[tuple[Any, ...]]:
    """(crossing, region, feeder, transformer, active, open, openings, meters) of each group."""
    return [
        (show(one["watermark"])[11:16], *(group[name] for name in GROUP))
        for one in bundles(*steps, **settings)
        for group in one["groups"]
    ]


GROUP = ("region", "feeder", "transformer", "active", "open", "openings", "meters")


def north(stamp: str, minutes: float = 30, **more: Any) -> Step:
    return reading(stamp, interval_minutes=minutes, region="north", **more)


def test_a_slot_of_half_an_hour_is_shared_among_its_quarters() -> None:
    """1.5 µkWh: 1500 µWh, 750 in each."""
    found = sums(north("10:00", consumption_kwh=0.0000015), tick("10:30"))
    assert [(show(one["start"])[11:16], one["flat"], one["prorated"]) for one in found] == [
        ("10:00", 750, 1),
        ("10:15", 750, 1),
    ]
    assert all(one["minutes"] == [0] * 15 and one["reporting"] == 1 for one in found)
    assert [(one["received"], one["expected"]) for one in found] == [(QUARTER, QUARTER)] * 2


def test_what_no_quarter_holds_whole_is_shared_by_minute() -> None:
    """A slot of 15 minutes from 10:05 on; 1000 µWh: F = 0, 66, 133, 200, … in minutes, 666 at 10:15."""
    found = sums(north("10:05", 15, consumption_kwh=0.000001), tick("10:30"))
    assert found[0]["minutes"] == [0, 0, 0, 0, 0, 66, 67, 67, 66, 67, 67, 66, 67, 67, 66]
    assert found[1]["minutes"] == [67, 67, 66, 67, 67, *[0] * 10]
    assert [(one["flat"], one["received"]) for one in found] == [(0, 10 * MINUTE), (0, 5 * MINUTE)]
    assert [one["prorated"] for one in found] == [0, 0]


def test_a_meter_whose_interval_is_unknown_counts_at_its_stamp() -> None:
    found = sums(reading("10:07:30", region="north"), tick("10:15"))
    assert [(one["minutes"][7], one["received"], one["expected"], one["active"]) for one in found] == [
        (KWH, 0, 0, 0)
    ]


def test_every_target_gets_a_bundle_when_a_minute_is_crossed() -> None:
    assert bundles(tick("10:00:30"), tick("10:00:59")) == []
    found = bundles(tick("10:00:30"), tick("10:01"), tick("10:01:30"), tick("10:09"))
    assert [(one["target"], show(one["watermark"])[11:16]) for one in found] == [
        (target, crossing) for crossing in ("10:01", "10:09") for target in range(PARTITIONS)
    ]
    assert all(one["windows"] == one["groups"] == one["limits"] == [] for one in found)


def test_a_region_goes_to_the_partition_that_its_name_hashes_to() -> None:
    found = bundles(north("10:00"), tick("10:15"))
    assert [one["target"] for one in found if one["windows"]] == [partition_of("north", PARTITIONS)]


def test_a_member_counts_from_its_first_covered_time_on() -> None:
    """From 10:05 on 10 minutes of the first quarter."""
    assert told(north("10:05", 5), tick("10:30"))[0] == ("north", "10:00", 1, KWH, 5, 10, 1)


def test_a_late_reading_is_the_next_revision() -> None:
    steps = [north("10:00", 15), north("10:15", 15), tick("10:32"), reading("10:15:30", region="north")]
    found = told(*steps, tick("10:32:59"))
    assert [one[:4] for one in found] == [("north", "10:00", 1, KWH), ("north", "10:15", 1, KWH)]
    found = sums(*steps, tick("10:33"))[2:]
    assert [(one["revision"], one["initial"], one["final"]) for one in found] == [(2, False, False)]
    assert (found[0]["flat"], found[0]["received"]) == (2 * KWH, QUARTER)  # an extra one: no more time


def test_a_revision_adds_the_difference() -> None:
    steps = [north("10:00", 15), tick("10:15"), north("10:00", 15, consumption_kwh=0.25), tick("10:16")]
    assert told(*steps) == [
        ("north", "10:00", 1, KWH, 15, 15, 1),
        ("north", "10:00", 2, KWH // 4, 15, 15, 1),
    ]


def test_a_meter_that_moves_leaves_one_region_and_joins_the_other() -> None:
    """Its slot from 10:10 on is the first of the south."""
    steps = [north("10:00", 5), north("10:05", 5), reading("10:10", region="south"), tick("10:15")]
    assert told(*steps) == [
        ("north", "10:00", 1, 2 * KWH, 10, 10, 0),
        ("south", "10:00", 1, KWH, 5, 5, 1),
    ]


def test_the_registry_moves_a_meter_with_its_first_slot_from_then_on() -> None:
    steps = [
        entry(1, region="north", interval="5m", as_of="10:00"),
        *(reading(stamp) for stamp in ("10:00", "10:05")),
        entry(2, region="south", interval="5m", valid_from="10:07"),
        *(reading(stamp) for stamp in ("10:10",)),
        tick("10:15"),
    ]
    assert told(*steps) == [
        ("north", "10:00", 1, 2 * KWH, 10, 10, 0),
        ("south", "10:00", 1, KWH, 5, 5, 1),
    ]


def test_a_registered_meter_is_expected_before_it_is_heard() -> None:
    steps = [entry(1, region="north", interval="5m", as_of="10:10"), tick("10:15")]
    assert told(*steps) == [("north", "10:00", 1, 0, 0, 5, 1)]


def test_a_planned_outage_is_not_expected_time() -> None:
    steps = [
        entry(1, region="north", feeder="f1", interval="5m", as_of="10:00"),
        outage(1, "feeder", "f1", "10:05", "10:20"),
        tick("10:15"),
    ]
    assert told(*steps) == [("north", "10:00", 1, 0, 0, 5, 0)]
    assert told(*steps, tick("10:30"))[1] == ("north", "10:15", 1, 0, 0, 10, 1)


def test_an_outage_of_a_meter_counts_less_that_of_its_group() -> None:
    steps = [
        entry(1, region="north", interval="5m", as_of="10:00"),
        outage(1, "region", "north", "10:05", "10:10"),
        ("outage", {**outage(1, "meter", METER, "10:08", "10:12")[1], "outage_id": "other"}),
        tick("10:15"),
    ]
    assert told(*steps) == [("north", "10:00", 1, 0, 0, 8, 1)]


def test_removed_and_suspended_meters_belong_to_no_region() -> None:
    for status in ("removed", "suspended", "planned"):
        steps = [entry(1, region="north", interval="5m", as_of="10:00"), entry(2, status, region="north")]
        assert told(*steps, tick("10:15"))[:1] == []
        later = [steps[0], tick("10:05"), steps[1], tick("10:15")]
        assert told(*later) == [("north", "10:00", 1, 0, 0, 5, 0)]


def test_a_reading_of_a_meter_in_no_group_is_extra() -> None:
    steps = [
        entry(1, "suspended", region="north", interval="5m", as_of="10:00"),
        reading("10:00"),
        tick("10:15"),
    ]
    assert told(*steps) == [("north", "10:00", 1, KWH, 5, 5, 0)]


def test_meters_that_report_too_rarely_are_uncovered() -> None:
    (one,) = sums(entry(1, region="north", interval="2h", as_of="10:00"), reading("10:00"), tick("10:15"))
    assert (one["uncovered"], one["active"], one["expected"], one["received"]) == (1, 0, 0, 0)
    assert one["flat"] == sum(one["minutes"]) == 0


def test_energy_over_a_gap_is_spread_over_its_span_and_the_rest_is_unplaced() -> None:
    """The span is 09:30 to 12:00; at 11:50 the quarters before 10:45 are dropped."""
    steps = [
        north("09:00", consumption_kwh=None, energy_register_kwh=5),
        tick("11:50"),
        north("11:30", consumption_kwh=None, energy_register_kwh=15),
        tick("12:00"),
    ]
    found = [one for one in told(*steps) if one[3]]
    assert [one[1:5] for one in found] == [
        *((start, 2, KWH, 0) for start in ("10:45", "11:00", "11:15")),
        ("11:30", 2, KWH, 15),
        ("11:45", 1, KWH, 15),
    ]
    unplaced = [
        one["value"]
        for kind, one in run(*steps, regional=True)
        if kind == "metric" and one["metric"] == "energy_unplaced_kwh"
    ]
    assert unplaced == [5.0]


def test_energy_is_unplaced_once_with_windows_and_regions() -> None:
    late = [north("10:30", 1), north("10:31", 1), tick("11:45"), north("10:45", 1), tick("11:50")]
    unplaced = [
        one["value"]
        for kind, one in run(*late, regional=True, windows=(MINUTE, QUARTER), anchor="end")
        if kind == "metric" and one["metric"] == "energy_unplaced_kwh"
    ]
    assert unplaced == [1.0]


def test_a_jump_emits_quarters_without_readings_for_a_day_only() -> None:
    steps = [north("10:00"), tick("01-03 10:00")]
    found = sums(*steps)
    starts = [one["start"] for one in found]
    assert starts == [at("10:00"), at("10:15"), *range(at("01-02 10:00"), at("01-03 10:00"), QUARTER)]
    assert [one["final"] for one in found].count(False) == 4
    assert all(one["initial"] for one in found)


def test_the_first_watermark_emits_nothing() -> None:
    steps = [tick("10:20:30"), north("10:00"), tick("10:20:59")]
    assert sums(*steps) == []
    found = sums(*steps, tick("10:21"))
    assert [(one["start"], one["revision"], one["initial"]) for one in found] == [(at("10:00"), 1, False)]


def test_a_meter_leaves_where_its_next_slot_would_be_when_its_state_is_dropped() -> None:
    """At 13:00 the slot of 12:30 is due, with 15 minutes of grace, and that of 13:00 is not."""
    found = told(north("10:00"), tick("12:59"), tick("13:00"), tick("13:30"), state_ttl=3 * HOUR)
    assert found[-1] == ("north", "12:45", 1, 0, 0, 15, 1)


def test_groups_are_told_when_members_join_or_fall_silent() -> None:
    steps = [
        entry(1, region="north", feeder="f", transformer="t", interval="5m", as_of="10:00"),
        reading("10:00"),
        tick("10:01"),
        tick("10:02"),
        tick("10:20:30"),
        tick("10:30"),
        reading("10:35"),
        tick("10:45"),
    ]
    assert groups(*steps) == [
        ("10:01", "north", "f", "t", 1, 0, [], []),
        ("10:20", "north", "f", "t", 1, 1, [[at("10:20"), 1]], [METER]),
        ("10:45", "north", "f", "t", 1, 0, [], []),
    ]


def test_a_planned_outage_silences_nobody() -> None:
    steps = [
        entry(1, region="north", interval="5m", as_of="10:00"),
        reading("10:00"),
        outage(1, "region", "north", "10:01", "11:00"),
        tick("10:02"),
        tick("10:30"),
    ]
    assert groups(*steps) == [("10:02", "north", None, None, 0, 0, [], [])]


def test_a_meter_never_heard_is_silent() -> None:
    steps = [entry(1, region="north", interval="5m", as_of="10:00"), tick("12:00")]
    assert groups(*steps, never_heard_after=HOUR)[-1][-3:] == (1, [[at("12:00"), 1]], [METER])


def test_a_capacity_is_told_by_the_partition_of_its_region() -> None:
    home, away = home_of(PARTITION), home_of(PARTITION + 1)
    steps = [
        ("region", {"region": name, "version": version, "capacity_kw": kw, "valid_from": "2024-01-01T11:00Z"})
        for name, version, kw in ((home, 2, 5), (home, 3, 7.5), (home, 1, 9), (away, 1, 3))
    ]
    limits = [
        limit
        for one in bundles(tick("10:00"), *steps, tick("10:01"), tick("10:02"))
        for limit in one["limits"]
    ]
    assert limits == [{"region": home, "version": 3, "capacity_kw": 7.5, "valid_from": at("11:00")}]
    assert not any(one["limits"] for one in bundles(tick("10:00"), *steps, tick("10:01"), flow="daily"))
