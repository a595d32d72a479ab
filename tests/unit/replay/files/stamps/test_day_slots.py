"""Days of 23, 24 and 25 hours: a column an interval, or the number of it beside a date."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gridwatch.errors import GridwatchError
from replay.files.job import Selection
from replay.files.profiles import load_custom
from replay.files.reading.reader import read_rows
from replay.files.rows import Row
from replay.files.tally import Tally
from tests.unit.replay.public_sets import UTC, local_days

ZONE = "Europe/Madrid"
AUTUMN, SPRING, PLAIN = date(2024, 10, 27), date(2024, 3, 31), date(2024, 7, 1)
WIDE = 'shape = "day"\nnulls = ["-"]\ncells = "[v0-9].*"\n[columns]\nmeter_id = "m"\ntimestamp = "d"\n'
LONG = (
    'interval = "{interval}"\nanchor = "{anchor}"\nstamps = ["%d/%m/%Y"]\n[columns]\n'
    'meter_id = "m"\ntimestamp = "d"\n'
    'slot = "n"\nconsumption_kwh = "v"\n'
)


def read(folder: Path, keys: str, lines: Iterable[str], tally: Tally | None = None) -> list[Row]:
    toml = folder / "p.toml"
    toml.write_text(f'zone = "{ZONE}"\n{keys}')
    path = folder / "M7.csv"
    path.write_text("\n".join(lines) + "\n")
    blocks = read_rows(path, load_custom(toml), "UTC", Selection(), tally or Tally(), skip_bad=False)
    return [row for block in blocks for row in block]


def truth(day: date, minutes: int = 60) -> dict[int, float]:
    """The instants of a day's intervals, and a value of its own for each."""
    times = local_days(ZONE, day, 1, minutes)
    return {int(time.timestamp()) * 1_000_000: n + 1.0 for n, time in enumerate(times)}


def values(rows: list[Row]) -> dict[int, float]:
    found = {row[0]: row[2] for row in rows}
    assert len(found) == len(rows)
    return found


@pytest.mark.parametrize("minutes", [60, 30, 15, 10])
@pytest.mark.parametrize(("day", "more"), [(AUTUMN, 1), (PLAIN, 0), (SPRING, -1)])
def test_a_file_with_the_columns_of_the_longest_day(
    day: date, more: int, minutes: int, tmp_path: Path
) -> None:
    an_hour = 60 // minutes
    columns = 25 * an_hour
    there = (24 + more) * an_hour
    cells = [str(n + 1) for n in range(there)] + ["-"] * (columns - there)
    header = "m,d," + ",".join(f"v{n}" for n in range(columns))
    wanted = truth(day, minutes)
    assert values(read(tmp_path, WIDE, [header, f"M,{day},{','.join(cells)}"])) == wanted
    short = ",".join(cells[:there])
    assert values(read(tmp_path, WIDE, [header, f"M,{day},{short}"])) == wanted
    rows = read(tmp_path, WIDE, [header, f"M,{day},{','.join(cells)}"])
    assert {row[3] for row in rows} == {minutes}


@pytest.mark.parametrize(("day", "columns"), [(AUTUMN, 25), (SPRING, 23), (PLAIN, 24)])
def test_a_file_with_the_columns_of_its_own_day(day: date, columns: int, tmp_path: Path) -> None:
    header = "m,d," + ",".join(f"v{n}" for n in range(columns))
    line = f"M,{day}," + ",".join(str(n + 1) for n in range(columns))
    assert values(read(tmp_path, WIDE, [header, line])) == truth(day)


