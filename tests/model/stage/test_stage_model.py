"""The slow model of the stage `regions` on cases worked out by hand."""

from __future__ import annotations

from typing import Any

from tests.model.stage.incidents import incidents
from tests.model.stage.rows import Bundle, Row, Sent, final, preliminary, windows
from tests.model.stage.steps import Steps
from tests.model.stamps import MINUTE, QUARTER, show
from tests.model.test_reference_controls import at

ONE, OTHER = "smartmeter/0", "smartmeter/1"
LATENESS = 20 * MINUTE


def bundle(source: str, watermark: str, *windows: Row, **more: Any) -> Bundle:
    flow, partition = source.split("/")
    head = {"flow": flow, "partition": int(partition), "target": 0, "watermark": at(watermark)}
    return {**head, "windows": list(windows), "groups": [], "limits": [], **more}


def window(start: str, revision: int = 1, **more: Any) -> Row:
    """A quarter of one meter that sent 1 kWh in it."""
    usual = {"flat": 1_000_000_000, "minutes": [0] * 15, "received": QUARTER, "expected": QUARTER}
    counts = {"active": 1, "uncovered": 0, "reporting": 1, "prorated": 0}
    head = {"region": "north", "start": at(start), "revision": revision, "initial": revision == 1}
    return {**head, "final": False, **usual, **counts, **more}


def limit(version: int, capacity: float, valid_from: str | None = None) -> Row:
    valid = None if valid_from is None else at(valid_from)
    return {"region": "north", "version": version, "capacity_kw": capacity, "valid_from": valid}


def group(
    silent: int, active: int, feeder: str | None = "f", transformer: str | None = "t", **more: Any
) -> Row:
    head = {"region": "north", "feeder": feeder, "transformer": transformer}
    names = [f"{feeder}{transformer}{number}" for number in range(silent)]
    opened = [[at("10:00"), silent]] if silent else []
    return {**head, "active": active, "open": silent, "openings": opened, "meters": names, **more}


def only(rows: list[Row]) -> Row:
    (row,) = rows
    return row


