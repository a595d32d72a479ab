"""The hour that the clocks repeat: whatever the order of a file's rows, each value keeps its instant."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gridwatch.errors import GridwatchError
from replay.files.job import Selection
from replay.files.profiles import PROFILES, load_custom
from replay.files.profiles.spec import SPEC
from replay.files.reading.reader import read_rows
from replay.files.rows import Row
from replay.files.tally import Tally
from tests.unit.replay.public_sets import UTC

ZONE = "Europe/London"
CHANGE = datetime(2024, 10, 27, 1, tzinfo=UTC)
Reading = tuple[str, datetime, float]


def readings(meter: str = "M", minutes: int = 30, first: int = -3, last: int = 3) -> list[Reading]:
    """A value of its own for each instant, from some hours before the change to some hours after it."""
    count = (last - first) * 60 // minutes
    start = CHANGE + timedelta(hours=first)
    return [(meter, start + timedelta(minutes=minutes * n), n + 1 + len(meter) / 10) for n in range(count)]


def local(time: datetime) -> str:
    return f"{time.astimezone(ZoneInfo(ZONE)):%Y-%m-%d %H:%M}"


def truth(found: list[Reading]) -> set[Row]:
    return {(int(time.timestamp()) * 1_000_000, meter, value, 0, "") for meter, time, value in found}


def read(folder: Path, *files: list[Reading], tally: Tally | None = None) -> list[Row]:
    """The rows of some files of local stamps, read one after the other."""
    tally, found = tally or Tally(), []
    for number, rows in enumerate(files):
        path = folder / f"{number}.csv"
        lines = [f"{meter},{local(time)},{value}" for meter, time, value in rows]
        path.write_text("\n".join(["id,timestamp,kwh", *lines]) + "\n")
        for block in read_rows(path, SPEC, ZONE, Selection(), tally, skip_bad=False):
            found += block
    return found


def pairwise(rows: list[Reading]) -> list[Reading]:
    """Sorted by what the clocks show: both values of a stamp one after the other."""
    return sorted(rows, key=lambda row: local(row[1]))


def backwards(rows: list[Reading]) -> list[Reading]:
    return rows[::-1]


def as_it_is(rows: list[Reading]) -> list[Reading]:
    return rows


@pytest.mark.parametrize("minutes", [10, 15, 30, 60])
@pytest.mark.parametrize("first", [-3, -1, 0], ids=["from before", "from the first hour", "from the second"])
@pytest.mark.parametrize("order", [as_it_is, backwards, pairwise, lambda rows: pairwise(rows)[::-1]])
def test_each_order_of_a_meters_rows_keeps_the_instants(
    order: Callable[[list[Reading]], list[Reading]], first: int, minutes: int, tmp_path: Path
) -> None:
    rows = readings(minutes=minutes, first=first)
    assert set(read(tmp_path, order(rows))) == truth(rows)


@pytest.mark.parametrize("order", [as_it_is, backwards, pairwise])
@pytest.mark.parametrize("last", [1, 2])
def test_rows_that_end_soon_after_the_hour_are_told_apart(
    order: Callable[[list[Reading]], list[Reading]], last: int, tmp_path: Path
) -> None:
    rows = readings(last=last)
    assert set(read(tmp_path, order(rows))) == truth(rows)


def test_meters_are_judged_each_by_itself_however_they_lie(tmp_path: Path) -> None:
    forwards, back = readings("A"), backwards(readings("BB"))
    alternating = list(chain.from_iterable(zip(forwards, back, strict=True)))
    assert set(read(tmp_path, alternating)) == truth(forwards + back)
    assert set(read(tmp_path, forwards + back)) == truth(forwards + back)


def test_meters_in_any_interleaving_keep_their_instants(tmp_path: Path) -> None:
    chance = random.Random(5)
    series = [readings("A"), backwards(readings("BB")), pairwise(readings("CCC")), readings("DDDD", first=-1)]
    for _ in range(20):
        left = [list(rows) for rows in series]
        mixed = []
        while any(left):
            mixed.append(chance.choice([rows for rows in left if rows]).pop(0))
        assert set(read(tmp_path, mixed)) == truth(mixed)


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_hour_that_is_cut_into_two_files_is_told_apart(cut: int, tmp_path: Path) -> None:
    rows = readings()
    assert set(read(tmp_path, rows[:cut], rows[cut:])) == truth(rows)


def test_files_of_an_hour_each_are_told_apart_in_their_order(tmp_path: Path) -> None:
    rows = readings() + readings("BB")
    files = [[row for row in rows if row[1].hour == hour and row[1].day == 27] for hour in range(4)]
    files = [rows for rows in files if rows]
    assert set(read(tmp_path, *files)) == truth([row for rows in files for row in rows])


def test_what_comes_a_second_time_has_the_same_instants(tmp_path: Path) -> None:
    rows = readings()
    assert sorted(read(tmp_path, rows + rows)) == sorted([*truth(rows), *truth(rows)])
    assert sorted(read(tmp_path, rows, rows)) == sorted([*truth(rows), *truth(rows)])
    overlapping = [row for row in rows if row[1] >= CHANGE - timedelta(hours=2)]
    assert set(read(tmp_path, rows, overlapping)) == truth(rows)


def test_a_third_pass_is_taken_in_turn_and_noted(tmp_path: Path) -> None:
    rows = readings(minutes=60)
    hour = [row for row in rows if row[1] in (CHANGE - timedelta(hours=1), CHANGE)]
    at = rows.index(hour[-1]) + 1
    tally = Tally()
    found = read(tmp_path, rows[:at] + hour + rows[at:], tally=tally)
    assert set(found) == truth(rows)
    assert any("more than twice" in note for note in tally.notes)


def test_a_hour_that_is_there_once_is_the_one_next_to_the_rows_before(tmp_path: Path) -> None:
    rows = readings()
    first = [row for row in rows if not CHANGE <= row[1] < CHANGE + timedelta(hours=1)]
    assert set(read(tmp_path, first)) == truth(first)


def test_a_selection_is_by_the_instant_that_a_row_turned_out_to_mean(tmp_path: Path) -> None:
    rows = readings(first=0)
    path = tmp_path / "m.csv"
    lines = [f"{meter},{local(time)},{value}" for meter, time, value in rows]
    path.write_text("\n".join(["id,timestamp,kwh", *lines]) + "\n")
    start = int(CHANGE.timestamp()) * 1_000_000
    tally = Tally()
    blocks = read_rows(path, SPEC, ZONE, Selection(start=start), tally, skip_bad=False)
    assert {row for block in blocks for row in block} == truth(rows)
    tally = Tally()
    blocks = read_rows(path, SPEC, ZONE, Selection(end=start), tally, skip_bad=False)
    assert not [row for block in blocks for row in block]
    assert tally.left_out == len(rows)


def test_many_rows_that_wait_are_judged_in_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("replay.files.reading.reader._MOST_WAITING", 10)
    monkeypatch.setattr("replay.files.reading.reader._LINES_AT_ONCE", 4)
    rows = [row for n in range(40) for row in readings(f"M{n:02d}", first=-1, last=1)]
    assert set(read(tmp_path, rows)) == truth(rows)


@pytest.mark.parametrize("order", [as_it_is, backwards, pairwise, lambda rows: pairwise(rows)[::-1]])
@pytest.mark.parametrize("first", [-3, -1])
def test_a_column_a_meter_is_told_apart_line_by_line(
    order: Callable[[list[Reading]], list[Reading]], first: int, tmp_path: Path
) -> None:
    rows = readings(minutes=15, first=first)
    (tmp_path / "p.toml").write_text(
        f'shape = "meters"\ncells = "M.*"\ninterval = "15m"\nzone = "{ZONE}"\n[columns]\ntimestamp = "t"\n'
    )
    lines = [f"{local(time)},{value},{value + 100}" for _, time, value in order(rows)]
    (tmp_path / "w.csv").write_text("\n".join(["t,M1,M2", *lines]) + "\n")
    blocks = read_rows(
        tmp_path / "w.csv", load_custom(tmp_path / "p.toml"), "UTC", Selection(), Tally(), skip_bad=False
    )
    found = {(row[0], row[1], row[2]) for block in blocks for row in block}
    assert found == {
        (int(time.timestamp()) * 1_000_000, name, value + more)
        for _, time, value in rows
        for name, more in (("M1", 0), ("M2", 100))
    }


@pytest.mark.parametrize("order", [as_it_is, backwards, pairwise])
def test_a_published_set_with_a_column_a_meter_is_told_apart_too(
    order: Callable[[list[Reading]], list[Reading]], tmp_path: Path
) -> None:
    zone = ZoneInfo("Europe/Berlin")
    rows = readings(minutes=15)
    lines = [f"{time.astimezone(zone):%d.%m.%Y %H:%M};{value};0" for _, time, value in order(rows)]
    if order is pairwise:
        lines = sorted(f"{time.astimezone(zone):%d.%m.%Y %H:%M};{value};0" for _, time, value in rows)
        lines.sort(key=lambda line: line[:16])
    (tmp_path / "w.csv").write_text("\n".join(["time;H0;L1", *lines]) + "\n")
    blocks = read_rows(tmp_path / "w.csv", PROFILES["simbench"], "UTC", Selection(), Tally(), skip_bad=False)
    found = {row[0]: row[2] for block in blocks for row in block if row[1] == "H0"}
    wanted = {int(time.timestamp()) * 1_000_000: value / 4 for _, time, value in rows}
    assert found.keys() == wanted.keys()
    if order is not pairwise:
        assert found == wanted


@pytest.mark.parametrize("minutes", [15, 30, 60])
@pytest.mark.parametrize("order", [as_it_is, backwards, pairwise])
def test_series_of_one_meter_are_judged_each_by_itself(
    order: Callable[[list[Reading]], list[Reading]], minutes: int, tmp_path: Path
) -> None:
    rows = order(readings(minutes=minutes))
    (tmp_path / "p.toml").write_text(
        f'zone = "{ZONE}"\n[columns]\nmeter_id = "m"\ntimestamp = "t"\nconsumption_kwh = "v"\nseries = "s"\n'
        '[series]\nin = "consumption"\nout = "generation"\n'
    )
    lines = [
        f"M,{local(time)},{value + more},{name}"
        for _, time, value in rows
        for name, more in (("in", 0), ("out", 1000))
    ]
    (tmp_path / "s.csv").write_text("\n".join(["m,t,v,s", *lines]) + "\n")
    blocks = read_rows(
        tmp_path / "s.csv", load_custom(tmp_path / "p.toml"), "UTC", Selection(), Tally(), skip_bad=False
    )
    assert {(row[0], row[1], row[2]) for block in blocks for row in block} == {
        (int(time.timestamp()) * 1_000_000, name, value + more)
        for _, time, value in rows
        for name, more in (("M", 0), ("M-export", 1000))
    }


@pytest.mark.parametrize("minutes", [15, 30, 60])
@pytest.mark.parametrize("parser", ["", 'negative = "generation"'])
def test_ends_that_do_not_go_by_the_clock_are_an_error_with_a_way_through(
    parser: str, minutes: int, tmp_path: Path
) -> None:
    step = timedelta(minutes=minutes)
    rows = [row for row in readings(minutes=minutes, first=-2) if row[1] >= CHANGE - timedelta(hours=2)]
    toml = tmp_path / "p.toml"
    keys = f'zone = "{ZONE}"\nanchor = "end"\ninterval = "{minutes}m"\nmeter_from_file = true\n'
    columns = '[columns]\ntimestamp = "t"\nconsumption_kwh = "v"\n'
    lines = []
    for _, time, value in rows:
        label = time.astimezone(ZoneInfo(ZONE)).replace(tzinfo=None) + step
        lines.append(f"{label:%Y-%m-%d %H:%M},{value}")
    (tmp_path / "M.csv").write_text("\n".join(["t,v", *lines]) + "\n")

    def found() -> set[tuple[int, float]]:
        blocks = read_rows(tmp_path / "M.csv", load_custom(toml), "UTC", Selection(), Tally(), skip_bad=False)
        return {(row[0], row[2]) for block in blocks for row in block}

    toml.write_text(f'{keys}{parser}\nstamps = ["%Y-%m-%d %H:%M"]\n{columns}')
    with pytest.raises(GridwatchError, match=r"its end stands twice.*name the column as slot"):
        found()
    toml.write_text(f'{keys}{parser}\nstamps = ["%Y-%m-%d"]\n{columns}slot = "t"\n')
    assert found() == {(int(time.timestamp()) * 1_000_000, value) for _, time, value in rows}


@pytest.mark.parametrize("order", [as_it_is, backwards])
def test_a_row_that_comes_twice_in_the_hour_is_one_row(
    order: Callable[[list[Reading]], list[Reading]], tmp_path: Path
) -> None:
    rows = order(readings(minutes=15))
    at = next(n for n, row in enumerate(rows) if row[1] == CHANGE - timedelta(minutes=30))
    assert set(read(tmp_path, [*rows[: at + 1], rows[at], *rows[at + 1 :]])) == truth(rows)
    at = next(n for n, row in enumerate(rows) if row[1] == CHANGE + timedelta(minutes=30))
    assert set(read(tmp_path, [*rows[: at + 1], rows[at], *rows[at + 1 :]])) == truth(rows)


@pytest.mark.parametrize("order", [as_it_is, backwards])
@pytest.mark.parametrize("other", [0, -1])
def test_a_row_of_another_time_between_the_two_of_a_stamp_does_not_matter(
    other: int, order: Callable[[list[Reading]], list[Reading]], tmp_path: Path
) -> None:
    rows = order(readings(minutes=60))
    at = next(n for n, row in enumerate(rows) if local(row[1]).endswith("01:00")) + 1
    tally = Tally()
    assert set(read(tmp_path, [*rows[:at], rows[other], *rows[at:]], tally=tally)) == truth(rows)
    assert any("lie apart" in note for note in tally.notes)