def test_a_second_column_for_the_repeated_hour_behind_the_first_one(tmp_path: Path) -> None:
    names = ["1", "2", "3", "3B", *map(str, range(4, 25))]
    header = "m,d," + ",".join(f"v{name}" for name in names)
    autumn = f"M,{AUTUMN}," + ",".join(str(n + 1) for n in range(25))
    plain = f"M,{PLAIN}," + ",".join("-" if n == 3 else str(n + (n < 3)) for n in range(25))
    # 2 to 3 is not there in spring: the columns go by the clock, so that its third one is empty.
    numbers = iter(range(1, 24))
    spring = f"M,{SPRING}," + ",".join("-" if n in (2, 3) else str(next(numbers)) for n in range(25))
    for day, line in ((AUTUMN, autumn), (PLAIN, plain), (SPRING, spring)):
        assert values(read(tmp_path, WIDE, [header, line])) == truth(day), day


def test_24_columns_on_a_day_of_23_hours_by_the_clock_or_in_order(tmp_path: Path) -> None:
    header = "m,d," + ",".join(f"v{n}" for n in range(24))
    numbers = iter(range(1, 24))
    for empty in ("-", "0"):
        numbers = iter(range(1, 24))
        by_clock = f"M,{SPRING}," + ",".join(empty if n == 2 else str(next(numbers)) for n in range(24))
        assert values(read(tmp_path, WIDE, [header, by_clock])) == truth(SPRING)
    in_order = f"M,{SPRING}," + ",".join([*(str(n + 1) for n in range(23)), "-"])
    assert values(read(tmp_path, WIDE, [header, in_order])) == truth(SPRING)
    both = f"M,{SPRING}," + ",".join(str(n + 1) for n in range(24))
    with pytest.raises(GridwatchError, match=r"line 2, column d: energy in an hour that the clocks skipped"):
        read(tmp_path, WIDE, [header, both])


def test_24_columns_on_a_day_of_25_hours_are_noted_or_halved(tmp_path: Path) -> None:
    header = "m,d," + ",".join(f"v{n}" for n in range(24))
    line = f"M,{AUTUMN}," + ",".join(str(n + 1) for n in range(24))
    tally = Tally()
    rows = read(tmp_path, WIDE, [header, line], tally)
    assert len(rows) == 24
    assert any(
        "days of 25 hours with 24 values: the repeated hour stands once" in note for note in tally.notes
    )
    rows = read(tmp_path, 'dst = "split"\n' + WIDE, [header, line])
    assert len(rows) == 25
    assert sum(row[2] for row in rows) == 300
    assert [row[2] for row in rows][1:5] == [2.0, 1.5, 1.5, 4.0]


@pytest.mark.parametrize(
    ("columns", "part"),
    [(22, "does not make a day"), (47, "does not make a day"), (26, "does not make a day")],
)
def test_columns_that_make_no_day_are_an_error(columns: int, part: str, tmp_path: Path) -> None:
    header = "m,d," + ",".join(f"v{n}" for n in range(columns))
    with pytest.raises(GridwatchError, match=part):
        read(tmp_path, WIDE, [header, f"M,{PLAIN}," + ",".join("1" * columns)])


def test_an_interval_that_the_columns_contradict_is_an_error(tmp_path: Path) -> None:
    header = "m,d," + ",".join(f"v{n}" for n in range(24))
    with pytest.raises(GridwatchError, match="does not make a day of 30 minutes, as the profile says"):
        read(tmp_path, 'interval = "30m"\n' + WIDE, [header, f"M,{PLAIN}," + ",".join("1" * 24)])


def test_values_beyond_the_day_and_values_left_away_are_errors(tmp_path: Path) -> None:
    header = "m,d," + ",".join(f"v{n}" for n in range(25))
    with pytest.raises(GridwatchError, match="values in more columns than the 24 slots of this day"):
        read(tmp_path, WIDE, [header, f"M,{PLAIN}," + ",".join("1" * 25)])
    with pytest.raises(GridwatchError, match="23 values of a day that has 24"):
        read(tmp_path, WIDE, [header, f"M,{PLAIN}," + ",".join("1" * 23)])


