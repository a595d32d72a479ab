"""The export of what the devices of a home measured: the rows of the database as they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pyarrow import parquet

from gridwatch.cli import run
from gridwatch.deployment.databases import new_database
from gridwatch.embedded import EmbeddedPostgres
from gridwatch.models.homelab import EnergyReading, HeatpumpReading, HomelabReading, TemperatureReading
from gridwatch.topics import HOMELAB_ENERGY, HOMELAB_HEATPUMP, HOMELAB_TEMPERATURE, Topic
from sinks.rows import Rows
from sinks.writer import Writer
from tests.integration import home_data
from tests.integration.dashboard_data import Source
from tests.integration.test_export import exported

pytestmark = pytest.mark.integration

START = datetime(2024, 1, 1, tzinfo=UTC)
END = START + timedelta(hours=12)
RECORDS = home_data.records(START, END)
KINDS: dict[str, tuple[Topic, type[HomelabReading]]] = {
    "energy": (HOMELAB_ENERGY, EnergyReading),
    "heatpump": (HOMELAB_HEATPUMP, HeatpumpReading),
    "temperature": (HOMELAB_TEMPERATURE, TemperatureReading),
}


@pytest.fixture(scope="module")
def database(postgres: EmbeddedPostgres) -> Iterator[str]:
    with new_database(postgres.url) as url:
        writer = Writer(url)
        for topic, some in RECORDS.items():
            assert writer.write([Rows(topic, some, [Source(topic)] * len(some))]) == []
        writer.disconnect()
        yield url


@pytest.fixture(autouse=True)
def settings(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDWATCH_DATABASE_URL", database)


def text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else repr(value)


@pytest.mark.parametrize("kind", KINDS)
def test_every_measurement_is_there_in_order_of_device_and_time(kind: str, tmp_path: Path) -> None:
    topic, model = KINDS[kind]
    common = {field.name for field in msgspec.structs.fields(HomelabReading)}
    measured = [field.name for field in msgspec.structs.fields(model) if field.name not in common]
    expected = [
        {
            "device_id": one.device_id,
            "timestamp": one.timestamp,
            **{name: text(getattr(one, name)) for name in measured},
            "time_assigned": "true" if one.flags else "false",
            "retained": "false",
            "mqtt_topic": one.source.mqtt_topic,
            "received_at": one.received_at,
        }
        for one in sorted(RECORDS[topic.name], key=lambda one: (one.device_id, one.timestamp))
    ]
    assert exported(tmp_path / "all.csv", kind) == expected


def test_devices_and_times_are_chosen(tmp_path: Path) -> None:
    path = tmp_path / "some.csv"
    chosen = ("--start", "2024-01-01T06:00Z", "--end", "2024-01-01T08:00Z", "--devices", "O'*")
    rows = exported(path, "energy", *chosen)
    assert [(row["device_id"], row["timestamp"][11:16]) for row in rows] == [
        (home_data.PLUG, time) for time in ("06:00", "06:30", "07:00", "07:30")
    ]
    assert {row["device_id"] for row in exported(path, "temperature", "--devices", "[!b]*")} == {
        home_data.ATTIC
    }


def test_parquet_has_the_same_rows_typed(tmp_path: Path) -> None:
    path = tmp_path / "all.parquet"
    assert run(["export", "heatpump", "-o", str(path)]) == 0
    row = parquet.read_table(path).to_pylist()[-1]
    assert (row["device_id"], row["timestamp"], row["cop"]) == (home_data.PUMP, END, 4.0)
    assert (row["state"], row["time_assigned"], row["retained"]) == ("hot water", False, False)


def test_what_was_written_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "some.csv")
    assert run(["export", "energy", "-o", path, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        **{"file": path, "format": "csv"},
        **{"rows": 25 + 25 + 13, "devices": 3, "time_assigned": 25},
    }
    assert run(["export", "energy", "-o", path]) == 0
    assert capsys.readouterr().out == (
        f"{path}: 63 measurements of 3 devices; 25 of them have the time of their arrival\n"
    )


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["energy", "--meters", "M*"], "--meters does nothing for energy"),
        (["temperature", "--flow", "daily"], "--flow does nothing for temperature"),
        (["heatpump", "--completeness"], "--completeness is that of readings"),
    ],
)
def test_an_option_of_something_else_is_a_usage_error(
    options: list[str], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["export", *options]) == 2
    assert part in capsys.readouterr().err


def test_a_selection_without_rows_is_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exported(tmp_path / "none.csv", "energy", "--devices", "garage") == []
    assert "no row of devices 'garage'" in capsys.readouterr().err
