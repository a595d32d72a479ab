"""Bundles on their way into the stage `regions`, and rows and incidents on their way out."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from gridwatch.codecs.regions import RegionsEncoder, partial_records, source_out_record
from gridwatch.domain.outputs import Bundle, DeadLetter, RegionGroup, RegionLimit
from gridwatch.domain.regions.records import FINAL, OPEN, Incident, Record, Refused, RegionRow, SourceOut
from gridwatch.topics import DEAD_LETTERS, INCIDENTS, REGIONAL_AGGREGATES, SOURCE_OUT_HEADER
from tests.unit.domain.regions.feed import NOON, window

WINDOW: dict[str, Any] = {
    "region": "north", "window_start": "2024-01-01T12:00:00Z", "revision": 1, "initial": True, "final": False,
    "flat": 10_000_000_000, "minutes": [0] * 15, "received": 9_000_000_000, "expected": 9_000_000_000,
    "active": 10, "uncovered": 0, "reporting": 10, "prorated": 0,
}  # fmt: skip
PARTIAL: dict[str, Any] = {
    "version": 1, "flow": "smartmeter", "partition": 3, "watermark": "2024-01-01T12:15:00.5Z",
    "windows": [WINDOW],
    "groups": [
        {
            "region": "north", "feeder": "F1", "transformer": None, "active": 4, "open": 2,
            "openings": [["2024-01-01T12:00:00Z", 2]], "meters": ["M1", "M2"],
        }
    ],
    "regions": [{"region": "north", "version": 2, "capacity_kw": 500, "valid_from": None}],
}  # fmt: skip


def record_of(value: Any, *headers: str) -> Record:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    fetched = SimpleNamespace(offset=7, timestamp=1000, value=raw, headers=[(one, b"1") for one in headers])
    [record] = partial_records([fetched])
    assert (record.offset, record.timestamp, record.value) == (7, 1_000_000, raw)
    return record


def refusal_of(value: Any, *headers: str) -> Refused:
    content = record_of(value, *headers).content
    assert isinstance(content, Refused)
    return content


def test_a_bundle_is_decoded_into_the_units_of_the_domain() -> None:
    assert record_of(PARTIAL).content == Bundle(
        "smartmeter",
        3,
        0,
        NOON + 900_500_000,
        (window(),),
        (RegionGroup("north", "F1", None, 4, 2, ((NOON, 2),), ("M1", "M2")),),
        (RegionLimit("north", 2, 500.0, None),),
    )


def test_the_header_makes_a_record_that_puts_a_source_out() -> None:
    key, value = source_out_record("night", 4)
    assert key == b"night/4"
    assert record_of(value, "other", SOURCE_OUT_HEADER).content == SourceOut("night", 4)
    assert refusal_of(b"{}", SOURCE_OUT_HEADER).reasons == ("BAD_VALUE",)


@pytest.mark.parametrize("value", [b"", b"no JSON", b"\xff\xfe", b'{"version":1'])
def test_what_is_no_json_is_refused(value: bytes) -> None:
    assert refusal_of(value).reasons == ("NOT_JSON",)


@pytest.mark.parametrize(
    "value", [PARTIAL | {"version": 2}, {"version": 2}, PARTIAL | {"version": 2, "windows": "elsewhere"}]
)
def test_a_newer_version_is_refused_whatever_is_in_it(value: Any) -> None:
    found = refusal_of(value)
    assert (found.reasons, found.field) == (("NEWER_VERSION",), "version")
    assert "version 2; this gridwatch reads 1" in found.message


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"version": 1},
        PARTIAL | {"watermark": "noon"},
        PARTIAL | {"windows": [WINDOW | {"minutes": [0] * 14}]},
        PARTIAL | {"windows": [WINDOW | {"window_start": "2024-01-01T12:01:00Z"}]},
        PARTIAL | {"windows": [WINDOW | {"flat": 1 << 70}]},
        PARTIAL | {"windows": [WINDOW | {"minutes": [*[0] * 14, -(1 << 63)]}]},
    ],
)
def test_a_bundle_with_something_wrong_in_it_is_refused_whole(value: Any) -> None:
    found = refusal_of(value)
    assert found.reasons == ("BAD_VALUE",)
    assert found.message


# -- outputs


def row(**other: Any) -> RegionRow:
    given = RegionRow(
        "north", NOON, 3, FINAL, True, 10, 9, 9990, 123_456_789_012, 493_827_156, 1, 2_500_000,
        500_000_000, 988, False, 1,
    )  # fmt: skip
    return given._replace(**other)


def encoded(*outputs: Any) -> dict[str, list[Any]]:
    encoder = RegionsEncoder()
    encoder.outcome.outputs += outputs
    messages = encoder.drain().messages
    assert not any(encoder.drain().messages.values())
    return {
        topic: [(key.decode(), json.loads(value)) for key, value in some] for topic, some in messages.items()
    }


def test_a_row_has_kwh_kw_and_shares() -> None:
    [(key, body)] = encoded(row())[REGIONAL_AGGREGATES.name]
    assert key == "north"
    assert body == {
        "id": "north@2024-01-01T12:00:00Z", "region": "north", "window_start": "2024-01-01T12:00:00Z",
        "window_end": "2024-01-01T12:15:00Z", "revision": 3, "state": "FINAL", "complete": True,
        "quality": "OK", "meters_active": 10, "meters_reporting": 9, "completeness": 0.999,
        "energy_kwh_sum": 123.456789012, "load_kw": 493.827156, "power_kw_min": 0.000001,
        "power_kw_max": 2.5, "capacity_kw": 500.0, "load_percentage": 98.8, "prorated": False, "uncovered": 1,
    }  # fmt: skip


def test_a_row_without_a_percentage_is_insufficient() -> None:
    [(_, body)] = encoded(row(percentage=None, load=None, completeness=None))[REGIONAL_AGGREGATES.name]
    assert (body["quality"], body["load_kw"], body["completeness"]) == ("INSUFFICIENT", None, None)


def test_an_incident_is_keyed_by_its_id() -> None:
    one = Incident(
        "feeder", "north", "F1", NOON, OPEN, 2, NOON + 60_000_000, None, 4, 6, 5, ("M1",), "storm:x"
    )
    [(key, body)] = encoded(one)[INCIDENTS.name]
    assert key == "feeder:north/F1@2024-01-01T12:00:00Z"
    assert body == {
        "id": key, "kind": "feeder", "region": "north", "target": "F1", "state": "OPEN", "revision": 2,
        "started_at": "2024-01-01T12:00:00Z", "updated_at": "2024-01-01T12:01:00Z", "ended_at": None,
        "meters_open": 4, "meters_active": 6, "meters_peak": 5, "meters": ["M1"], "parent_id": "storm:x",
    }  # fmt: skip


def test_a_dead_letter_names_the_topic_of_partials() -> None:
    letter = DeadLetter(("UNKNOWN_SOURCE",), "who", None, b"{}", NOON, None, 2, 7, 0)
    [(key, body)] = encoded(letter)[DEAD_LETTERS.name]
    assert key == body["id"] == "regional_partials-2-7-0"
    assert (body["topic"], body["reasons"], body["raw"]) == ("regional_partials", ["UNKNOWN_SOURCE"], "{}")


def test_the_feed_counts_records_and_dead_letters() -> None:
    encoder = RegionsEncoder()
    encoder.outcome.outputs.append(DeadLetter(("NOT_JSON",), "what", None, b"", NOON, None, 0, 0, 0))
    encoder.outcome.good, encoder.outcome.run = 3, 1
    assert encoder.drain().feed == (3, 1, 1, "NOT_JSON: what")
    assert encoder.drain().feed == (0, 0, 0, "")
