"""Sums of tariffs that a later row would replace by a part, hours named by their ends, units in headers."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from gridwatch.errors import GridwatchError, UsageProblem
from replay.files.job import Selection
from replay.files.profile import Profile
from replay.files.profiles import PROFILES, load_custom
from replay.files.reading.reader import read_rows
from replay.files.rows import Row
from replay.files.tally import Tally

TARIFFS = (
    'interval = "1h"\n{keys}[columns]\nmeter_id = "m"\ntimestamp = "t"\nconsumption_kwh = "v"\nseries = "s"\n'
    '[series]\nHT = "consumption"\nNT = "consumption"\n'
)
UNITS = 'interval = "15m"\n{keys}[columns]\nmeter_id = "m"\ntimestamp = "t"\nconsumption_kwh = "{header}"\n'
REGISTERS = TARIFFS.format(keys="difference = true\n")
SUMS = TARIFFS.format(keys="")
HOURS = "zone = 'Europe/Madrid'\ninterval = '{step}m'\nanchor = 'end'\n[columns]\n" + (
    "meter_id = 'm'\ntimestamp = 'd'\nslot = 'n'\nconsumption_kwh = 'v'\n"
)


def custom(folder: Path, toml: str) -> Profile:
    path = folder / "p.toml"
    path.write_text(toml)
    return load_custom(path)


def read(file: Path, profile: Profile, tally: Tally | None = None, **chosen: object) -> list[Row]:
    skip_bad = bool(chosen.pop("skip_bad", False))
    selection = Selection(**chosen)  # type: ignore[arg-type]
    blocks = read_rows(file, profile, "UTC", selection, tally or Tally(), skip_bad=skip_bad)
    return [row for block in blocks for row in block]


def rows_file(folder: Path, name: str, *rows: str, meter: str = "A") -> Path:
    """Rows such as `00 HT 1`: hour, tariff, value."""
    lines = []
    for row in rows:
        hour, tariff, value = row.split()
        lines.append(f"{meter},2024-06-01T{hour}:00Z,{value},{tariff}\n")
    path = folder / name
    path.write_text("m,t,v,s\n" + "".join(lines))
    return path


def stands(rows: list[Row]) -> list[float]:
    """What stands of each time, in order."""
    return [kwh for _, kwh in sorted({row[0]: row[2] for row in rows}.items())]


@pytest.mark.parametrize("between", [(), ("01 HT 1", "02 HT 1", "03 HT 1", "04 HT 1", "05 HT 1", "06 HT 1")])
def test_a_second_value_of_one_tariff_does_not_replace_the_sum(
    between: tuple[str, ...], tmp_path: Path
) -> None:
    file = rows_file(tmp_path, "a.csv", "00 HT 1", "00 NT 2", *between, "00 HT 4")
    line = 4 + len(between)
    with pytest.raises(GridwatchError, match=rf"a.csv, line {line}, column s: a second value .* with NT\. "):
        read(file, custom(tmp_path, SUMS))
    tally = Tally()
    assert stands(read(file, custom(tmp_path, SUMS), tally, skip_bad=True))[0] == 3
    assert tally.bad.total() == 1


def test_a_tariff_is_corrected_before_the_other_one_comes(tmp_path: Path) -> None:
    file = rows_file(tmp_path, "a.csv", "00 HT 1", "00 HT 4", "00 NT 2", "01 NT 5", "01 NT 6")
    assert stands(read(file, custom(tmp_path, SUMS))) == [6, 6]


def test_tariffs_in_two_files_are_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    profile, tally = custom(tmp_path, SUMS), Tally()
    read(rows_file(tmp_path, "ht.csv", "00 HT 1", "01 HT 2"), profile, tally)
    with pytest.raises(GridwatchError, match=r"nt.csv, line 2, column s: .* the sum of HT.* in one file"):
        read(rows_file(tmp_path, "nt.csv", "00 NT 4", "01 NT 8"), profile, tally)


def test_every_pass_over_the_files_starts_afresh(tmp_path: Path) -> None:
    profile = custom(tmp_path, SUMS)
    first = rows_file(tmp_path, "1.csv", "00 HT 1", "00 NT 2")
    second = rows_file(tmp_path, "2.csv", "01 NT 1")
    for _ in range(2):
        tally = Tally()
        assert stands([*read(second, profile, tally), *read(first, profile, tally)]) == [3, 1]


def test_a_later_file_with_all_tariffs_of_a_time_replaces_its_sum(tmp_path: Path) -> None:
    profile, tally = custom(tmp_path, SUMS), Tally()
    first = read(rows_file(tmp_path, "1.csv", "00 HT 1", "00 NT 2", "01 NT 3"), profile, tally)
    second = read(rows_file(tmp_path, "2.csv", "00 HT 4", "00 NT 2", "02 HT 5"), profile, tally)
    assert stands([*first, *second]) == [6, 3, 5]


def test_a_later_file_that_lacks_a_tariff_of_a_time_is_an_error(tmp_path: Path) -> None:
    profile, tally = custom(tmp_path, SUMS), Tally()
    read(rows_file(tmp_path, "1.csv", "00 HT 1", "00 NT 2"), profile, tally)
    with pytest.raises(GridwatchError, match=r"2.csv, line 3, column s: .* sum of HT, NT, .*found: 'HT'"):
        read(rows_file(tmp_path, "2.csv", "01 HT 4", "00 HT 4"), profile, tally)


def test_tariffs_of_different_times_or_meters_lie_in_files_of_their_own(tmp_path: Path) -> None:
    profile, tally = custom(tmp_path, SUMS), Tally()
    rows = read(rows_file(tmp_path, "ht.csv", "00 HT 1", "02 HT 2"), profile, tally)
    rows += read(rows_file(tmp_path, "nt.csv", "01 NT 4", "03 NT 8"), profile, tally)
    assert stands(rows) == [1, 4, 2, 8]
    assert len(read(rows_file(tmp_path, "b.csv", "00 NT 4", meter="B"), profile, tally)) == 1


def test_rows_that_are_not_selected_replace_nothing(tmp_path: Path) -> None:
    profile, tally = custom(tmp_path, SUMS), Tally()
    for name, tariff in (("ht.csv", "HT"), ("nt.csv", "NT")):
        assert read(rows_file(tmp_path, name, f"00 {tariff} 1"), profile, tally, meters="B*") == []
        assert read(rows_file(tmp_path, name, f"00 {tariff} 1"), profile, tally, end=1) == []


def test_registers_of_tariffs_in_two_files_are_an_error(tmp_path: Path) -> None:
    profile, tally = custom(tmp_path, REGISTERS), Tally()
    both = rows_file(tmp_path, "1.csv", "00 HT 10", "00 NT 20", "01 HT 11", "01 NT 22")
    assert stands(read(both, profile, tally)) == [3]
    later = rows_file(tmp_path, "2.csv", "02 HT 12", "02 NT 24", "03 HT 13", "03 NT 24.5")
    assert stands(read(later, profile, tally)) == [3, 1.5]
    alone = rows_file(tmp_path, "3.csv", "00 NT 20", "01 NT 22", "02 NT 24")
    with pytest.raises(GridwatchError, match=r"3.csv, line 4, column s: .* sum of HT, NT, .*found: 'NT'"):
        read(alone, profile, tally)
    assert read(alone, profile, tally, skip_bad=True) == []


def test_values_between_stamps_that_go_both_ways_are_told_apart_by_meter(tmp_path: Path) -> None:
    keys = 'negative = "generation"\n' + TARIFFS.format(keys="").replace('"1h"', '"stamps"')
    profile, tally = custom(tmp_path, keys), Tally()
    found = read(rows_file(tmp_path, "ht.csv", "00 HT 1", "01 HT -2", "02 HT 3"), profile, tally)
    assert {row[1] for row in found} == {"A", "A-export"}
    with pytest.raises(GridwatchError, match=r"nt.csv, line 3, column s: another file"):
        read(rows_file(tmp_path, "nt.csv", "00 NT 4", "01 NT -8"), profile, tally)


def test_tariffs_of_days_in_lines_need_meters_of_their_own(tmp_path: Path) -> None:
    keys = (
        'shape = "day"\ncells = "v.*"\n[columns]\nmeter_id = "m"\ntimestamp = "d"\nseries = "s"\n[series]\n'
    )
    with pytest.raises(UsageProblem, match=r'series: .*shape day.* NT = "consumption night"'):
        custom(tmp_path, keys + 'HT = "consumption"\nNT = "consumption"\n')
    assert not custom(tmp_path, keys + 'HT = "consumption"\nNT = "consumption night"\n').add_up


def hours(folder: Path, *numbers: object) -> Path:
    path = folder / "h.csv"
    rows = (f"A,{date(2024, 10, 27)},{number},{at}\n" for at, number in enumerate(numbers, 1))
    path.write_text("m,d,n,v\n" + "".join(rows))
    return path


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("step", [60, 30, 15])
def test_ends_by_the_clock_are_refused_as_numbers_on_the_day_that_the_clocks_go_back(
    step: int, order: int, tmp_path: Path
) -> None:
    ends = [*range(step, 179, step), *range(120, 1441, step)]  # 02:00 again, after the last end before 03:00
    assert len(ends) * step == 25 * 60
    clocks = [f"{end // 60:02d}:{end % 60:02d}" for end in ends]
    profile = custom(tmp_path, HOURS.format(step=step))
    number, last = 120 // step, 180 // step
    with pytest.raises(
        GridwatchError, match=rf"column n: numbers of ends .* {number} comes twice and {last} "
    ):
        read(hours(tmp_path, *clocks[::order]), profile)
    tally = Tally()
    assert read(hours(tmp_path, *clocks), profile, tally, skip_bad=True) == []
    assert tally.bad.total() == 1


def test_the_repeated_hour_that_comes_twice_is_none_of_ends(tmp_path: Path) -> None:
    profile = custom(tmp_path, HOURS.format(step=60))
    rows = read(hours(tmp_path, 1, 2, 3, 3, *range(4, 25)), profile)
    assert len({row[0] for row in rows}) == 25


def test_datadis_refuses_ends_by_the_clock(tmp_path: Path) -> None:
    clocks = [1, 2, 2, *range(3, 25)]
    path = tmp_path / "d.csv"
    rows = (f"ES1,2024/10/27,{hour:02d}:00,0.{at},Real\n" for at, hour in enumerate(clocks, 1))
    path.write_text("cups,fecha,hora,consumo_kWh,metodoObtencion\n" + "".join(rows))
    with pytest.raises(GridwatchError, match=r"d.csv, line 4, column hora: numbers of ends"):
        read(path, PROFILES["datadis"])


def value_file(folder: Path, header: str) -> Path:
    path = folder / "u.csv"
    path.write_text(f"m;t;{header}\nA;2024-06-01T00:00Z;5\n")
    return path


@pytest.mark.parametrize(
    ("header", "unit"),
    [
        ("Energy [Wh]", "Wh"),
        ("Wirkleistung (kW)", "kW"),
        ("P (W)", "W"),
        ("energy ( mwh )", "MWh"),
        ("Verbrauch in MWh", "MWh"),
        ("wh", "Wh"),
        ("Leistung W", "W"),
    ],
)
def test_a_header_that_says_another_unit_needs_a_unit_in_the_profile(
    header: str, unit: str, tmp_path: Path
) -> None:
    file = value_file(tmp_path, header)
    with pytest.raises(GridwatchError) as raised:
        read(file, custom(tmp_path, UNITS.format(header=header, keys="")))
    assert f"u.csv, line 1, column {header}: the header says {unit}," in str(raised.value)
    assert raised.value.remedy is not None
    assert f'unit = "{unit}"' in raised.value.remedy
    for key in (f'unit = "{unit}"\n', 'unit = "kWh"\n', "multiply = 0.001\n"):
        assert len(read(file, custom(tmp_path, UNITS.format(header=header, keys=key)))) == 1


@pytest.mark.parametrize(
    "header",
    ["Energy (kWh)", "KWH", "Value (m3)", "Value", "load_kW", "Wh since midnight", "Löw", "(kW) old", "w"],
)
def test_headers_that_end_in_kwh_or_no_unit_are_read_as_kwh(header: str, tmp_path: Path) -> None:
    rows = read(value_file(tmp_path, header), custom(tmp_path, UNITS.format(header=header, keys="")))
    assert [row[2] for row in rows] == [5]


def test_columns_of_values_and_of_meters_say_their_unit_too(tmp_path: Path) -> None:
    file = tmp_path / "u.csv"
    file.write_text("m,t,Import Wh\nA,2024-06-01T00:00Z,5\n")
    toml = '[columns]\nmeter_id = "m"\ntimestamp = "t"\n[values]\n"Import Wh" = "consumption"\n'
    with pytest.raises(GridwatchError, match="column Import Wh: the header says Wh"):
        read(file, custom(tmp_path, toml))
    across = 'shape = "meters"\ninterval = "15m"\ncells = "House.*"\n[columns]\ntimestamp = "t"\n'
    file.write_text("t,House 1 (Wh)\n2024-06-01T00:00Z,5\n")
    with pytest.raises(GridwatchError, match=r"column House 1 \(Wh\): the header says Wh"):
        read(file, custom(tmp_path, across))
    file.write_text("t,House E,House W\n2024-06-01T00:00Z,5,6\n")
    assert [row[1] for row in read(file, custom(tmp_path, across))] == ["House E", "House W"]