def test_a_row_is_made_of_what_the_sources_sent_as_they_passed_the_end() -> None:
    sent = {
        ONE: [bundle(ONE, "10:15", window("10:00")), bundle(ONE, "10:16", window("10:00", 2, flat=7))],
        OTHER: [bundle(OTHER, "10:14")],
    }
    assert preliminary(sent, ONE) == []
    sent[OTHER].append(bundle(OTHER, "10:40", window("10:00", received=QUARTER // 2)))
    row = only(preliminary(sent, ONE))
    assert (row["revision"], row["energy"], row["active"], row["reporting"]) == (2, 2_000_000_000, 2, 2)
    assert (row["completeness"], row["load"]) == (7500, None)
    assert final(sent, LATENESS, ONE) == []
    sent[ONE].append(bundle(ONE, "10:35"))
    row = only(final(sent, LATENESS, ONE))
    assert (row["revision"], row["energy"]) == (2 + 1 + 1, 1_000_000_007)


def test_the_load_is_scaled_to_all_meters_and_rounded_once() -> None:
    """1 µWh in four fifths of the time: 1/250 mW × 5/4 = 0.005 mW; 100 kWh: 500 kW."""
    for flat, load in ((1, 0), (100_000_000_000, 500_000_000), (300, 2), (500, 2), (700, 4)):
        sent = {ONE: [bundle(ONE, "10:15", window("10:00", flat=flat, received=QUARTER * 4 // 5))]}
        assert only(preliminary(sent, ONE))["load"] == load


def test_the_extremes_are_of_minutes() -> None:
    minutes = [1_000_000, *[0] * 13, 3_000_000]
    row = only(preliminary({ONE: [bundle(ONE, "10:15", window("10:00", flat=250, minutes=minutes))]}, ONE))
    assert (row["lowest"], row["highest"]) == (1, 180_001)


def test_a_capacity_holds_from_the_first_quarter_that_its_source_has_not_passed() -> None:
    sent: Sent = {
        ONE: [
            bundle(ONE, "10:01", limits=[limit(1, 8)]),
            bundle(ONE, "10:15", window("10:00"), limits=[limit(2, 16)]),
            bundle(ONE, "10:30", window("10:15"), limits=[limit(3, 32, "11:00")]),
            bundle(ONE, "10:45", window("10:30")),
            bundle(ONE, "11:15", window("11:00")),
        ]
    }
    found = [(one["capacity"], one["percentage"]) for one in preliminary(sent, ONE)]
    assert found == [(8_000_000, 500), (16_000_000, 250), (16_000_000, 250), (32_000_000, 125)]


def test_a_source_that_is_out_is_not_waited_for_and_its_row_comes_again() -> None:
    log: list[Bundle] = [
        bundle(OTHER, "10:15", window("10:00", active=2)),
        bundle(ONE, "10:40", window("10:15")),
        bundle(OTHER, "10:30", window("10:15")),
    ]
    every = {ONE: [log[1]], OTHER: [log[0], log[2]]}
    steps = Steps([ONE, OTHER], LATENESS, ONE, windows(every))
    told = [one for record in log[:2] for one in steps.take(record)]
    assert [(show(one["start"])[11:16], one["state"], one["complete"]) for one in told] == [
        ("10:00", "PRELIMINARY", True)
    ]
    row = only(steps.put_out(OTHER))
    assert (row["complete"], row["revision"], row["active"], row["completeness"]) == (False, 1, 3, 3333)
    again = only(steps.take(log[2]))
    assert (again["complete"], again["revision"], again["active"]) == (True, 2 + 1, 2)


def told(*bundles: Bundle) -> list[tuple[Any, ...]]:
    return [
        (
            one["kind"],
            one["target"],
            one["state"],
            one["revision"],
            show(one["updated"])[11:16],
            one["parent"],
        )
        for one in incidents({ONE: list(bundles)})
    ]


def test_three_silent_meters_of_five_are_an_incident_until_they_are_not() -> None:
    assert told(bundle(ONE, "10:01", groups=[group(2, 4)]), bundle(ONE, "10:02", groups=[group(3, 7)])) == []
    steps = [bundle(ONE, "10:01", groups=[group(3, 6)]), bundle(ONE, "10:02")]
    assert told(*steps, bundle(ONE, "10:03", groups=[group(2, 6)])) == [
        ("feeder", "f", "OPEN", 1, "10:01", None),
        ("feeder", "f", "CLOSED", 2, "10:03", None),
    ]


def test_a_transformer_on_two_feeders_is_not_in_one_of_them() -> None:
    groups = [group(3, 6), group(1, 9, "g")]
    assert told(bundle(ONE, "10:01", groups=groups)) == [("feeder", "f", "OPEN", 1, "10:01", None)]
    groups = [group(3, 6), group(3, 6, "g")]
    assert {one[:2] for one in told(bundle(ONE, "10:01", groups=groups))} == {
        ("feeder", "f"),
        ("feeder", "g"),
        ("transformer", "t"),
    }


def test_what_was_open_before_a_storm_becomes_part_of_it() -> None:
    storm = bundle(ONE, "10:05", groups=[group(20, 100, None, None)])
    assert told(bundle(ONE, "10:01", groups=[group(3, 6)]), storm) == [
        ("feeder", "f", "OPEN", 1, "10:01", None),
        ("storm", "north", "OPEN", 1, "10:05", None),
        ("feeder", "f", "OPEN", 2, "10:05", "storm:north@2024-01-01T10:05:00Z"),
    ]


def test_a_storm_is_of_the_last_quarter_of_an_hour() -> None:
    assert told(bundle(ONE, "10:14", groups=[group(20, 200, None, None)])) != []
    assert told(bundle(ONE, "10:15", groups=[group(20, 200, None, None)])) == []
    assert told(bundle(ONE, "10:14", groups=[group(20, 201, None, None)])) == []


def test_a_minute_is_judged_when_all_sources_have_come_to_it() -> None:
    sent = {ONE: [bundle(ONE, "10:05", groups=[group(3, 6)])], OTHER: [bundle(OTHER, "10:04:59")]}
    assert incidents(sent) == []
    sent[OTHER].append(bundle(OTHER, "10:05"))
    assert len(incidents(sent)) == 1
