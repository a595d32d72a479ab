"""Local days of 46, 48 and 50 half-hours: each stamp becomes its own instant."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridwatch.errors import GridwatchError
from replay.files.job import Selection
from replay.files.profiles import SPEC
from replay.files.reading.reader import read_rows
from replay.files.rows import Row
from replay.files.stamps.local_time import LocalTime
from replay.files.tally import Tally
from tests.unit.replay.public_sets import UTC, local_days

LONDON = "Europe/London"
EPOCH = datetime(1970, 1, 1)


def rows_of(folder: Path, lines: list[str], tally: Tally | None = None) -> list[Row]:
    path = folder / "file.csv"
    path.write_text("\n".join(["id,timestamp,kwh", *lines]) + "\n")
    blocks = read_rows(path, SPEC, LONDON, Selection(), tally or Tally(), skip_bad=False)
    return [row for block in blocks for row in block]


def local(time: datetime) -> str:
    return f"{time.astimezone(ZoneInfo(LONDON)):%Y-%m-%d %H:%M:%S}"


def micros(times: list[datetime]) -> list[int]:
    return [int(time.timestamp()) * 1_000_000 for time in times]


@pytest.mark.parametrize(
    ("day", "slots"), [(date(2024, 3, 31), 46), (date(2024, 4, 1), 48), (date(2024, 10, 27), 50)]
)
def test_a_local_day_has_as_many_half_hours_as_its_clocks_make(day: date, slots: int, tmp_path: Path) -> None:
    times = local_days(LONDON, day, 1, 30)
    assert len(times) == slots
    found = rows_of(tmp_path, [f"M,{local(time)},1" for time in times])
    assert [row[0] for row in found] == micros(times)


def test_rows_that_run_backwards_in_time_are_told_apart_too(tmp_path: Path) -> None:
    times = local_days(LONDON, date(2024, 10, 27), 1, 30)[::-1]
    assert [row[0] for row in rows_of(tmp_path, [f"M,{local(time)},1" for time in times])] == micros(times)


def test_meters_side_by_side_are_told_apart_each_for_itself(tmp_path: Path) -> None:
    times = local_days(LONDON, date(2024, 10, 27), 1, 30)
    lines = [f"{meter},{local(time)},1" for time in times for meter in ("A", "B")]
    found = rows_of(tmp_path, lines)
    for meter in ("A", "B"):
        assert [row[0] for row in found if row[1] == meter] == micros(times)


def test_every_year_is_told_apart_anew(tmp_path: Path) -> None:
    times = [
        time
        for year in (2022, 2023)
        for time in local_days(LONDON, date(year, 10, 30 - (year - 2022)), 1, 30)
    ]
    assert [row[0] for row in rows_of(tmp_path, [f"M,{local(time)},1" for time in times])] == micros(times)


def test_a_name_that_comes_once_is_the_earlier_instant(tmp_path: Path) -> None:
    tally = Tally()
    found = rows_of(tmp_path, ["M,2024-10-27 01:30:00,1"], tally)
    assert found[0][0] == micros([datetime(2024, 10, 27, 0, 30, tzinfo=UTC)])[0]
    assert tally.ambiguous == 1


def test_a_time_that_the_clocks_skipped_is_a_bad_row(tmp_path: Path) -> None:
    with pytest.raises(GridwatchError, match=r"line 2.*does not exist in Europe/London"):
        rows_of(tmp_path, ["M,2024-03-31 01:30:00,1"])


@given(
    st.datetimes(datetime(1975, 1, 1), datetime(2037, 1, 1)),
    st.sampled_from([LONDON, "Europe/Lisbon", "UTC"]),
)
def test_an_instant_is_among_those_that_its_local_time_names(moment: datetime, zone: str) -> None:
    moment = moment.replace(second=0, microsecond=0)
    there = moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    instants = LocalTime(zone).instants((there - EPOCH) // timedelta(microseconds=1))
    assert (moment - EPOCH) // timedelta(microseconds=1) in instants
    assert list(instants) == sorted(instants)