@pytest.mark.parametrize("form", ["{n}", "{n:02d}", "{n:02d}:00"])
@pytest.mark.parametrize("day", [AUTUMN, PLAIN, SPRING])
@pytest.mark.parametrize("order", [1, -1])
def test_hours_numbered_in_order(order: int, day: date, form: str, tmp_path: Path) -> None:
    wanted = truth(day)
    lines = [f"M,{day:%d/%m/%Y},{form.format(n=n)},{n}" for n in range(1, len(wanted) + 1)]
    rows = read(tmp_path, LONG.format(interval="1h", anchor="end"), ["m,d,n,v", *lines[::order]])
    assert values(rows) == wanted


@pytest.mark.parametrize("day", [AUTUMN, SPRING])
def test_hours_numbered_by_the_clock(day: date, tmp_path: Path) -> None:
    wanted = truth(day)
    numbers = [1, 2, 3, 3, *range(4, 25)] if day == AUTUMN else [1, 2, *range(4, 25)]
    lines = [f"{meter},{day:%d/%m/%Y},{n},{at}" for meter in "AB" for at, n in enumerate(numbers, 1)]
    rows = read(tmp_path, LONG.format(interval="1h", anchor="end"), ["m,d,n,v", *lines])
    for meter in "AB":
        assert values([row for row in rows if row[1] == meter]) == wanted


@pytest.mark.parametrize(("minutes", "most"), [(30, 50), (15, 100)])
def test_half_hours_and_quarters_numbered_in_order(minutes: int, most: int, tmp_path: Path) -> None:
    lines = [f"M,{AUTUMN:%d/%m/%Y},{n},{n}" for n in range(1, most + 1)]
    keys = LONG.format(interval=f"{minutes}m", anchor="start")
    assert values(read(tmp_path, keys, ["m,d,n,v", *lines])) == truth(AUTUMN, minutes)


def test_numbers_from_0_on(tmp_path: Path) -> None:
    lines = ["m,d,n,v", *(f"M,{PLAIN:%d/%m/%Y},{n},{n + 1}" for n in range(24))]
    keys = LONG.format(interval="1h", anchor="start")
    assert values(read(tmp_path, "first_slot = 0\n" + keys, lines)) == truth(PLAIN)
    with pytest.raises(GridwatchError, match=r"line 2, column n: intervals count from 1; first_slot = 0"):
        read(tmp_path, keys, lines)


def test_a_repeated_hour_that_is_numbered_once_is_noted(tmp_path: Path) -> None:
    tally = Tally()
    lines = ["m,d,n,v", *(f"M,{AUTUMN:%d/%m/%Y},{n},{n}" for n in range(1, 25))]
    rows = read(tmp_path, LONG.format(interval="1h", anchor="end"), lines, tally)
    assert len(values(rows)) == 24
    assert rows[-1][0] == max(truth(AUTUMN))
    assert any("numbers of a repeated hour that stand once" in note for note in tally.notes)


@pytest.mark.parametrize(
    ("cell", "part"),
    [
        ("25", "the day has 24 intervals"),
        ("x", "neither the number of an interval nor a time"),
        ("", "neither the number"),
        ("1:30", "between two intervals"),
        ("-1", "neither the number"),
    ],
)
def test_a_number_that_the_day_has_not_names_line_and_column(cell: str, part: str, tmp_path: Path) -> None:
    with pytest.raises(GridwatchError, match=part) as raised:
        read(tmp_path, LONG.format(interval="1h", anchor="end"), ["m,d,n,v", f"M,01/07/2024,{cell},1"])
    assert "M7.csv, line 2, column n" in str(raised.value)


def test_energy_in_a_numbered_hour_that_was_skipped_names_its_line(tmp_path: Path) -> None:
    lines = ["m,d,n,v", *(f"M,{SPRING:%d/%m/%Y},{n},{n}" for n in range(1, 25))]
    with pytest.raises(
        GridwatchError, match="line 4, column n: energy in an interval that the clocks skipped"
    ):
        read(tmp_path, LONG.format(interval="1h", anchor="end"), lines)


