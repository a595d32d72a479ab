"""A row of the outbox as records: where they go, with which headers, and when they were said."""

from __future__ import annotations

import json

from gridwatch.domain.partitioning import partition_of
from gridwatch.registry.relay.outbox import OutboxRow
from gridwatch.registry.relay.records import Record, records_of

NOW = "2026-01-01T00:00:00Z"
FLOWS = ("smartmeter", "daily")


def records(row: OutboxRow) -> list[Record]:
    return list(records_of(row, FLOWS, 3, NOW))


def row(header: str, value: str, key: str = "M1", topic: str | None = None) -> OutboxRow:
    return OutboxRow(1, topic, None, key, json.dumps({header: "1"}), value)


def test_a_meter_is_one_control_record_and_one_compacted_record() -> None:
    control, kept = records(row("gridwatch-registry", '{"meter_id":"M1","version":3}', topic="daily_raw"))
    home = partition_of("M1", 3)
    value = {"meter_id": "M1", "version": 3, "as_of": NOW}
    assert (control.topic, control.partition, control.key) == ("daily_raw", home, b"M1")
    assert control.headers == [("gridwatch-registry", b"1")]
    assert json.loads(control.value) == value
    assert (kept.topic, kept.partition, kept.key, kept.headers) == ("meter_registry", home, b"M1", [])
    assert json.loads(kept.value) == {"kind": "meter", **value}


def test_a_region_is_in_every_partition_of_every_flow() -> None:
    *controls, kept = records(row("gridwatch-region", '{"region":"R1"}', key="R1"))
    assert [(one.topic, one.partition) for one in controls] == [
        (f"{flow}_raw", partition) for flow in FLOWS for partition in range(3)
    ]
    assert kept.key == b"region:R1"


def test_an_as_of_that_is_given_stands_and_one_within_a_text_is_none() -> None:
    [control, _] = records(row("gridwatch-registry", '{"as_of":"2020-01-01T00:00:00Z"}', topic="t"))
    assert json.loads(control.value) == {"as_of": "2020-01-01T00:00:00Z"}
    text = json.dumps({"feeder": '","as_of":"x'})
    [control, _] = records(row("gridwatch-registry", text, topic="t"))
    assert json.loads(control.value) == {"feeder": '","as_of":"x', "as_of": NOW}


def test_rows_of_other_services_are_published_as_they_are() -> None:
    [record] = records(OutboxRow(1, "alerts", 2, None, "{}", '{"id":1}'))
    assert record == Record("alerts", 2, None, b'{"id":1}', [])
