"""Values of registers: the energy between two of them; dips, roll-overs, resets; what cannot be is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gridwatch.errors import GridwatchError
from replay.files.job import Selection
from replay.files.profiles import load_custom
from replay.files.reading.reader import read_rows
from replay.files.rows import Row
from replay.files.tally import Tally
from tests.unit.replay.rig import at

KEYS = '[columns]\nmeter_id = "m"\ntimestamp = "t"\nconsumption_kwh = "v"\n'


def read(
    folder: Path,
    *files: list[tuple[str, float]],
    keys: str = "",
    skip_bad: bool = False,
    tally: Tally | None = None,
) -> list[Row]:
    """The rows of files with (clock, value) of one meter on 2024-01-01, read one after the other."""
    toml = folder / "p.toml"
    toml.write_text(f"difference = true\n{keys}\n{KEYS}")
    tally, found = tally or Tally(), []
    for number, values in enumerate(files):
        path = folder / f"{number}.csv"
        lines = [f"M,2024-01-01T{clock}Z,{value}" for clock, value in values]
        path.write_text("\n".join(["m,t,v", *lines]) + "\n")
        for block in read_rows(path, load_custom(toml), "UTC", Selection(), tally, skip_bad=skip_bad):
            found += block
    return found


def flags(row: Row) -> list[str]:
    found: list[str] = json.loads("{" + row[4][1:] + "}").get("flags", []) if row[4] else []
    return found


def brief(rows: list[Row]) -> list[tuple[int, float, int, list[str]]]:
    return [(row[0], row[2], row[3], flags(row)) for row in rows]


def test_the_energy_between_two_values_is_that_of_the_interval_between_them(tmp_path: Path) -> None:
    rows = read(tmp_path, [("10:00", 812.345), ("10:15", 812.445), ("10:30", 812.445), ("10:45", 812.5)])
    assert brief(rows) == [
        (at("10:00"), 0.1, 15, []),
        (at("10:15"), 0.0, 15, []),
        (at("10:30"), 0.055, 15, []),
    ]


def test_a_file_that_runs_backwards_is_the_same(tmp_path: Path) -> None:
    values = [("10:00", 1.0), ("10:15", 1.5), ("10:30", 0.995), ("10:45", 2.0)]
    assert read(tmp_path, values[::-1]) == read(tmp_path, values)


def test_a_value_that_comes_twice_is_one(tmp_path: Path) -> None:
    values = [("10:00", 1.0), ("10:00", 1.0), ("10:15", 1.5), ("10:15", 1.5), ("10:30", 1.6)]
    assert [row[2] for row in read(tmp_path, values)] == [0.5, 0.1]


def test_a_register_goes_on_in_the_next_file(tmp_path: Path) -> None:
    values = [("10:00", 1.0), ("10:15", 1.5), ("10:30", 1.6), ("10:45", 1.8)]
    for cut in (1, 2, 3):
        assert read(tmp_path, values[:cut], values[cut:]) == read(tmp_path, values)
    assert read(tmp_path, values[:3], values[2:]) == read(tmp_path, values)


def test_a_dip_is_no_energy_and_the_base_stays(tmp_path: Path) -> None:
    rows = read(tmp_path, [("10:00", 812.345), ("10:15", 812.344), ("10:30", 812.346)])
    assert brief(rows) == [(at("10:00"), 0.0, 15, ["REGISTER_DIP"]), (at("10:15"), 0.001, 15, [])]


def test_a_register_whose_digits_are_known_rolls_over(tmp_path: Path) -> None:
    rows = read(tmp_path, [("10:00", 99999.5), ("10:15", 0.25)], keys="digits = 5")
    assert brief(rows) == [(at("10:00"), 0.75, 15, ["ROLL_OVER"])]


def test_a_register_in_watt_hours_rolls_over_at_its_own_digits(tmp_path: Path) -> None:
    rows = read(tmp_path, [("10:00", 999990), ("10:15", 20)], keys='digits = 6\nunit = "Wh"')
    assert brief(rows) == [(at("10:00"), 0.03, 15, ["ROLL_OVER"])]


def test_a_small_value_after_a_fall_is_a_reset(tmp_path: Path) -> None:
    rows = read(tmp_path, [("10:00", 8123.4), ("10:15", 0.4), ("10:30", 0.6)])
    assert brief(rows) == [(at("10:00"), 0.4, 15, ["REGISTER_RESET"]), (at("10:15"), 0.2, 15, [])]


@pytest.mark.parametrize(
    ("values", "keys"),
    [
        ([("00:00", 600.0), ("23:00", 590.0)], ""),
        ([("00:00", 600.0), ("23:00", 590.0)], "digits = 3"),
        ([("00:00", 600.0), ("23:00", 590.0)], "digits = 3\nmax_kw = 100"),
        ([("00:00", 600.0), ("23:00", 501.0)], "digits = 3\nmax_kw = 100"),
        ([("00:00", 1234.0), ("23:00", 800.0)], "digits = 3"),
    ],
)
def test_a_fall_by_a_little_is_no_roll_over_and_no_reset(
    values: list[tuple[str, float]], keys: str, tmp_path: Path
) -> None:
    (_, before), (_, after) = values
    with pytest.raises(
        GridwatchError, match=rf"line 3, .*a register that falls from {before:g} to {after:g} kWh: no dip"
    ):
        read(tmp_path, values, keys=keys)


def test_roll_overs_and_resets_are_noted_with_line_and_values(tmp_path: Path) -> None:
    tally = Tally()
    read(tmp_path, [("10:00", 99999.5), ("10:15", 0.25), ("10:30", 0.1)], keys="digits = 5", tally=tally)
    path = tmp_path / "0.csv"
    assert list(tally.notes) == [
        f"{path}, line 3: the register of M falls from 99999.5 to 0.25 kWh: taken as a roll-over, with "
        "0.75 kWh since",
        f"{path}, line 4: the register of M falls from 0.25 to 0.1 kWh: taken as a reset, with 0.1 kWh since",
    ]


def test_many_resets_are_noted_by_their_number(tmp_path: Path) -> None:
    tally = Tally()
    read(tmp_path, [(f"10:{n:02d}", 0.5 * (n % 2)) for n in range(32)], tally=tally)
    assert len(tally.notes) == 11
    assert tally.notes[f"{tmp_path / '0.csv'}: further falls of registers, taken as resets"] == 5


def test_a_fall_that_is_nothing_of_this_is_an_error_with_the_line(tmp_path: Path) -> None:
    values = [("10:00", 8123.4), ("10:15", 5000.0), ("10:30", 5000.5)]
    with pytest.raises(
        GridwatchError, match=r"0.csv, line 3, column v: a register that falls from 8123.4 to 5000"
    ) as raised:
        read(tmp_path, values)
    assert "digits = 5" in str(raised.value)
    tally = Tally()
    assert brief(read(tmp_path, values, skip_bad=True, tally=tally)) == [(at("10:15"), 0.5, 15, [])]
    assert tally.bad.total() == 1


def test_a_rise_beyond_the_most_is_an_error_until_the_next_value_confirms_it(tmp_path: Path) -> None:
    values = [("10:00", 100.0), ("10:15", 900.0), ("10:30", 100.5)]
    with pytest.raises(GridwatchError, match=r"line 3, .*a rise of 800 kWh since 100: more than 10 kW allow"):
        read(tmp_path, values, keys="max_kw = 10")
    rows = read(tmp_path, values, keys="max_kw = 10", skip_bad=True)
    assert brief(rows) == [(at("10:00"), 0.5, 30, [])]
    confirmed = [("10:00", 100.0), ("10:15", 900.0), ("10:30", 900.5)]
    rows = read(tmp_path, confirmed, keys="max_kw = 10", skip_bad=True)
    assert [(row[2], flags(row)) for row in rows] == [(0.5, ["SUSPECT"])]


def test_energy_over_a_gap_comes_before_the_value_that_ends_it(tmp_path: Path) -> None:
    values = [("10:00", 1.0), ("10:15", 1.5), ("11:15", 3.5), ("11:30", 3.6)]
    for keys in ("", 'interval = "15m"'):
        assert brief(read(tmp_path, values, keys=keys)) == [
            (at("10:00"), 0.5, 15, []), (at("11:00"), 2.0, 15, ["GAP_ENERGY"]), (at("11:15"), 0.1, 15, []),
        ]  # fmt: skip


def test_values_out_of_order_and_contradictions_are_errors(tmp_path: Path) -> None:
    with pytest.raises(GridwatchError, match=r"line 4, .*out of order: it turns back in time after line 3"):
        read(tmp_path, [("10:00", 1.0), ("10:30", 1.5), ("10:15", 1.2)])
    with pytest.raises(GridwatchError, match=r"line 3, .*another value for one time: 1.0 in line 2"):
        read(tmp_path, [("10:00", 1.0), ("10:00", 1.5)])


def test_seconds_apart_no_interval_is_given(tmp_path: Path) -> None:
    rows = read(tmp_path, [("10:00:00", 1.0), ("10:00:10", 1.001), ("10:00:20", 1.003)])
    assert [(row[2], row[3]) for row in rows] == [(0.001, 0), (0.002, 0)]


def test_registers_of_several_tariffs_and_directions_in_one_line(tmp_path: Path) -> None:
    toml = tmp_path / "p.toml"
    toml.write_text(
        'difference = true\nmeter_from_file = true\n[columns]\ntimestamp = "t"\n[values]\n'
        '"1.8.1" = "consumption"\n'
        '"1.8.2" = "consumption"\n"2.8.1" = "generation"\n"2.8.2" = "generation night"\n'
    )
    path = tmp_path / "M.csv"
    path.write_text(
        "t,1.8.1,1.8.2,2.8.1,2.8.2\n2024-01-01T10:00Z,1,10,5,7\n2024-01-01T10:15Z,1.5,10.25,5,7.5\n"
        "2024-01-01T10:30Z,,10.5,5,7.5\n2024-01-01T10:45Z,2,10.75,5.5,7.5\n".replace(",,", ",NA,")
    )
    toml.write_text('nulls = ["NA"]\n' + toml.read_text())
    rows = [
        row
        for block in read_rows(path, load_custom(toml), "UTC", Selection(), Tally(), skip_bad=False)
        for row in block
    ]
    found = {(row[1], row[0]): row[2] for row in rows}
    assert found["M", at("10:00")] == 0.75
    assert sum(kwh for (meter, _), kwh in found.items() if meter == "M") == 1.75
    assert sum(kwh for (meter, _), kwh in found.items() if meter == "M-export") == 0.5
    assert sum(kwh for (meter, _), kwh in found.items() if meter == "M-export-night") == 0.5


def test_lines_of_several_tariffs_are_told_apart_before_they_are_added_up(tmp_path: Path) -> None:
    toml = tmp_path / "p.toml"
    toml.write_text(
        "difference = true\n" + KEYS + 'series = "r"\n[series]\nT1 = "consumption"\nT2 = "consumption"\n'
    )
    path = tmp_path / "M.csv"
    lines = ["M,2024-01-01T10:00Z,1,T1", "M,2024-01-01T10:15Z,2,T1", "M,2024-01-01T10:30Z,4,T1"]
    lines += [line.replace(",T1", "00,T2") for line in lines]
    path.write_text("\n".join(["m,t,v,r", *lines]) + "\n")
    blocks = read_rows(path, load_custom(toml), "UTC", Selection(), Tally(), skip_bad=False)
    assert [(row[1], row[2]) for block in blocks for row in block] == [("M", 101.0), ("M", 202.0)]


def test_a_register_that_is_back_after_a_reset_was_not_reset(tmp_path: Path) -> None:
    values = [("10:00", 100.0), ("10:15", 0.0), ("10:30", 102.0), ("10:45", 102.5)]
    with pytest.raises(GridwatchError, match=r"0\.csv, line 4, .* back after it fell .* in line 3") as raised:
        read(tmp_path, values)
    assert raised.value.remedy.startswith("take line 3 out")
    rows = read(tmp_path, values, skip_bad=True)
    assert [row[2] for row in rows] == [0.0, 0.5]


def test_a_register_that_counts_on_after_a_reset_was_reset(tmp_path: Path) -> None:
    rows = read(tmp_path, [("10:00", 1.0), ("10:15", 0.2), ("10:30", 1.1), ("10:45", 1.3)])
    assert [row[2] for row in rows] == [0.2, 0.9, 0.2]