def test_date_and_hour_in_one_column_are_numbered_too(tmp_path: Path) -> None:
    keys = LONG.format(interval="1h", anchor="end").replace('"n"', '"d"')
    hours = [1, 2, 3, 3, *range(4, 25)]
    lines = [f"M,{AUTUMN:%d/%m/%Y} {hour:02d}:00,{at}" for at, hour in enumerate(hours, 1)]
    assert values(read(tmp_path, keys, ["m,d,v", *lines])) == truth(AUTUMN)


def test_a_day_of_the_next_zone_begins_at_its_own_midnight(tmp_path: Path) -> None:
    rows = read(tmp_path, LONG.format(interval="1h", anchor="end"), ["m,d,n,v", "M,01/07/2024,1,1"])
    start = datetime(2024, 7, 1, tzinfo=UTC) - timedelta(hours=2)
    assert rows[0][0] == int(start.timestamp()) * 1_000_000


CLOCKS = [f"{hour:02}:00" for hour in range(24)]
HALVES = ["AM", "PM"]
IN_ORDER = [
    (CLOCKS, "start"),
    (CLOCKS, "unknown"),
    ([*CLOCKS[1:], "24:00"], "end"),
    ([*CLOCKS[1:], "00:00"], "end"),
    ([f"{time} - {end}" for time, end in zip(CLOCKS, [*CLOCKS[1:], "24:00"], strict=True)], "start"),
    ([*(time.replace(":", "") for time in CLOCKS[1:]), "0000"], "unknown"),
    ([f"{hour % 12 or 12}:00 {HALVES[hour // 12]}" for hour in range(24)], "start"),
    ([f"{hour % 12 or 12} {HALVES[hour // 12]}" for hour in range(24)], "unknown"),
    ([f"H{hour} (60 min)" for hour in range(1, 25)], "unknown"),
]


def columns(folder: Path, headers: list[str], anchor: str) -> list[Row]:
    keys = WIDE.replace("[v0-9].*", "(?!m$|d$).*")
    line = f"M,{PLAIN}," + ",".join(str(n + 1) for n in range(len(headers)))
    return read(folder, f'anchor = "{anchor}"\n{keys}', ["m,d," + ",".join(headers), line])


@pytest.mark.parametrize(("headers", "anchor"), IN_ORDER)
def test_columns_named_in_the_order_of_the_day(headers: list[str], anchor: str, tmp_path: Path) -> None:
    assert values(columns(tmp_path, headers, anchor)) == truth(PLAIN)


@pytest.mark.parametrize(
    ("headers", "anchor", "name"),
    [
        (CLOCKS[::-1], "unknown", "22:00"),
        (sorted(f"H{hour}" for hour in range(24)), "unknown", "H2"),
        ([*CLOCKS[12:], *CLOCKS[:12]], "start", "00:00"),
        (CLOCKS, "end", 'so they name the start of their intervals, and the profile says anchor = "end"'),
        ([*CLOCKS[1:], "00:00"], "start", 'they name the end of their intervals'),
    ],
)  # fmt: skip
def test_columns_that_their_names_put_elsewhere(
    headers: list[str], anchor: str, name: str, tmp_path: Path
) -> None:
    with pytest.raises(GridwatchError, match=name):
        columns(tmp_path, headers, anchor)


@pytest.mark.parametrize("offset", [False, True])
@pytest.mark.parametrize("day", [AUTUMN, PLAIN, SPRING])
def test_days_that_stamps_name_by_their_end(day: date, offset: bool, tmp_path: Path) -> None:
    """A day of 23 or 25 hours begins at its own midnight."""
    days = [day + timedelta(days=n) for n in (-1, 0, 1)]
    midnights = [datetime(one.year, one.month, one.day, tzinfo=ZoneInfo(ZONE)) for one in days]
    ends = [datetime(*(one + timedelta(days=1)).timetuple()[:3], tzinfo=ZoneInfo(ZONE)) for one in days]
    keys = LONG.format(interval="1d", anchor="end").replace('slot = "n"\n', "")
    keys = keys.replace("%d/%m/%Y", "%Y-%m-%dT%H:%M:%S%z" if offset else "%Y-%m-%d")
    stamps = [end.isoformat() if offset else f"{end:%Y-%m-%d}" for end in ends]
    rows = read(tmp_path, keys, ["m,d,v", *(f"M,{stamp},{n}" for n, stamp in enumerate(stamps))])
    wanted = [(int(start.astimezone(UTC).timestamp()) * 1_000_000, n) for n, start in enumerate(midnights)]
    assert [(row[0], row[2]) for row in rows] == wanted


