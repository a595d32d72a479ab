"""Rows from one stamp until another, as people write them on days on which the clocks change."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gridwatch.errors import GridwatchError
from replay.files.job import Selection
from replay.files.profiles import load_custom
from replay.files.reading.reader import read_rows
from replay.files.tally import Tally
from tests.unit.replay.public_sets import UTC, local_days

ZONE = ZoneInfo("Europe/Berlin")
AUTUMN, SPRING, PLAIN = date(2024, 10, 27), date(2024, 3, 31), date(2024, 7, 1)
FULL = 'zone = "Europe/Berlin"\nmeter_from_file = true\n{keys}[columns]\n{columns}consumption_kwh = "v"\n'
FORM = "%Y-%m-%dT%H:%M"
TWO = 'timestamp = "a"\nuntil = "b"\n'
ONE_DATE = 'timestamp = ["d", "a"]\nuntil = ["d", "b"]\n'


def read(folder: Path, keys: str, columns: str, lines: Iterable[str]) -> dict[int, tuple[float, int]]:
    """Energy and interval by instant; no two rows of one."""
    toml = folder / "p.toml"
    toml.write_text(FULL.format(keys=keys, columns=columns))
    path = folder / "M7.csv"
    path.write_text("\n".join(lines) + "\n")
    blocks = read_rows(path, load_custom(toml), "UTC", Selection(), Tally(), skip_bad=False)
    rows = [row for block in blocks for row in block]
    found = {row[0]: (row[2], row[3]) for row in rows}
    assert len(found) == len(rows)
    return found


def by_clock(start: datetime, minutes: int) -> datetime:
    """The end of an interval, as the clocks show it."""
    return (start + timedelta(minutes=minutes)).astimezone(ZONE)


def counted_on(start: datetime, minutes: int) -> datetime:
    """The end of an interval, counted on from what its start is called."""
    return start.astimezone(ZONE).replace(tzinfo=None) + timedelta(minutes=minutes)


@pytest.mark.parametrize("end", [by_clock, counted_on])
@pytest.mark.parametrize("by_name", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("minutes", [60, 30, 15])
@pytest.mark.parametrize("day", [AUTUMN, PLAIN, SPRING])
def test_whatever_an_end_is_called(
    day: date,
    minutes: int,
    backwards: bool,
    by_name: bool,
    end: Callable[[datetime, int], datetime],
    tmp_path: Path,
) -> None:
    """`by_name`: both passes of a repeated stamp stand one behind the other."""
    starts = local_days("Europe/Berlin", day, 1, minutes)
    stamps = [(start.astimezone(ZONE), end(start.astimezone(UTC), minutes)) for start in starts]
    lines = [f"{start:{FORM}},{until:{FORM}},{n}" for n, (start, until) in enumerate(stamps, 1)]
    if by_name:
        lines.sort(key=lambda line: line.partition(",")[0])
    found = read(tmp_path, "", TWO, ["a,b,v", *(lines[::-1] if backwards else lines)])
    assert found == {int(start.timestamp()) * 1_000_000: (n + 1, minutes) for n, start in enumerate(starts)}


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize(("from_hour", "until_hour"), [(1, 5), (0, 5), (0, 4), (1, 25)])
def test_a_file_that_begins_or_ends_beside_the_hour(
    from_hour: int, until_hour: int, backwards: bool, tmp_path: Path
) -> None:
    """Hours of the 25 of a day, of which 2 and 3 are called the same, and so are their ends."""
    starts = local_days("Europe/Berlin", AUTUMN, 1, 60)[from_hour:until_hour]
    stamps = [(start.astimezone(ZONE), counted_on(start.astimezone(UTC), 60)) for start in starts]
    lines = [f"{start:{FORM}},{until:{FORM}},{n}" for n, (start, until) in enumerate(stamps, 1)]
    found = read(tmp_path, "", TWO, ["a,b,v", *(lines[::-1] if backwards else lines)])
    assert found == {int(start.timestamp()) * 1_000_000: (n, 60) for n, start in enumerate(starts, 1)}


def test_an_end_of_midnight_under_the_date_of_its_day(tmp_path: Path) -> None:
    lines = [f"2024-07-01,{hour:02}:00,{(hour + 1) % 24:02}:00,{hour}" for hour in range(24)]
    found = read(tmp_path, "", ONE_DATE, ["d,a,b,v", *lines])
    assert [value for value, _ in found.values()] == list(range(24))
    assert {interval for _, interval in found.values()} == {60}


@pytest.mark.parametrize(
    ("minutes", "last"), [(60, ":59:00"), (15, ":14:00"), (60, ":59:59"), (30, ":29:59")]
)
def test_an_end_that_is_the_last_minute_or_second(minutes: int, last: str, tmp_path: Path) -> None:
    lines = [f"2024-07-01T{hour:02}:00:00,2024-07-01T{hour:02}{last},4" for hour in range(3)]
    found = read(tmp_path, 'unit = "kW"\n', TWO, ["a,b,v", *lines])
    assert [value for value, _ in found.values()] == [4 * minutes / 60] * 3
    assert {interval for _, interval in found.values()} == {minutes}


@pytest.mark.parametrize("minutes", [60, 15])
@pytest.mark.parametrize("day", [AUTUMN, PLAIN, SPRING])
def test_the_end_of_a_day_under_its_own_date_is_refused(day: date, minutes: int, tmp_path: Path) -> None:
    keys = f'interval = "{minutes}m"\nanchor = "end"\nstamps = ["%Y-%m-%d %H:%M"]\n'
    starts = local_days("Europe/Berlin", day, 2, minutes)
    ends = [(start.astimezone(UTC) + timedelta(minutes=minutes)).astimezone(ZONE) for start in starts]
    lines = [f"{end:%Y-%m-%d,%H:%M},1" for end in ends]
    columns = 'timestamp = ["d", "t"]\n'
    assert len(read(tmp_path, keys, columns, ["d,t,v", *lines])) == len(starts)
    assert len(read(tmp_path, keys, columns, ["d,t,v", *lines[::-1]])) == len(starts)
    midnight = f"{day + timedelta(days=1)},00:00"
    lines = [line.replace(midnight, f"{day},00:00") for line in lines]
    with pytest.raises(GridwatchError, match="as the end of that day it is written 24:00"):
        read(tmp_path, keys, columns, ["d,t,v", *lines])


@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"])
@pytest.mark.parametrize(("interval", "minutes"), [("15m", 15), ("1h", 60), ("1d", 1440)])
@pytest.mark.parametrize("day", [AUTUMN, PLAIN, SPRING])
def test_stamps_of_ends_that_are_the_last_minute_or_second(
    day: date, interval: str, minutes: int, form: str, tmp_path: Path
) -> None:
    starts = local_days("Europe/Berlin", day, 1, minutes)[: 1 if minutes == 1440 else None]
    wall = [start.astimezone(ZONE).replace(tzinfo=None) for start in starts]
    least = timedelta(seconds=1) if "%S" in form else timedelta(minutes=1)
    lines = [f"{start + timedelta(minutes=minutes) - least:{form}},{n}" for n, start in enumerate(wall, 1)]
    keys = f'interval = "{interval}"\nanchor = "end"\nstamps = ["{form}"]\n'
    found = read(tmp_path, keys, 'timestamp = "t"\n', ["t,v", *lines])
    assert found == {int(start.timestamp()) * 1_000_000: (n, minutes) for n, start in enumerate(starts, 1)}
