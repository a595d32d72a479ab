"""Anomalies: the highest revision of each is its row, in any order, of each flow apart."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from gridwatch.models.anomaly import Anomaly
from gridwatch.topics import ANOMALIES, SMARTMETER, VALIDATED, flow
from sinks.decoding import decode_records
from sinks.writer import Writer
from tests.integration.anomaly_data import KINDS, anomaly
from tests.integration.test_sink.test_sink_tables import Source, reading, rows

pytestmark = pytest.mark.integration

DAILY = flow("daily")
TEN = datetime(2024, 1, 1, 10, tzinfo=UTC)
ENDED: dict[str, Any] = {"state": "CLOSED", "reason": "RETURNED", "ended_at": "2024-01-01T11:00:00Z"}

LOG: list[Anomaly] = [
    *(anomaly("M1", kind, TEN) for kind in KINDS),
    anomaly("M1", "SPIKE", TEN, 2, severity="high"),
    anomaly("M1", "SPIKE", TEN, 3, severity="high", **ENDED),
    anomaly("M1", "DROP", TEN, 2, state="RETRACTED", reason="REVISED"),
    anomaly("M2", "SPIKE", TEN),
    anomaly("M1", "SPIKE", TEN + timedelta(hours=2)),
]


def write(writer: Writer, log: list[Anomaly], topic: str = ANOMALIES.name) -> None:
    """Write records as the sink gets them: as JSON."""
    sources = [Source(topic, value=msgspec.json.encode(record)) for record in log]
    decoded, letters = decode_records(topic, sources)
    assert letters == []
    assert writer.write([decoded]) == []


def test_any_order_any_batches_and_any_repetition_leave_the_highest_revisions(
    writer: Writer, query: Any
) -> None:
    everything = "SELECT * FROM anomalies ORDER BY anomaly_id"
    write(writer, LOG)
    undisturbed = query(everything)
    assert len(undisturbed) == len(KINDS) + 2
    assert query("SELECT kind, revision, state FROM anomalies WHERE revision > 1 ORDER BY 1") == [
        ("DROP", 2, "RETRACTED"),
        ("SPIKE", 3, "CLOSED"),
    ]
    for seed in range(20):
        query("TRUNCATE anomalies")
        rng = random.Random(seed)
        left = LOG + rng.choices(LOG, k=10)
        rng.shuffle(left)
        while left:
            size = rng.randint(1, len(left))
            write(writer, left[:size])
            left = left[size:]
        assert query(everything) == undisturbed, f"seed {seed}"


def test_a_newer_revision_replaces_the_row_and_an_older_one_changes_nothing(
    writer: Writer, query: Any
) -> None:
    shown = "SELECT revision, state, severity, ended_at FROM anomalies"
    write(writer, [anomaly("M1", "SPIKE", TEN)])
    assert query(shown) == [(1, "OPEN", "low", None)]
    write(writer, [anomaly("M1", "SPIKE", TEN, 3, severity="high", **ENDED)])
    ended = [(3, "CLOSED", "high", TEN + timedelta(hours=1))]
    assert query(shown) == ended
    place = query("SELECT ctid::text, xmin::text FROM anomalies")
    write(writer, [anomaly("M1", "SPIKE", TEN, 2, severity="critical")])
    assert query(shown) == ended
    assert query("SELECT ctid::text, xmin::text FROM anomalies") == place


def test_all_fields_of_an_anomaly_arrive(writer: Writer, query: Any) -> None:
    unknown = dict.fromkeys(("baseline", "deviation_percent", "region"))
    write(
        writer,
        [
            anomaly(
                "O'Brien\t",
                "REVERSE_FLOW",
                TEN,
                4,
                **ENDED,
                **{"severity": "low", "confidence": "high", "region": "Zähler €", "partition": 3},
                **{"value": -0.25, "baseline": 1.125, "deviation_percent": -122.2},
            ),
            anomaly("M2", "LOW_POWER_FACTOR", TEN, **unknown),
        ],
    )
    columns = (
        "anomaly_id, meter_id, kind, revision, state, reason, severity, confidence, window_start = time,"
        " window_end - time, detected_at - time, ended_at - time, unit, value, baseline, deviation_percent,"
        " region, source_partition, received_at - time, flow"
    )
    quarter = timedelta(minutes=15)
    assert query(f"SELECT {columns} FROM anomalies ORDER BY meter_id DESC") == [
        (
            *("O'Brien\t@2024-01-01T10:00:00Z/REVERSE_FLOW", "O'Brien\t", "REVERSE_FLOW", 4, "CLOSED"),
            *("RETURNED", "low", "high", True, quarter, quarter, 4 * quarter, "kW", -0.25, 1.125, -122.2),
            *("Zähler €", 3, quarter + timedelta(minutes=4), "smartmeter"),
        ),
        (
            *("M2@2024-01-01T10:00:00Z/LOW_POWER_FACTOR", "M2", "LOW_POWER_FACTOR", 1, "OPEN"),
            *(None, "low", "low", True, quarter, quarter, None, None, 0.5, None, None),
            *(None, 0, quarter + timedelta(minutes=1), "smartmeter"),
        ),
    ]


def test_ids_of_another_flow_begin_with_its_name_and_revisions_count_inside_one_flow(
    writer: Writer, query: Any
) -> None:
    write(writer, [anomaly("M1", "SPIKE", TEN, 5, **ENDED)])
    for _ in range(2):  # twice is once
        write(writer, [anomaly("M1", "SPIKE", TEN)], DAILY.anomalies.name)
    assert DAILY.anomalies.name == "daily_anomalies"
    assert query("SELECT flow, anomaly_id, revision FROM anomalies ORDER BY 1") == [
        ("daily", "daily/M1@2024-01-01T10:00:00Z/SPIKE", 1),
        (SMARTMETER.name, "M1@2024-01-01T10:00:00Z/SPIKE", 5),
    ]


def test_a_refused_anomaly_leaves_the_others(writer: Writer, query: Any) -> None:
    bad = anomaly("M2", "SPIKE", TEN, region="nul \0")
    refused = writer.write(
        [
            rows(ANOMALIES.name, anomaly("M1", "SPIKE", TEN), bad, anomaly("M3", "SPIKE", TEN)),
            rows(VALIDATED.name, reading(1)),
        ]
    )
    assert [(one.source.topic, one.source.offset) for one in refused] == [(ANOMALIES.name, 1)]
    assert query("SELECT meter_id FROM anomalies ORDER BY 1") == [("M1",), ("M3",)]


def test_an_anomaly_of_an_unknown_kind_is_a_dead_letter() -> None:
    record = msgspec.to_builtins(anomaly("M1", "SPIKE", TEN)) | {"kind": "EARTHQUAKE"}
    decoded, [letter] = decode_records(
        ANOMALIES.name, [Source(ANOMALIES.name, value=msgspec.json.encode(record))]
    )
    assert len(decoded) == 0
    assert letter.field == "kind"
