"""The export of windows, regions, incidents and anomalies: the rows of the database as they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from pyarrow import parquet

from gridwatch.cli import run
from gridwatch.deployment.databases import new_database
from gridwatch.embedded import EmbeddedPostgres
from gridwatch.topics import (
    AGGREGATES_1M,
    AGGREGATES_15M,
    ANOMALIES,
    INCIDENTS,
    REGIONAL_AGGREGATES,
    flow,
)
from sinks.rows import Rows
from sinks.writer import Writer
from tests.integration import anomaly_data, window_data
from tests.integration.dashboard_data import Source
from tests.integration.test_export import exported

pytestmark = pytest.mark.integration

START = datetime(2024, 1, 1, tzinfo=UTC)
END = START + timedelta(hours=6)
PLACES = {"M1": "north", "M2": "south, by the sea", "N3": None}
SILENT = ["M1", 'M "2",\n']


@pytest.fixture(scope="module")
def database(postgres: EmbeddedPostgres) -> Iterator[str]:
    records = {
        AGGREGATES_1M.name: window_data.aggregates(PLACES, START, END, window_data.MINUTE),
        AGGREGATES_15M.name: window_data.aggregates(PLACES, START, END, window_data.QUARTER),
        flow("daily").of(AGGREGATES_15M).name: window_data.aggregates(
            {"D1": "north"}, START, END, window_data.QUARTER
        ),
        REGIONAL_AGGREGATES.name: window_data.regional_aggregates(["north", "south"], START, END),
        ANOMALIES.name: anomaly_data.anomalies(PLACES, START, START + timedelta(hours=18)),
        flow("daily").anomalies.name: anomaly_data.anomalies({"D1": "north"}, START, END),
        INCIDENTS.name: window_data.incidents("north", SILENT, START, END),
    }
    with new_database(postgres.url) as url:
        writer = Writer(url)
        for topic, of_it in records.items():
            some = list(of_it)
            assert writer.write([Rows(topic, some, [Source(topic)] * len(some))]) == []
        writer.disconnect()
        yield url


@pytest.fixture(autouse=True)
def settings(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDWATCH_DATABASE_URL", database)


def test_windows_are_in_order_of_meter_and_time_at_their_highest_revision(tmp_path: Path) -> None:
    rows = exported(tmp_path / "windows.csv", "windows", "--meters", "[MN]?")
    assert [(row["meter_id"], row["window_start"]) for row in rows] == [
        (meter, (START + n * timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%M:%SZ"))
        for meter in PLACES
        for n in range(12)
    ]
    assert rows[6] == {
        "meter_id": "M1", "window_start": "2024-01-01T03:00:00Z", "window_end": "2024-01-01T03:15:00Z",
        "revision": "2", "region": "north", "reading_count": "2", "expected_readings": "2",
        "completeness": "1.0", "energy_kwh_sum": "0.5", "power_kw_avg": "1.5", "power_kw_min": "1.0",
        "power_kw_max": "2.0", "voltage_avg": "230.0", "current_avg": "", "power_factor_avg": "",
        "received_at": "2024-01-01T03:17:00Z", "flow": "smartmeter",
    }  # fmt: skip
    assert (rows[4]["expected_readings"], rows[4]["completeness"]) == ("", "")


def test_windows_are_chosen_by_length_meter_region_time_and_flow(tmp_path: Path) -> None:
    path = tmp_path / "windows.csv"

    def meters(*options: str) -> set[str]:
        return {row["meter_id"] for row in exported(path, "windows", *options)}

    assert meters() == {"D1", *PLACES}
    assert meters("--length", "1m") == {*PLACES}
    assert meters("--flow", "daily") == {"D1"}
    assert meters("--regions", "north", "--flow", "smartmeter") == {"M1"}
    assert meters("--regions", "?*") == {"D1", "M1", "M2"}
    assert meters("--meters", "N*") == {"N3"}
    some = exported(path, "windows", "--length", "1m", "--start", "2024-01-01T05:00Z", "--meters", "M1")
    assert [row["window_end"][11:16] for row in some] == ["05:01", "05:31"]


def test_regions_have_their_load_or_the_reason_why_not(tmp_path: Path) -> None:
    rows = exported(tmp_path / "regions.csv", "regions", "--regions", "n*")
    assert len(rows) == 24
    assert rows[0] == {
        "region": "north", "window_start": "2024-01-01T00:00:00Z", "window_end": "2024-01-01T00:15:00Z",
        "revision": "2", "state": "FINAL", "complete": "true", "quality": "OK", "meters_active": "4",
        "meters_reporting": "4", "completeness": "1.0", "energy_kwh_sum": "150.0", "load_kw": "600.0",
        "power_kw_min": "580.0", "power_kw_max": "625.5", "capacity_kw": "900.0", "load_percentage": "66.7",
        "prorated": "false", "uncovered": "1",
    }  # fmt: skip
    without = rows[5]
    assert (without["quality"], without["load_kw"], without["load_percentage"]) == ("INSUFFICIENT", "", "")
    assert without["prorated"] == "true"


def test_incidents_have_their_meters_and_what_they_belong_to(tmp_path: Path) -> None:
    rows = exported(tmp_path / "incidents.csv", "incidents")
    assert [(row["kind"], row["state"], row["ended_at"]) for row in rows] == [
        ("feeder", "CLOSED", "2024-01-01T02:00:00Z"), ("transformer", "OPEN", ""), ("feeder", "OPEN", ""),
    ]  # fmt: skip
    assert [json.loads(row["meters"]) for row in rows] == [[], SILENT, SILENT]
    assert rows[1]["parent_id"] == rows[2]["id"] == "feeder:north/F2@2024-01-01T05:00:00Z"
    assert exported(tmp_path / "none.csv", "incidents", "--regions", "south") == []


def test_anomalies_are_in_order_of_meter_and_time_at_their_highest_revision(tmp_path: Path) -> None:
    rows = exported(tmp_path / "anomalies.csv", "anomalies", "--meters", "M*")
    assert [(row["meter_id"], row["window_start"]) for row in rows] == [
        (meter, (START + n * anomaly_data.EVERY).strftime("%Y-%m-%dT%H:%M:%SZ"))
        for meter in ("M1", "M2")
        for n in range(6)
    ]
    assert rows[0] == {
        "meter_id": "M1", "anomaly_id": "M1@2024-01-01T00:00:00Z/SPIKE", "kind": "SPIKE",
        "state": "CLOSED", "reason": "RETURNED", "revision": "2", "severity": "low", "confidence": "high",
        "window_start": "2024-01-01T00:00:00Z", "window_end": "2024-01-01T00:15:00Z",
        "detected_at": "2024-01-01T00:15:00Z", "ended_at": "2024-01-01T01:00:00Z", "unit": "kW",
        "value": "9.0", "baseline": "1.5", "deviation_percent": "500.0", "region": "north",
        "received_at": "2024-01-01T00:17:00Z", "flow": "smartmeter",
    }  # fmt: skip
    assert [row["state"] for row in rows[:6]] == ["CLOSED"] * 4 + ["RETRACTED", "OPEN"]
    assert (rows[3]["baseline"], rows[3]["deviation_percent"]) == ("", "")
    assert (rows[5]["unit"], rows[5]["reason"], rows[5]["ended_at"]) == ("", "", "")


def test_anomalies_are_chosen_by_meter_region_time_and_flow(tmp_path: Path) -> None:
    path = tmp_path / "anomalies.csv"

    def meters(*options: str) -> set[str]:
        return {row["meter_id"] for row in exported(path, "anomalies", *options)}

    assert meters() == {"D1", *PLACES}
    assert meters("--flow", "daily") == {"D1"}
    assert meters("--regions", "north", "--flow", "smartmeter") == {"M1"}
    assert meters("--meters", "N*") == {"N3"}
    assert {row["anomaly_id"] for row in exported(path, "anomalies", "--flow", "daily")} == {
        "daily/D1@2024-01-01T00:00:00Z/SPIKE", "daily/D1@2024-01-01T03:00:00Z/DROP",
    }  # fmt: skip
    some = exported(path, "anomalies", "--start", "2024-01-01T06:00Z", "--end", "2024-01-01T09:00Z")
    assert {row["kind"] for row in some} == {"REVERSE_FLOW"}


def test_parquet_has_the_same_rows_typed(tmp_path: Path) -> None:
    path = tmp_path / "all.parquet"
    assert run(["export", "incidents", "-o", str(path)]) == 0
    assert parquet.read_table(path).to_pylist()[1]["meters"] == SILENT
    assert run(["export", "regions", "-o", str(path)]) == 0
    row = parquet.read_table(path).to_pylist()[5]
    assert (row["region"], row["complete"], row["prorated"], row["load_kw"]) == ("north", True, True, None)
    assert row["window_start"] == START + timedelta(minutes=75)
    assert run(["export", "windows", "-o", str(path)]) == 0
    row = parquet.read_table(path).to_pylist()[0]
    assert (row["meter_id"], row["revision"], row["completeness"]) == ("D1", 1, 0.5)
    assert run(["export", "anomalies", "-o", str(path)]) == 0
    row = parquet.read_table(path).to_pylist()[0]
    assert (row["meter_id"], row["value"], row["ended_at"]) == ("D1", 9.0, START + timedelta(hours=1))


@pytest.mark.parametrize(
    ("options", "counted", "told"),
    [
        (
            ("windows", "--meters", "M*"),
            {"rows": 24, "meters": 2, "energy_kwh_sum": 6.5, "incomplete": 18},
            "24 windows of 2 meters, 6.500000 kWh; 18 of them lack readings",
        ),
        (
            ("regions",),
            {"rows": 48, "regions": 2, "energy_kwh_sum": 7200.0, "insufficient": 8},
            "48 windows of 2 regions, 7,200.000000 kWh; 8 of them have no load",
        ),
        (
            ("incidents",),
            {"rows": 3, "regions": 1, "open": 2},
            "3 incidents of 1 regions; 2 of them are open",
        ),
        (
            ("anomalies", "--flow", "smartmeter"),
            {"rows": 18, "meters": 3, "open": 3, "retracted": 3},
            "18 anomalies of 3 meters; 3 of them are open, 3 were taken back",
        ),
    ],
)
def test_what_was_written_is_counted(
    options: tuple[str, ...],
    counted: dict[str, float],
    told: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = str(tmp_path / "some.csv")
    assert run(["export", *options, "-o", path, "--json"]) == 0
    assert msgspec.json.decode(capsys.readouterr().out) == {"file": path, "format": "csv", **counted}
    assert run(["export", *options, "-o", path]) == 0
    assert capsys.readouterr().out == f"{path}: {told}\n"


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["windows", "--completeness"], "--completeness is that of readings"),
        (["regions", "--length", "1m"], "--length is that of windows"),
        (["regions", "--meters", "M*"], "--meters does nothing for regions"),
        (["incidents", "--flow", "daily"], "--flow does nothing for incidents"),
        (["anomalies", "--length", "15m"], "--length is that of windows"),
        (["anomalies", "--completeness"], "--completeness is that of readings"),
        (["--regions", "north"], "--regions does nothing for readings"),
        (["anomalies", "--devices", "plug"], "--devices does nothing for anomalies"),
        (["loads"], "loads"),
    ],
)
def test_an_option_of_something_else_is_a_usage_error(
    options: list[str], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["export", *options]) == 2
    assert part in capsys.readouterr().err


def test_a_selection_without_rows_is_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exported(tmp_path / "none.csv", "regions", "--regions", "west") == []
    assert "no row of regions 'west'" in capsys.readouterr().err
