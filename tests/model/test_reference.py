"""The slow model on cases worked out by hand: a model that is wrong proves nothing."""

from __future__ import annotations

import json
from typing import Any

from tests.model.judging import murmur2
from tests.model.logs import Parameters, meter_ids
from tests.model.reference import Reference
from tests.model.stamps import DAY, parse, show
from tests.model.wire import Record

PARTITION = 0
METER = meter_ids(PARTITION, 1)[0]


def log(*steps: str) -> list[Record]:
    """`10:00` is a reading of that time, `tick 10:45` a tick."""
    records = []
    for offset, step in enumerate(steps):
        time = parse(f"2024-01-01T{step.split()[-1]}Z", "UTC")[0]
        reading = {"meter_id": METER, "timestamp": show(time), "consumption_kwh": 1}
        tick = step.startswith("tick")
        value = show(time) if tick else json.dumps(reading)
        records.append(Record(offset, time + DAY, value.encode(), tick))
    return records


def gaps(*steps: str) -> list[tuple[str, str, str, Any, int]]:
    """(first slot, state, missing_to, missing_ranges, revision) of each gap alert, times as HH:MM."""
    return [
        (a["missing_from"][11:16], a["state"], a["missing_to"][11:16], a["missing_ranges"], a["revision"])
        for kind, a in Reference(Parameters(), PARTITION).run(log(*steps))
        if kind == "gap_alert"
    ]


def span(start: str, end: str) -> list[str]:
    return [f"2024-01-01T{start}:00Z", f"2024-01-01T{end}:00Z"]


def test_murmur2_is_that_of_the_java_client() -> None:
    known = {
        b"21": -973932308,
        b"foobar": -790332482,
        b"a-little-bit-long-string": -985981536,
        b"abc": 479470107,
    }
    assert {key: murmur2(key) for key in known} == {key: value & 0xFFFFFFFF for key, value in known.items()}


def test_nothing_is_missing_before_the_watermark_has_passed_slot_and_grace() -> None:
    assert gaps("10:00", "tick 10:44:59") == []
    assert gaps("10:00", "tick 10:45") == [("10:30", "OPEN", "10:45", [span("10:30", "11:00")], 1)]


def test_a_late_reading_before_the_deadline_cancels_it() -> None:
    assert gaps("10:00", "tick 10:44:59", "10:30", "tick 11:14:59") == []


def test_a_hole_between_two_readings_is_one_closed_gap() -> None:
    assert gaps("10:00", "12:00") == [("10:30", "CLOSED", "12:00", [span("10:30", "12:00")], 1)]


def test_an_inner_slot_leaves_the_gap_open_and_its_last_slot_ends_it() -> None:
    assert gaps("10:00", "tick 11:50", "11:00", "11:30") == [
        ("10:30", "OPEN", "11:45", [span("10:30", "12:00")], 1),
        ("10:30", "OPEN", "11:45", [span("10:30", "11:00"), span("11:30", "12:00")], 2),
        ("10:30", "PARTIAL", "12:00", [span("10:30", "11:00")], 3),
    ]


def test_a_grown_interval_retracts_what_was_never_missing() -> None:
    hours = (f"{hour}:00" for hour in (10, 11, 12, 14, 15, 16, 17, 18, 19, 20))
    last = {first: (state, ranges) for first, state, _, ranges, _ in gaps(*hours)}
    assert last.pop("13:00") == ("CLOSED", [span("13:00", "14:00")])
    assert len(last) == 8
    assert all(state == ("RETRACTED", []) for state in last.values())
