"""The exact computation, by examples worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.grid.incidents import incidents
from tests.grid.log import Step
from tests.grid.numbers import HOUR, MINUTE, QUARTER, SECOND, half_even, share, text_of, union
from tests.grid.partition import Bundle, Partition, Rules
from tests.grid.plan import Group
from tests.grid.regional import Entry, GroupReport
from tests.grid.regions import Regions, load
from tests.model.judging import partition_of
from tests.model.stamps import parse

TEN = parse("2026-03-02T10:00:00Z", "UTC")[0]
KWH = 1_000_000_000


def reading(time: int, kwh: float, *flags: str, name: str = "M", seconds: int = 10, **more: Any) -> Step:
    given = more.pop("given", True)
    body = {"meter_id": name, "interval_seconds": seconds} if given else {"meter_id": name}
    record = {
        "meter_id": name,
        "timestamp": text_of(time),
        "consumption_kwh": kwh,
        "interval_seconds": seconds,
        "flags": list(flags),
        "region": "north",
        **more,
    }
    return Step("reading", body, accepted={key: value for key, value in record.items() if value is not None})


def tick(time: int) -> Step:
    return Step("tick", {}, time)


def entry(time: int, **fields: Any) -> Step:
    body = {"meter_id": "M", "version": 1, "status": "active", "interval": "10s", "as_of": text_of(time)}
    return Step("registry", body | fields)


def run(*steps: Step, number: int = 0) -> Partition:
    return Partition(number, Rules()).run([tick(TEN), *steps])


def tens(first: int, last: int, **more: Any) -> Iterator[Step]:
    """Readings every 10 s, of as many Wh as their number since ten says."""
    return (reading(TEN + n * 10 * SECOND, n / 1000, **more) for n in range(first, last))


def entries(partition: Partition, quarter: int = 0, region: str = "north") -> list[Entry]:
    key = region, TEN + quarter * QUARTER
    return [bundle.entries[key] for bundle in partition.bundles if key in bundle.entries]


def test_numbers() -> None:
    assert [half_even(n, 2) for n in (1, 3, 5, -1, -3)] == [0, 2, 2, 0, -2]
    assert [share(100, 0, 3, n, n + 1) for n in range(3)] == [33, 33, 34]
    assert [share(-100, 0, 3, n, n + 1) for n in range(3)] == [-33, -33, -34]
    assert union([(0, 4), (2, 6), (8, 20)], 1, 10) == 7


def test_a_window_is_emitted_at_its_end_and_again_at_the_minute_after_a_change() -> None:
    late = reading(TEN + 20 * SECOND, 0.5, "REVISED")
    partition = run(*tens(0, 8), tick(TEN + MINUTE + 5 * SECOND))
    window = partition.windows.last[f"M@{text_of(TEN)}/1m"]
    assert (window["revision"], window["reading_count"], window["expected_readings"]) == (1, 6, 6)
    assert window["energy_kwh_sum"] == 0.015
    # 0, 1, … 5 Wh in 10 s.
    assert (window["power_kw_avg"], window["power_kw_min"], window["power_kw_max"]) == (0.9, 0.0, 1.8)
    again = run(*tens(0, 8), tick(TEN + 65 * SECOND), late, tick(TEN + 110 * SECOND))
    assert again.windows.last[f"M@{text_of(TEN)}/1m"]["revision"] == 1
    again = run(*tens(0, 8), tick(TEN + 65 * SECOND), late, tick(TEN + 120 * SECOND))
    window = again.windows.last[f"M@{text_of(TEN)}/1m"]
    assert (window["revision"], window["energy_kwh_sum"], window["reading_count"]) == (2, 0.513, 6)


def test_half_an_hour_has_windows_only_until_it_is_known() -> None:
    unknown = reading(TEN, 1.0, seconds=1800, given=False)
    partition = run(unknown, tick(TEN + MINUTE))
    window = partition.windows.last[f"M@{text_of(TEN)}/1m"]
    assert (window["expected_readings"], window["completeness"], window["power_kw_avg"]) == (None, None, None)
    assert run(reading(TEN, 1.0, seconds=1800), tick(TEN + HOUR)).windows.last == {}


def test_a_reading_at_the_end_of_its_interval_counts_before_its_stamp() -> None:
    of_ends = entry(TEN, anchor="end", region="north")
    partition = run(of_ends, *tens(1, 13, given=False), tick(TEN + 2 * MINUTE))
    window = partition.windows.last[f"M@{text_of(TEN)}/1m"]
    assert (window["reading_count"], window["energy_kwh_sum"]) == (6, 0.021)


def test_energy_over_a_gap_is_in_windows_without_a_reading() -> None:
    gap = reading(TEN + 130 * SECOND, 0.12, "GAP_ENERGY", energy_from=text_of(TEN + 10 * SECOND))
    partition = run(*tens(0, 2), gap, tick(TEN + 3 * MINUTE))
    windows = partition.windows.last
    # 120 s from 10:00:20 on.
    assert [windows[f"M@{text_of(TEN + n * MINUTE)}/1m"]["energy_kwh_sum"] for n in range(3)] == [
        pytest.approx(0.001 + 0.04),
        0.06,
        pytest.approx(0.02),
    ]
    middle = windows[f"M@{text_of(TEN + MINUTE)}/1m"]
    assert (middle["reading_count"], middle["completeness"], middle["power_kw_avg"]) == (0, 0.0, None)


def test_a_region_gets_the_time_and_energy_of_its_slots() -> None:
    partition = run(entry(TEN, region="north"), *tens(0, 95), tick(TEN + QUARTER))
    (entry_of,) = entries(partition)
    assert (entry_of.revision, entry_of.initial, entry_of.final) == (1, True, False)
    assert (entry_of.received, entry_of.expected) == (900 * SECOND, QUARTER)
    assert (entry_of.flat, sum(entry_of.minutes)) == (0, sum(range(90)) * KWH // 1000)
    assert entry_of.minutes[1] == sum(range(6, 12)) * KWH // 1000
    assert (entry_of.active, entry_of.reporting, entry_of.uncovered, entry_of.prorated) == (1, 1, 0, 0)


def test_half_an_hour_is_shared_out_and_covers_its_quarters_wholly() -> None:
    half = entry(TEN, region="north", interval="30m")
    partition = run(half, reading(TEN, 5e-9, seconds=1800, given=False), tick(TEN + 2 * QUARTER))
    first, second = entries(partition, 0)[0], entries(partition, 1)[0]
    assert (first.flat, second.flat, sum(first.minutes)) == (2, 3, 0)
    assert (first.prorated, second.received) == (1, QUARTER)


def test_a_meter_that_moves_is_expected_in_both_regions_for_its_part() -> None:
    first = entry(TEN, region="north")
    moved = entry(TEN, region="south", version=2, valid_from=text_of(TEN + 5 * MINUTE))
    partition = run(first, moved, *tens(0, 2, given=False), tick(TEN + QUARTER), tick(TEN + 2 * QUARTER))
    assert [entries(partition, 0, region)[0].expected for region in ("north", "south")] == [
        5 * MINUTE,
        10 * MINUTE,
    ]
    assert entries(partition, 0, "north")[0].active == 0
    assert entries(partition, 1, "south")[0].expected == QUARTER
    assert entries(partition, 1, "north") == []


def test_nobody_is_expected_in_a_planned_outage() -> None:
    plan = {
        "scope": "feeder",
        "target": "F",
        "from": text_of(TEN + 12 * MINUTE),
        "until": text_of(TEN + 20 * MINUTE),
        "as_of": text_of(TEN),
    }
    registered = entry(TEN, region="north", feeder="F")
    steps = [Step("outage", plan), registered, *tens(0, 95, given=False), tick(TEN + 2 * QUARTER)]
    partition = run(*steps)
    (first,), (second,) = entries(partition, 0), entries(partition, 1)
    assert (first.expected, first.active) == (12 * MINUTE, 0)
    assert (second.expected, second.active) == (10 * MINUTE, 1)
    window = partition.windows.last[f"M@{text_of(TEN)}/15m"]
    assert (window["expected_readings"], window["completeness"]) == (72, 1.0)


def test_late_time_gives_a_region_its_next_revision() -> None:
    late = reading(TEN + 20 * SECOND, 0.5)
    steps = [entry(TEN, region="north"), *tens(0, 2, given=False), *tens(3, 95, given=False)]
    partition = run(*steps, tick(TEN + QUARTER), late, tick(TEN + QUARTER + MINUTE))
    first, second = entries(partition)
    assert (second.revision, second.initial) == (2, False)
    assert second.received - first.received == 10 * SECOND


def test_load_is_scaled_up_to_those_who_are_missing() -> None:
    # 0.9 kWh of 9 minutes in 10: 4 kW.
    assert load(KWH * 9 // 10, 9, 10, 16.0) == {"load_kw": 4.0, "load_percentage": 25.0, "quality": "OK"}
    assert load(KWH, 79, 100, 16.0)["quality"] == "INSUFFICIENT"
    assert load(KWH, 80, 100, None) == {"load_kw": 5.0, "load_percentage": None, "quality": "INSUFFICIENT"}
    # Half of a tenth of a percent: to the even one.
    assert load(KWH // 4, 1, 1, 2000 / 1.5)["load_percentage"] == 0.1
    assert load(KWH // 4, 1, 1, 800.0)["load_percentage"] == 0.1
    assert load(KWH // 4, 1, 1, 2000.0)["load_percentage"] == 0.0


def test_rows_add_up_partitions_and_keep_their_capacity() -> None:
    region = next(f"N{n}" for n in range(100) if partition_of(f"N{n}", 6) == 0)
    rated = [
        {"region": region, "version": n, "capacity_kw": 10.0 * n, "as_of": text_of(TEN), "valid_from": since}
        for n, since in ((1, None), (2, text_of(TEN + QUARTER)))
    ]
    heard = [entry(TEN, region=region), *tens(0, 95, given=False, region=region)]
    end = tick(TEN + QUARTER + HOUR)
    first = run(Step("region", rated[0]), *heard, Step("region", rated[1]), tick(TEN + QUARTER + MINUTE), end)
    second = run(*heard, tick(TEN + QUARTER), end, number=1)
    both = Regions([first.bundles, second.bundles], HOUR)
    rows = {name: (early, final) for name, early, final in both.rows()}
    early, final = rows[f"{region}@{text_of(TEN)}"]
    assert final is not None
    assert [(row["state"], row["revision"]) for row in (early, final)] == [("PRELIMINARY", 2), ("FINAL", 3)]
    assert early["energy_kwh_sum"] == 2 * sum(range(90)) / 1000
    assert (early["completeness"], early["meters_active"], early["capacity_kw"]) == (1.0, 2, 10.0)
    assert early["power_kw_max"] == 2 * sum(range(84, 90)) * 60 / 1000
    assert rows[f"{region}@{text_of(TEN + QUARTER)}"][0]["capacity_kw"] == 20.0


def storm(*reports: tuple[int, int, int]) -> list[dict[str, Any]]:
    """(minute, silent, active) of one feeder."""
    group = Group("north", "F", None, True)
    bundles = []
    for minute, silent, active in reports:
        names = tuple(f"M{n:03d}" for n in range(silent))
        openings = ((TEN + minute * MINUTE, silent),) if silent else ()
        report = GroupReport(active, silent, openings, names)
        bundles.append(Bundle(TEN + minute * MINUTE, {}, {group: report}, ()))
    return incidents([bundles])


def test_a_storm_opens_with_twenty_and_a_tenth_and_closes_below_a_fiftieth() -> None:
    said = storm((0, 0, 200), (1, 19, 200), (2, 20, 200), (3, 4, 200), (4, 3, 200))
    of_storm = [one for one in said if one["kind"] == "storm"]
    assert [(one["state"], one["revision"], one["meters_open"]) for one in of_storm] == [
        ("OPEN", 1, 20),
        ("OPEN", 2, 4),
        ("CLOSED", 3, 3),
    ]
    assert of_storm[0]["id"] == f"storm:north@{text_of(TEN + 2 * MINUTE)}"
    assert of_storm[-1]["ended_at"] == text_of(TEN + 4 * MINUTE)
    assert of_storm[-1]["meters_peak"] == 20


def test_a_feeder_is_no_incident_of_its_own_within_a_storm() -> None:
    said = storm((0, 3, 30), (1, 15, 30), (2, 25, 30), (3, 0, 30))
    kinds = [(one["kind"], one["state"], one["parent_id"] is not None) for one in said]
    assert kinds == [
        ("feeder", "OPEN", False),
        ("storm", "OPEN", False),
        ("feeder", "OPEN", True),
        ("storm", "CLOSED", False),
        ("feeder", "CLOSED", True),
    ]
