"""Rows of several flows in the same tables: each says its flow; positions compare inside one flow only."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from gridwatch.models.dead_letter import DeadLetter
from gridwatch.models.late_event import LateEvent
from gridwatch.models.metric import Metric
from gridwatch.topics import DEAD_LETTERS, GAP_ALERTS, LATE_EVENTS, METRICS, SMARTMETER, VALIDATED, flow
from sinks.writer import Writer
from tests.integration.test_sink.test_sink_tables import clear, gap, reading, rows

pytestmark = pytest.mark.integration

DAILY = flow("daily")
FLOWS = (SMARTMETER, DAILY)


def received(minute: int) -> dict[str, str]:
    return {"received_at": f"2024-01-02T00:{minute:02}:00Z"}


def late() -> LateEvent:
    return LateEvent(
        id="0-1-0",
        meter_id="M1",
        timestamp="2024-01-01T10:00:00Z",
        consumption_kwh=1.0,
        delay_seconds=1.0,
        watermark="2024-01-01T12:00:00Z",
        allowed_lateness_seconds=1.0,
        flags=[],
        partition=0,
        offset=1,
        index=0,
    )


def metric(value: float, window: str = "2024-01-01T10:00:00Z") -> Metric:
    return Metric(
        id=f"readings_received@{window}/0",
        metric="readings_received",
        value=value,
        window_start=window,
        window_end="2024-01-01T10:05:00Z",
        revision=1,
        scope="event",
        partition=0,
        labels={},
    )


def letter(topic: str) -> DeadLetter:
    return DeadLetter(
        id=f"{topic}-0-1-0",
        reasons=["NOT_JSON"],
        message="",
        field=None,
        raw="x",
        raw_encoding="utf-8",
        raw_size=1,
        raw_truncated=False,
        topic=topic,
        partition=0,
        offset=1,
        index=0,
        record_timestamp="2024-01-01T10:00:00Z",
        meter_id=None,
    )


def test_the_same_positions_windows_and_slots_of_two_flows_are_rows_of_their_own(
    writer: Writer, query: Any
) -> None:
    def batch() -> list[Any]:
        return [
            one
            for of in FLOWS
            for one in (
                rows(of.of(VALIDATED).name, reading(1, meter=f"M-{of.name}", flags=["REVISED"])),
                rows(of.of(GAP_ALERTS).name, gap(1), gap(2, state="CLOSED")),
                rows(of.of(LATE_EVENTS).name, late()),
                rows(of.of(METRICS).name, metric(1.0)),
                rows(of.of(DEAD_LETTERS).name, letter(of.raw.name)),
            )
        ]

    for _ in range(2):  # twice is once
        assert writer.write(batch()) == []
    for table, name in (
        ("validated_readings", "id"),
        ("reading_revisions", "id"),
        ("gap_alerts", "gap_id"),
        ("late_events", "id"),
        ("metrics", "id"),
    ):
        found = query(f"SELECT flow, {name} FROM {table} ORDER BY flow DESC")
        assert [one for one, _ in found] == ["smartmeter", "daily"], table
        assert found[1][1] == f"daily/{found[0][1]}"
    assert query("SELECT flow, id FROM dead_letters ORDER BY flow DESC") == [
        ("smartmeter", "smartmeter_raw-0-1-0"),
        ("daily", "daily_raw-0-1-0"),
    ]


def test_revisions_of_a_gap_count_inside_one_flow(writer: Writer, query: Any) -> None:
    writer.write([rows(GAP_ALERTS.name, gap(5, state="FILLED"))])
    writer.write([rows(DAILY.gap_alerts.name, gap(1))])
    assert query("SELECT flow, revision FROM gap_alerts ORDER BY 1") == [("daily", 1), ("smartmeter", 5)]


def test_of_two_flows_the_value_that_was_received_later_stands_in_any_order(
    writer: Writer, query: Any
) -> None:
    # The offsets say the opposite of the times.
    values = [
        (VALIDATED.name, reading(90, kwh=1.0, **received(1))),
        (VALIDATED.name, reading(91, kwh=2.0, flags=["REVISED"], **received(3))),
        (DAILY.validated.name, reading(7, kwh=3.0, **received(2))),
        (DAILY.validated.name, reading(8, kwh=4.0, flags=["REVISED"], **received(4))),
    ]
    for order in itertools.permutations(values):
        for cut in range(len(order)):
            clear(query)
            for batch in filter(None, (order[:cut], order[cut:])):
                assert writer.write([rows(topic, one) for topic, one in batch]) == []
            found = query("SELECT flow, consumption_kwh, first_kwh, first_offset FROM validated_readings")
            assert found == [("daily", 4.0, None, -1)], (order, cut)
            revisions = query("SELECT flow, consumption_kwh FROM reading_revisions ORDER BY 1")
            assert revisions == [("daily", 4.0), ("smartmeter", 2.0)]


@pytest.mark.parametrize("time", [received(1), {"received_at": None}])
def test_at_the_same_time_the_flow_with_the_later_name_stands(
    writer: Writer, query: Any, time: dict[str, Any]
) -> None:
    values = [rows(of.validated.name, reading(int(of is DAILY), kwh=2.0, **time)) for of in FLOWS]
    for order in itertools.permutations(values):
        clear(query)
        for one in order:
            writer.write([one])
        assert query("SELECT flow FROM validated_readings") == [("smartmeter",)]


def test_the_place_in_the_log_is_the_key_of_a_revision_inside_one_flow(writer: Writer, query: Any) -> None:
    for of in FLOWS:
        writer.write([rows(of.validated.name, reading(5, flags=["REVISED"]))])
    assert query("SELECT flow FROM reading_revisions ORDER BY 1") == [("daily",), ("smartmeter",)]


def test_the_summary_of_metrics_has_each_flow_by_itself(writer: Writer, query: Any) -> None:
    writer.write([rows(METRICS.name, metric(1.0)), rows(DAILY.metrics.name, metric(100.0))])
    assert query("SELECT flow, sum_value, samples FROM metrics_summary_hourly ORDER BY 1") == [
        ("daily", 100.0, 1),
        ("smartmeter", 1.0, 1),
    ]


def test_rows_of_an_older_gridwatch_are_of_the_default_flow(writer: Writer, query: Any) -> None:
    for table in ("validated_readings", "gap_alerts", "late_events", "metrics", "dead_letters"):
        [(default,)] = query(
            "SELECT column_default FROM information_schema.columns"
            " WHERE column_name = 'flow' AND table_name = %s",
            table,
        )
        assert default == "'smartmeter'::text"
