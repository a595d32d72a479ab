"""A profile of one's own: three shapes, and what a wrong key says."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridwatch.cli import run
from gridwatch.errors import GridwatchError, UsageProblem
from replay.files.job import Selection
from replay.files.profiles import load_custom
from replay.files.reading.reader import read_rows
from replay.files.rows import Row
from replay.files.tally import Tally
from tests.unit.replay.rig import at

LONG = """
delimiter = ";"
decimal = ","
unit = "kW"
interval = "15m"
anchor = "end"
zone = "Europe/Berlin"
stamps = ["%d.%m.%Y %H:%M"]
nulls = ["-"]
multiply = 40
[columns]
meter_id = ["Zähler", "Meter"]
timestamp = "Zeit"
consumption_kwh = "Wert"
"""
MINIMAL = '[columns]\nmeter_id = "m"\ntimestamp = "t"\nconsumption_kwh = "v"\n'


def profile_file(folder: Path, text: str) -> Path:
    path = folder / "profile.toml"
    path.write_text(text, encoding="utf-8")
    return path


def read(folder: Path, toml: str, text: str) -> list[Row]:
    path = folder / "M7.csv"
    path.write_text(text, encoding="utf-8")
    profile = load_custom(profile_file(folder, toml))
    blocks = read_rows(path, profile, "UTC", Selection(), Tally(), skip_bad=False)
    return [row for block in blocks for row in block]


def test_a_long_file_of_power_in_local_time_behind_a_transformer(tmp_path: Path) -> None:
    text = "Zähler;Zeit;Wert\nA;01.01.2024 11:15;0,5\nA;01.01.2024 11:30;-\n"
    assert read(tmp_path, LONG, text) == [(at("10:00"), "A", 5.0, 15, ',"interval_minutes":15')]


@pytest.mark.parametrize("shape", ["long", "day"])
def test_a_column_may_say_which_way_a_value_flowed(shape: str, tmp_path: Path) -> None:
    toml = '[series]\nIn = "consumption"\nOut = "generation"\n'
    toml += '[columns]\nseries = "d"\nmeter_id = "m"\ntimestamp = "t"\n'
    if shape == "long":
        toml += 'consumption_kwh = "v"\n'
        text = "m,t,d,v\nA,2024-01-01T10:00Z,In,1\nA,2024-01-01T10:00Z,Out,2\nA,2024-01-01T10:00Z,kvar,3\n"
    else:
        toml = 'shape = "day"\ncells = "v"\n' + toml
        text = "m,t,d,v\nA,2024-01-01,In,1\nA,2024-01-01,Out,2\nA,2024-01-01,kvar,3\n"
    assert [(row[1], row[2]) for row in read(tmp_path, toml, text)] == [("A", 1.0), ("A-export", 2.0)]


def test_profiles_that_differ_anywhere_are_different_ones(tmp_path: Path) -> None:
    texts = [MINIMAL, "skip_lines = 1\n" + MINIMAL, "nulls = ['-']\n" + MINIMAL]
    found = {load_custom(profile_file(tmp_path, text)).fingerprint for text in texts}
    assert len(found) == 3


def test_lines_before_the_header_are_passed_over(tmp_path: Path) -> None:
    rows = read(tmp_path, "skip_lines = 2\n" + MINIMAL, "Export, of today\n\nm,t,v\nA,2024-01-01T10:00Z,1\n")
    assert rows == [(at("10:00"), "A", 1.0, 0, "")]


def test_a_file_without_header_has_that_of_the_profile(tmp_path: Path) -> None:
    toml = 'headers = ["v", "m", "t"]\n' + MINIMAL
    assert read(tmp_path, toml, "1;A;2024-01-01T10:00Z\n") == [(at("10:00"), "A", 1.0, 0, "")]
    with pytest.raises(GridwatchError, match="line 1: no column meter_id"):
        read(tmp_path, toml, "1;A\n")


def test_a_day_a_line(tmp_path: Path) -> None:
    toml = 'shape = "day"\ncells = "v[0-9]+"\n[columns]\nmeter_id = "m"\ntimestamp = "d"\n'
    rows = read(tmp_path, toml, "m,d,v0,v1,v2\nA,2024-01-01,1,2,3\n")
    assert [(row[0], row[2], row[3]) for row in rows] == [
        (at("00:00"), 1.0, 480), (at("08:00"), 2.0, 480), (at("16:00"), 3.0, 480),
    ]  # fmt: skip


def test_a_column_a_meter(tmp_path: Path) -> None:
    toml = 'shape = "meters"\ncells = "M.*"\ninterval = "1h"\nunit = "Wh"\n[columns]\ntimestamp = "t"\n'
    rows = read(tmp_path, toml, "t,M1,M2,else\n2024-01-01 10:00,1500,1,x\n")
    assert [(row[1], row[2]) for row in rows] == [("M1", 1.5), ("M2", 0.001)]


def test_a_file_is_its_meter(tmp_path: Path) -> None:
    toml = 'meter_from_file = true\n[columns]\ntimestamp = "t"\nconsumption_kwh = "v"\n'
    assert read(tmp_path, toml, "t,v\n2024-01-01 10:00,1\n")[0][1] == "M7"


@pytest.mark.parametrize(
    ("toml", "part"),
    [
        ("shape = 'round'\n" + MINIMAL, "shape: 'round' is none of long, day, meters"),
        ("colour = 'red'\n" + MINIMAL, "colour: no such key"),
        ("unit = 'kVA'\n" + MINIMAL, "unit: 'kVA' is none of kWh"),
        ("unit = 'kW'\n" + MINIMAL, "interval: needed with unit = 'kW'"),
        ("anchor = 'end'\n" + MINIMAL, "interval: needed with anchor = 'end'"),
        ("zone = 'Mars/Base'\n" + MINIMAL, "zone: 'Mars/Base'"),
        ("interval = '2d'\n" + MINIMAL, "interval: write a whole number of seconds"),
        ("interval = 'soon'\n" + MINIMAL, "from 1s to 24h, 1d or 1mo (of the zone), or stamps"),
        ("multiply = 'x'\n" + MINIMAL, "multiply: not a number"),
        ("multiply = 0\n" + MINIMAL, "multiply: 0"),
        ("[series]\nIn = 'up'\n" + MINIMAL, "series: not a table of texts and consumption or generation"),
        ("[series]\nIn = 'consumption'\n" + MINIMAL, "series: a table of its texts and a column"),
        ("skip_lines = 'two'\n" + MINIMAL, "skip_lines: not a number of lines"),
        ("decimal = ';'\n" + MINIMAL, "decimal: ';'"),
        ("delimiter = ',,'\n" + MINIMAL, "delimiter: ',,'"),
        ("nulls = 'NA'\n" + MINIMAL, "nulls: not a list of texts"),
        ("shape = 'day'\n" + MINIMAL, "cells: missing"),
        ("shape = 'day'\ncells = '('\n" + MINIMAL, "cells: not a regular expression"),
        ("[columns]\ntimestamp = 't'\n", "columns.meter_id: missing"),
        ("columns = 3\n", "columns: not a table"),
        ("[columns]\ncolour = 'c'\n", "columns.colour: no field"),
        ("unit = ", "not TOML"),
    ],
)
def test_a_wrong_key_is_named_with_what_is_allowed(toml: str, part: str, tmp_path: Path) -> None:
    with pytest.raises(UsageProblem) as raised:
        load_custom(profile_file(tmp_path, toml))
    assert part in str(raised.value)
    assert "profile.toml" in str(raised.value)


def test_custom_goes_with_its_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.csv"
    path.write_text("t;m;v\n2024-01-01T10:00Z;A;1\n")
    assert run(["replay", str(path), "--dry-run", "--profile", "custom"]) == 2
    assert "--profile-file" in capsys.readouterr().err
    toml = str(profile_file(tmp_path, MINIMAL))
    assert run(["replay", str(path), "--dry-run", "--profile", "custom", "--profile-file", toml]) == 0
    assert "1 readings of 1 meters" in capsys.readouterr().out
    assert run(["replay", str(path), "--profile", "custom", "--profile-file", str(tmp_path / "none")]) == 2