def test_two_columns_of_one_meter_are_refused(tmp_path: Path) -> None:
    keys = 'shape = "meters"\ninterval = "1h"\ncells = "[AB]"\n[columns]\ntimestamp = "d"\n'
    with pytest.raises(GridwatchError, match="two columns of this name"):
        read(tmp_path, keys, ["d,A,B,A", "2024-07-01T00:00:00,1,2,3"])


def test_the_end_of_a_day_under_its_own_date_is_refused(tmp_path: Path) -> None:
    keys = LONG.format(interval="1h", anchor="end")
    lines = [f"M,{PLAIN:%d/%m/%Y},{hour % 24:02}:00,1" for hour in range(1, 25)]
    with pytest.raises(GridwatchError, match="line 25, column n: midnight behind the last hour"):
        read(tmp_path, keys, ["m,d,n,v", *lines])
    lines[-1] = f"M,{PLAIN + timedelta(days=1):%d/%m/%Y},00:00,1"
    assert set(values(read(tmp_path, keys, ["m,d,n,v", *lines]))) == set(truth(PLAIN))


def test_mean_power_of_a_day_counts_its_hours(tmp_path: Path) -> None:
    keys = 'interval = "1d"\nunit = "kW"\nstamps = ["%Y-%m-%d"]\n[columns]\nmeter_id = "m"\n'
    keys += 'timestamp = "d"\nconsumption_kwh = "v"\n'
    rows = read(tmp_path, keys, ["m,d,v", *(f"M,{day},1" for day in (SPRING, PLAIN, AUTUMN))])
    assert [row[2] for row in rows] == [23, 24, 25]


@pytest.mark.parametrize(("day", "hours"), [(AUTUMN, 25), (SPRING, 23)])
@pytest.mark.parametrize("by_clock", [True, False], ids=["by the clock", "in order"])
def test_a_day_in_two_files_has_its_energy_or_is_refused(
    day: date, hours: int, by_clock: bool, tmp_path: Path
) -> None:
    """Which way the first part's numbers go does not show before the second one."""
    keys = LONG.format(interval="1h", anchor="start")
    order = range(1, hours + 1)
    clock = sorted([*range(1, 25), 3]) if hours == 25 else [n for n in range(1, 25) if n != 3]
    lines = [
        f"M,{day:%d/%m/%Y},{number},{n}" for n, number in enumerate(clock if by_clock else order, start=1)
    ]
    for cut in range(1, hours):
        tally, found = Tally(), []
        try:
            for part in (lines[:cut], lines[cut:]):
                found += read(tmp_path, keys, ["m,d,n,v", *part], tally)
        except GridwatchError as problem:
            assert "a day on which clocks change, in two files" in str(problem)
            assert problem.remedy == "put the day into one file"
        else:
            assert values(found) == truth(day), cut


@pytest.mark.parametrize(("day", "hours"), [(AUTUMN, 25), (SPRING, 23)])
def test_a_part_of_a_day_is_corrected_by_the_numbers_of_the_whole_one(
    day: date, hours: int, tmp_path: Path
) -> None:
    keys, tally = LONG.format(interval="1h", anchor="start"), Tally()
    numbers = range(1, 26) if hours == 25 else [n for n in range(1, 25) if n != 3]
    lines = [f"M,{day:%d/%m/%Y},{number},{n}" for n, number in enumerate(numbers, start=1)]
    whole = read(tmp_path, keys, ["m,d,n,v", *lines], tally)
    part = read(tmp_path, keys, ["m,d,n,v", *lines[9:12]], tally)
    assert values(part).items() <= values(whole).items()
