"""The export of meters of local days and months: one slot a day or month of their own zone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert

from gridwatch.cli import run
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
from tests.integration.test_export import exported, gap, late_event, reading

pytestmark = pytest.mark.integration

SPRING = [date(2024, 3, 1) + timedelta(days=n) for n in range(60)]
AUTUMN = [date(2024, 10, 1) + timedelta(days=n) for n in range(60)]
MONTHS = [date(2024, month, 1) for month in range(1, 13)]
#: Meter, calendar, dates, those that never came, and how many minutes after its beginning each came.
CALENDARS = (
    ("London", "1d Europe/London", SPRING, (29, 30, 31, 50), 0),
    ("Berlin", "1d Europe/Berlin", AUTUMN, (25, 26, 27), 7 * 60),
    ("Before", "1d Europe/Berlin", AUTUMN, (25, 26, 27), -4),
    ("Havana", "1d America/Havana", SPRING, (8, 9, 10), 0),
    ("Twice", "1d America/Havana", AUTUMN, (32, 33, 34), 0),
    ("Months", "1mo America/Havana", MONTHS, (2, 3), 20_000),
)


def rows_of(
    meter: str, calendar: str, dates: list[date], lacking: tuple[int, ...], minutes: int
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    unit, _, zone = calendar.partition(" ")
    begin = [datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC) for day in dates]
    seconds = {"1d": 86_400, "1mo": 2_592_000}[unit]
    given = {"interval_minutes": seconds / 60, "interval_seconds": seconds, "calendar": calendar}
    stamps = [time + timedelta(minutes=minutes) for time in begin]
    readings = [
        reading(meter, time, 1.0, n, flags=[], **given) for n, time in enumerate(stamps) if n not in lacking
    ]
    ranges = [[begin[n].isoformat(), begin[n + 1].isoformat()] for n in lacking]
    first = begin[lacking[0]]
    more = {"time": first, "gap_id": f"{meter}@{first:%FT%TZ}", "meter_id": meter, "missing_ranges": ranges}
    return readings, gap(0, len(lacking), "CLOSED") | given | more


@pytest.fixture(scope="module")
def database(postgres: EmbeddedPostgres) -> Iterator[str]:
    made = [rows_of(*one) for one in CALENDARS]
    # The reading of a day that was missing came too late: it has filled its day.
    late = {"meter_id": "London", "time": datetime(2024, 4, 20, 9, tzinfo=UTC)}
    with new_database(postgres.url) as url:
        with connect(url) as connection:
            connection.execute(insert(validated_readings), [row for readings, _ in made for row in readings])
            connection.execute(insert(gap_alerts), [one for _, one in made])
            connection.execute(insert(late_events), [late_event(0, 7.0, 930) | late])
        yield url


@pytest.fixture(autouse=True)
def settings(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDWATCH_DATABASE_URL", database)


@pytest.mark.parametrize("which", CALENDARS, ids=lambda one: one[0])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
def test_completeness_expects_one_slot_a_local_day_or_month(which: Any, zone: str, tmp_path: Path) -> None:
    meter, calendar, dates, lacking, _ = which
    rows = exported(tmp_path / "days.csv", "--completeness", "--meters", meter, "--zone", zone)
    gone = set(lacking) - {50}
    assert [(row["day"], row["expected"], row["had"], row["missing"]) for row in rows] == [
        (str(day), "1", str(int(n not in gone)), str(int(n in gone))) for n, day in enumerate(dates)
    ]
    assert {(row["calendar"], row["slots_of_day"]) for row in rows} == {(calendar, "1")}
    assert sum(int(row["too_late"]) for row in rows) == (1 if meter == "London" else 0)


def test_an_export_of_days_and_months_gives_them_again(tmp_path: Path) -> None:
    rows = exported(tmp_path / "all.csv")
    blocks = read_rows(tmp_path / "all.csv", PROFILES["spec"], "UTC", Selection(), Tally(), skip_bad=False)
    again = [row for block in blocks for row in block]
    for row, (_, meter, _, minutes, members) in zip(rows, again, strict=True):
        unit, _, zone = row["calendar"].partition(" ")
        record = json.loads("{" + members[1:] + "}")
        assert (record["interval"], record["timezone"], meter) == (unit, zone, row["meter_id"])
        assert minutes == {"1d": 1440, "1mo": 43_200}[unit]
        assert not {"interval_minutes", "interval_seconds", "calendar"} & record.keys()


def test_a_calendar_that_there_is_not_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("meter_id,timestamp,consumption_kwh,calendar\nM,2024-01-01T00:00:00Z,1,1d Mars/Base\n")
    assert run(["replay", "--dry-run", str(path)]) == 1
    assert "neither 1d nor 1mo with a time zone" in capsys.readouterr().err
