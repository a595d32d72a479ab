"""The export has exactly the rows of the database, and can be replayed."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet
from sqlalchemy import insert

from gridwatch.cli import run
from gridwatch.cli.export.queries import FETCH_ROWS
from gridwatch.deployment.databases import new_database
from gridwatch.embedded import EmbeddedPostgres
from replay.files.job import Selection
from replay.files.profiles import PROFILES
from replay.files.reading.reader import read_rows
from replay.files.tally import Tally
from sinks.database import connect
from sinks.tables.gap_alerts import gap_alerts
from sinks.tables.late_events import late_events
from sinks.tables.validated_readings import validated_readings

pytestmark = pytest.mark.integration

#: A local day of 50 half-hours in Dublin begins here: 2023-10-29.
LONG_DAY = datetime(2023, 10, 28, 23, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)
#: Slots of M1 that never came, two of them in a gap that is still open at the end.
MISSING = {7, 8, 30, 60, 61}
COUNT = 62
#: Meters of seconds: so many slots from five minutes before a local midnight on, less a few of them that
#: never came.
SHORT_DAY = datetime(2024, 1, 10, 23, 55, tzinfo=UTC)
SHORT_COUNT = 100
SHORT = (("S1", 1, (20, 3)), ("S10", 10, (28, 4)), ("S90", 90, (50, 2)))
RECEIVED = datetime(2024, 1, 11, 3, 0, 0, 250_000, tzinfo=UTC)


def reading(meter: str, time: datetime, kwh: float, offset: int, **more: Any) -> dict[str, Any]:
    """A row of validated readings."""
    return {
        "time": time, "meter_id": meter, "consumption_kwh": kwh, "status": "OK", "delay_seconds": 0.0,
        "flags": ["NEM12_E52"], "interval_minutes": 30, "region": "north", "voltage": 230.5,
        "source_partition": 0, "source_offset": offset, "source_index": 0, "id": f"0-{offset}-0",
        "watermark": time, "interval_seconds": None, "received_at": None,
    } | more  # fmt: skip


def late_event(slot: int, kwh: float, offset: int, *flags: str) -> dict[str, Any]:
    """A row of late events of M1."""
    return {
        "time": LONG_DAY + slot * HALF_HOUR, "meter_id": "M1", "consumption_kwh": kwh,
        "delay_seconds": 7200.0, "allowed_lateness_seconds": 3600.0, "flags": list(flags),
        "watermark": LONG_DAY, "source_partition": 0, "source_offset": offset, "source_index": 0,
        "id": f"0-{offset}-0",
    }  # fmt: skip


def gap(slot: int, slots: int, state: str) -> dict[str, Any]:
    """A row of gaps of M1: so many slots of the long day, none of them filled."""
    first, end = (LONG_DAY + n * HALF_HOUR for n in (slot, slot + slots))
    return {
        "time": first, "gap_id": f"M1@{first:%FT%TZ}", "meter_id": "M1", "revision": 1, "state": state,
        "missing_from": first, "missing_to": end, "missing_intervals": slots, "filled_intervals": 0,
        "missing_ranges": [[first.isoformat(), end.isoformat()]], "gap_minutes": 30.0 * slots,
        "interval_minutes": 30, "expected_at": first, "detected_at": end, "last_seen": first,
        "grace_seconds": 900.0, "reason": "because", "region": "north", "source_partition": 0,
        "source_offset": 1, "interval_seconds": None, "received_at": None,
    }  # fmt: skip


@pytest.fixture(scope="module")
def database(postgres: EmbeddedPostgres) -> Iterator[str]:
    """Meter M1 over a long day with holes, and meters of a few readings with all that may befall them."""
    readings = [
        reading(
            "M1", LONG_DAY + n * HALF_HOUR, round(n * 0.1 + 0.001, 3), n, status="LATE" if n == 3 else "OK"
        )
        for n in range(COUNT)
        if n not in MISSING | {40}
    ]
    readings += [
        reading("M1", LONG_DAY + timedelta(minutes=37), 5.0, 900, flags=["OFF_GRID"]),
        reading('M "2",\n', LONG_DAY, 1 / 3, 901, flags=["FIRST", "ZERO"]),
        reading("N3", LONG_DAY + timedelta(microseconds=1), 1e-7, 902),
    ]
    # Slot 40 came too late, twice; slot 41 is a copy of what stands in validated readings.
    late = [late_event(40, 4.001, 910), late_event(40, 5.001, 911), late_event(41, 99.0, 920, "SLOT_FILLED")]
    gaps = [gap(7, 2, "CLOSED"), gap(30, 1, "CLOSED"), gap(40, 1, "CLOSED"), gap(50, 1, "RETRACTED")]
    gaps.append(gap(60, 2, "OPEN"))
    for meter, seconds, (first, count) in SHORT:
        every = timedelta(seconds=seconds)
        given = {"interval_minutes": seconds / 60, "interval_seconds": seconds, "received_at": RECEIVED}
        readings += [
            reading(meter, SHORT_DAY + n * every, 0.001, n, flags=[], **given)
            for n in range(SHORT_COUNT)
            if not first <= n < first + count
        ]
        start, end = SHORT_DAY + first * every, SHORT_DAY + (first + count) * every
        gaps.append(
            gap(0, count, "CLOSED") | given | {
                "time": start, "gap_id": f"{meter}@{start:%FT%TZ}", "meter_id": meter, "missing_from": start,
                "missing_to": end, "missing_ranges": [[start.isoformat(), end.isoformat()]],
                "gap_minutes": count * seconds / 60,
            }
        )  # fmt: skip
    with new_database(postgres.url) as url:
        with connect(url) as connection:
            for table, rows in ((validated_readings, readings), (late_events, late), (gap_alerts, gaps)):
                connection.execute(insert(table), rows)
        yield url


@pytest.fixture(autouse=True)
def settings(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDWATCH_DATABASE_URL", database)


def exported(path: Path, *options: str) -> list[dict[str, str]]:
    assert run(["export", "-o", str(path), *options]) == 0
    opened = gzip.open if path.name.endswith(".gz") else open
    with opened(path, "rt", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_readings_are_in_order_with_the_late_events_among_them(tmp_path: Path) -> None:
    rows = exported(tmp_path / "all.csv", "--meters", "M1")
    assert len(rows) == COUNT - len(MISSING) + 1
    assert rows == sorted(rows, key=lambda row: row["timestamp"])
    assert [row for row in rows if row["status"] == "TOO_LATE"] == [
        dict.fromkeys(rows[0], "") | {
            "meter_id": "M1", "timestamp": "2023-10-29T19:00:00Z", "consumption_kwh": "5.001",
            "status": "TOO_LATE", "delay_seconds": "7200.0", "flow": "smartmeter",
        }
    ]  # fmt: skip
    assert rows[0] | {"consumption_kwh": "0.001", "interval_minutes": "30", "region": "north"} == rows[0]
    # Of a version before these columns.
    assert (rows[0]["interval_seconds"], rows[0]["received_at"]) == ("1800", "")
    assert rows[0] | {"voltage": "230.5", "current": "", "status": "OK", "flags": "NEM12_E52"} == rows[0]


@pytest.mark.parametrize("name", ["all.csv", "all.csv.gz"])
def test_an_export_replayed_is_the_same_readings(name: str, tmp_path: Path) -> None:
    rows = exported(tmp_path / name, "--meters", "[MN][13]")
    blocks = read_rows(tmp_path / name, PROFILES["spec"], "UTC", Selection(), Tally(), skip_bad=False)
    again = [row for block in blocks for row in block]
    assert [(meter, repr(kwh)) for _, meter, kwh, _, _ in again] == [
        (row["meter_id"], row["consumption_kwh"]) for row in rows
    ]
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    stamps = [epoch + timedelta(microseconds=row[0]) for row in again]
    assert stamps[-1] == LONG_DAY + timedelta(microseconds=1)
    record = json.loads("{" + again[0][4][1:] + "}")
    assert record == {
        **{"interval_minutes": 30, "interval_seconds": 1800},
        **{"region": "north", "voltage": 230.5, "flags": ["NEM12_E52"]},
    }


def test_flags_of_gridwatch_are_determined_again_and_not_replayed(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text("id,timestamp,kwh,flags\nM,2024-01-01T10:00Z,1,FIRST NEM12_E52 ZERO s14\n")
    row = next(read_rows(path, PROFILES["spec"], "UTC", Selection(), Tally(), skip_bad=False))[0]
    assert json.loads("{" + row[4][1:] + "}") == {"flags": ["NEM12_E52", "S14"]}


def test_parquet_has_the_same_rows_typed(tmp_path: Path) -> None:
    rows = exported(tmp_path / "all.csv")
    assert run(["export", "-o", str(tmp_path / "all.parquet")]) == 0
    table = parquet.read_table(tmp_path / "all.parquet").to_pylist()
    assert [row["meter_id"] for row in table] == [row["meter_id"] for row in rows]
    assert [repr(row["consumption_kwh"]) for row in table] == [row["consumption_kwh"] for row in rows]
    assert {"N3": LONG_DAY + timedelta(microseconds=1)}.items() <= {
        row["meter_id"]: row["timestamp"] for row in table
    }.items()
    assert table[0]["meter_id"] == 'M "2",\n'
    assert table[0]["flags"] == ["FIRST", "ZERO"]
    assert table[0]["current"] is None


def test_time_and_meters_are_chosen_as_a_replay_does(tmp_path: Path) -> None:
    path = tmp_path / "some.csv"
    chosen = exported(path, "--start", "2023-10-29T00:00Z", "--end", "2023-10-29T01:00Z", "--meters", "M*")
    assert [row["timestamp"][11:19] for row in chosen] == ["00:00:00", "00:30:00"]
    for pattern, meters in (
        ("M?", {"M1"}),
        ("[!M]3", {"N3"}),
        ("*.*", set()),
        ("N[0-3]", {"N3"}),
        ("m*", set()),
        ('M "2",\n', {'M "2",\n'}),
    ):
        assert {row["meter_id"] for row in exported(path, "--meters", pattern)} == meters


def test_completeness_counts_the_slots_of_local_days(tmp_path: Path) -> None:
    rows = exported(tmp_path / "days.csv", "--completeness", "--zone", "Europe/Dublin", "--meters", "M1")
    assert [
        (row["day"], row["slots_of_day"], row["expected"], row["had"], row["missing"]) for row in rows
    ] == [
        ("2023-10-29", "50", "50", "47", "3"),
        ("2023-10-30", "48", "12", "10", "2"),
    ]
    assert [(row["late"], row["too_late"], row["completeness_percent"]) for row in rows] == [
        ("1", "1", "94.0"), ("0", "0", str(1000 / 12)),
    ]  # fmt: skip
    here = exported(tmp_path / "days.csv", "--completeness", "--meters", "M1")
    assert [(row["day"], row["expected"], row["missing"]) for row in here] == [
        ("2023-10-28", "2", "0"), ("2023-10-29", "48", "3"), ("2023-10-30", "12", "2"),
    ]  # fmt: skip


def test_completeness_counts_slots_of_seconds(tmp_path: Path) -> None:
    rows = exported(tmp_path / "days.csv", "--completeness", "--meters", "S*")
    names = ("meter_id", "day", "interval_seconds", "slots_of_day", "expected", "had", "missing")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("S1", "2024-01-10", "1", "86400", "100", "97", "3"),
        ("S10", "2024-01-10", "10", "8640", "30", "28", "2"),
        ("S10", "2024-01-11", "10", "8640", "70", "68", "2"),
        ("S90", "2024-01-10", "90", "960", "4", "4", "0"),
        ("S90", "2024-01-11", "90", "960", "96", "94", "2"),
    ]
    assert [row["interval_minutes"] for row in rows[1:4:2]] == [repr(10 / 60), "1.5"]


def test_readings_of_seconds_have_their_interval_and_arrival(tmp_path: Path) -> None:
    rows = exported(tmp_path / "all.csv", "--meters", "S10")
    assert len(rows) == SHORT_COUNT - 4
    assert {row["interval_seconds"] for row in rows} == {"10"}
    assert {row["interval_minutes"] for row in rows} == {repr(10 / 60)}
    assert {row["received_at"] for row in rows} == {"2024-01-11T03:00:00.25Z"}
    assert run(["export", "-o", str(tmp_path / "all.parquet"), "--meters", "S10"]) == 0
    typed = parquet.read_table(tmp_path / "all.parquet").to_pylist()[0]
    assert (typed["interval_seconds"], typed["received_at"]) == (10, RECEIVED)


def test_the_energy_of_days_is_that_of_the_readings(tmp_path: Path) -> None:
    readings = exported(tmp_path / "all.csv")
    days = exported(tmp_path / "days.csv", "--completeness")
    assert sum(float(day["consumption_kwh"]) for day in days) == pytest.approx(
        sum(float(row["consumption_kwh"]) for row in readings), abs=1e-9
    )


def test_the_counts_are_printed_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "m1.csv.gz")
    assert run(["export", "-o", path, "--meters", "M1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "file": path, "format": "csv", "rows": COUNT - len(MISSING) + 1, "meters": 1,
        "consumption_kwh": 178.557, "too_late": 1,
    }  # fmt: skip
    assert run(["export", "-o", path, "--meters", "M1", "--completeness", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["rows"], printed["had"], printed["expected"]) == (3, 57, 62)


def test_stdout_is_csv_and_nothing_else(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(["export", "--meters", "N3"]) == 0
    out, err = capsysbinary.readouterr()
    assert len(list(csv.reader(io.StringIO(out.decode())))) == 2
    assert b"1 readings of 1 meters" in err


def test_a_closed_stdout_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stdout:
        monkeypatch.setattr("sys.stdout", stdout)
        assert run(["export"]) == 1
    assert "stdout was closed by its reader" in capsys.readouterr().err


def test_a_selection_without_rows_is_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exported(tmp_path / "none.csv", "--meters", "X*") == []
    assert "no row of meters 'X*'" in capsys.readouterr().err


def test_a_file_is_written_atomically(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "all.csv"
    path.write_text("as it was")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gridwatch.cli.export.files.CsvWriter.write", full)
    assert run(["export", "-o", str(path)]) == 1
    assert "cannot be written: No space left" in capsys.readouterr().err
    assert path.read_text() == "as it was"
    assert [one.name for one in tmp_path.iterdir()] == ["all.csv"]


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["-o", "all.xlsx"], ".csv, .csv.gz or .parquet"),
        (["--json"], "name one with -o"),
        (["--zone", "Mars/Olympus"], "Europe/London"),
        (["--start", "2024-01-02", "--end", "2024-01-02"], "--start must lie before --end"),
    ],
)
def test_a_usage_error_names_its_part(
    options: list[str], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["export", *options]) == 2
    assert part in capsys.readouterr().err


def test_a_missing_pyarrow_is_an_error_before_anything_is_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert run(["export", "-o", str(tmp_path / "all.parquet")]) == 2
    assert "pip install 'gridwatch[parquet]'" in capsys.readouterr().err


def test_an_unavailable_database_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = "postgresql://nobody:secret@127.0.0.1:1/none"
    assert run(["export", "-o", str(tmp_path / "a.csv"), "--database-url", url]) == 1
    assert "127.0.0.1:1/none" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_rows_are_streamed(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gridwatch.cli.export.queries.FETCH_ROWS", 10)
    sizes: list[int] = []
    monkeypatch.setattr(
        "gridwatch.cli.export.files.CsvWriter.write", lambda _writer, rows: sizes.append(len(rows))
    )
    assert run(["export", "-o", str(tmp_path / "all.csv")]) == 0
    assert max(sizes) == 10 < FETCH_ROWS
    assert sum(sizes) == COUNT - len(MISSING) + 3 + sum(SHORT_COUNT - count for *_, (_, count) in SHORT)
