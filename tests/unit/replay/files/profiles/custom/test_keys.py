"""Keys of a profile of one's own, one by one: what is read with each, and what a wrong one says."""

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
from tests.unit.replay.rig import MINUTE, at

MINIMAL = '[columns]\nmeter_id = "m"\ntimestamp = "t"\nconsumption_kwh = "v"\n'
DAYS, HOURS = ',"interval":"1d","timezone":"Europe/Berlin"', ',"interval_minutes":1440'
FROM_FILE = 'meter_from_file = true\n[columns]\ntimestamp = "t"\nconsumption_kwh = "v"\n'


def profile_file(folder: Path, text: str) -> Path:
    path = folder / "profile.toml"
    path.write_text(text, encoding="utf-8")
    return path


def read(folder: Path, toml: str, text: str | bytes, tally: Tally | None = None) -> list[Row]:
    path = folder / "M7.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    profile = load_custom(profile_file(folder, toml))
    blocks = read_rows(path, profile, "UTC", Selection(), tally or Tally(), skip_bad=False)
    return [row for block in blocks for row in block]


def brief(rows: list[Row]) -> list[tuple[str, int, float]]:
    return [(row[1], row[0], row[2]) for row in rows]


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "utf-16-le", "utf-16-be", "utf-8", "cp850"])
def test_an_encoding_is_named(encoding: str, tmp_path: Path) -> None:
    toml = f'encoding = "{encoding}"\n' + MINIMAL.replace('"m"', '"Zähler"')
    text = "Zähler;t;v\nÜ1;2024-01-01T10:00Z;0,5\n".encode(encoding)
    assert brief(read(tmp_path, toml, text)) == [("Ü1", at("10:00"), 0.5)]


def test_a_mark_at_the_start_is_believed_more_than_the_profile(tmp_path: Path) -> None:
    toml = 'encoding = "cp1252"\n' + MINIMAL
    for encoding in ("utf-8-sig", "utf-16"):
        rows = read(tmp_path, toml, "m;t;v\nÜ1;2024-01-01T10:00Z;1\n".encode(encoding))
        assert rows[0][1] == "Ü1"


def test_bytes_that_the_encoding_has_not_name_the_line(tmp_path: Path) -> None:
    toml = 'encoding = "cp1252"\n' + MINIMAL
    with pytest.raises(GridwatchError, match=r"M7.csv, line 2: not cp1252: byte 0x81"):
        read(tmp_path, toml, b"m;t;v\n\x81;2024-01-01T10:00Z;1\n")
    many = b"m;t;v\n" + b"M;2024-01-01T10:00Z;1\n" * 20_000
    with pytest.raises(GridwatchError, match=r"after line \d+: not cp1252 to the end"):
        read(tmp_path, toml, many + b"\x81;2024-01-01T10:00Z;1\n")


@pytest.mark.parametrize("name", ["nonsense", "rot13", "base64", "cp1252\0"])
def test_what_is_no_encoding_is_told(name: str, tmp_path: Path) -> None:
    quoted = name.replace("\0", "\\u0000")
    with pytest.raises(UsageProblem, match=r"encoding: .* is no encoding such as cp1252"):
        load_custom(profile_file(tmp_path, f'encoding = "{quoted}"\n' + MINIMAL))


def test_texts_of_a_series_that_are_not_in_the_encoding_are_an_error(tmp_path: Path) -> None:
    toml = MINIMAL + 'series = "s"\n[series]\n"Für" = "consumption"\n'
    with pytest.raises(
        GridwatchError, match=r"line 2, column s: has control characters, or is not in the encoding"
    ):
        read(tmp_path, toml, "m;t;v;s\nM;2024-01-01T10:00Z;1;Für\n".encode("cp1252"))


def test_texts_that_are_no_series_are_left_out_by_name(tmp_path: Path) -> None:
    toml = MINIMAL + 'series = "s"\n[series]\nIn = "consumption"\n'
    tally = Tally()
    rows = read(tmp_path, toml, "m,t,v,s\nM,2024-01-01T10:00Z,1,In\nM,2024-01-01T10:00Z,1,Inn\n", tally)
    assert len(rows) == 1
    assert tally.notes["series left out: 'Inn'"] == 1
    assert tally.other_series == 1


@pytest.mark.parametrize(
    ("form", "texts"),
    [
        (
            "%d.%m.%Y %H:%M %z",
            ["01.01.2024 12:00 +0200", "01.01.2024 10:00 +0000", "01.01.2024 05:00 -05:00"],
        ),
        ("%Y%m%dT%H%M%S%z", ["20240101T100000Z", "20240101T120000+0200"]),
        ("%d.%m.%Y %H:%M %Z", ["01.01.2024 11:00 CET", "01.01.2024 11:00 cet"]),
        ("%Y-%m-%d %I:%M %p", ["2024-01-01 11:00 AM"]),
        ("RFC 3339", ["2024-01-01 11:00 +0100", "2024-01-01T10:00:00 Z"]),
    ],
)
def test_stamps_say_their_offset_in_many_ways(form: str, texts: list[str], tmp_path: Path) -> None:
    for text in texts:
        toml = f'zone = "Europe/Berlin"\nstamps = ["{form}"]\n' + MINIMAL
        assert [row[0] for row in read(tmp_path, toml, f"m,t,v\nM,{text},1\n")] == [at("10:00")]


def test_names_of_offsets_tell_the_repeated_hour_apart(tmp_path: Path) -> None:
    toml = 'zone = "Europe/Berlin"\nstamps = ["%Y-%m-%d %H:%M %Z"]\n' + MINIMAL
    text = "m,t,v\nM,2024-10-27 02:00 CET,2\nM,2024-10-27 02:00 CEST,1\n"
    late, early = read(tmp_path, toml, text)
    assert late[0] - early[0] == 60 * MINUTE
    with pytest.raises(GridwatchError, match="Europe/Berlin does not call itself EST then"):
        read(tmp_path, toml, "m,t,v\nM,2024-10-27 02:00 EST,2\n")


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("%d.%m.%Y %H:%M", "31.12.2023 24:00"),
        ("%Y-%m-%d %H:%M:%S", "2023-12-31 24:00:00"),
        ("%Y%m%d%H%M", "202312312400"),
        ("%Y-%m-%d %H.%M", "2023-12-31 24.00"),
        ("RFC 3339", "2023-12-31T24:00:00"),
        ("RFC 3339", "2023-12-31T24:00Z"),
    ],
)
def test_24_00_is_the_next_midnight(form: str, text: str, tmp_path: Path) -> None:
    assert read(tmp_path, f'stamps = ["{form}"]\n' + MINIMAL, f"m,t,v\nM,{text},1\n")[0][0] == at("00:00")


@pytest.mark.parametrize("text", ["2023-12-31 24:30", "2023-12-31 25:00", "2024-02-30 24:00"])
def test_other_hours_beyond_the_day_are_no_time(text: str, tmp_path: Path) -> None:
    with pytest.raises(GridwatchError, match="line 2, column t: not a time"):
        read(tmp_path, 'stamps = ["%Y-%m-%d %H:%M"]\n' + MINIMAL, f"m,t,v\nM,{text},1\n")


@pytest.mark.parametrize(
    ("span", "form", "text"),
    [
        (" - ", "%d.%m.%Y %H:%M", "01.01.2024 10:00 - 01.01.2024 10:15"),
        ("-", "%d.%m.%Y %H:%M", "01.01.2024 10:00-10:15"),
        ("-", "%Y-%m-%d %H:%M", "2024-01-01 10:00-2024-01-01 10:15"),
        (" to ", "%Y-%m-%d %H:%M:%S", "2024-01-01 10:00:00\xa0to 2024-01-01 10:15:00"),
        ("/", "RFC 3339", "2024-01-01T10:00Z/2024-01-01T10:15Z"),
    ],
)
def test_a_cell_says_from_when_until_when(span: str, form: str, text: str, tmp_path: Path) -> None:
    rows = read(tmp_path, f'span = "{span}"\nstamps = ["{form}"]\n' + MINIMAL, f"m;t;v\nM;{text};1\n")
    assert [(row[0], row[3]) for row in rows] == [(at("10:00"), 15)]


def test_an_interval_until_midnight_ends_with_its_day(tmp_path: Path) -> None:
    toml = 'span = "-"\nstamps = ["%d.%m.%Y %H:%M"]\n' + FROM_FILE.replace('"t"', '["d", "t"]')
    for end in ("00:00", "24:00"):
        rows = read(tmp_path, toml, f"d;t;v\n01.01.2024;23:45-{end};1\n")
        assert [(row[0], row[3]) for row in rows] == [(at("23:45"), 15)]
    with pytest.raises(GridwatchError, match="the end of an interval lies before its start"):
        read(tmp_path, toml, "d;t;v\n01.01.2024;23:45-23:30;1\n")
    with pytest.raises(GridwatchError, match="not two stamps with '-' between them"):
        read(tmp_path, toml, "d;t;v\n01.01.2024;23:45;1\n")


def test_a_row_without_a_value_has_its_place_in_the_repeated_hour(tmp_path: Path) -> None:
    lines = [("01:45", "1"), ("02:00", ""), ("02:00", "2"), ("02:30", "3"), ("02:30", "4"), ("03:00", "5")]
    text = "".join(f"M,2024-10-27 {clock},{value}\n" for clock, value in lines)
    for more in ("", 'negative = "generation"\n'):
        toml = 'zone = "Europe/Berlin"\nnulls = [""]\n' + more + MINIMAL
        rows = {row[2]: row[0] for row in read(tmp_path, toml, "m,t,v\n" + text)}
        assert [(rows[value] - rows[1.0]) // MINUTE for value in (2.0, 3.0, 4.0, 5.0)] == [75, 45, 105, 135]


def test_a_value_below_zero_was_fed_in(tmp_path: Path) -> None:
    toml = 'negative = "generation"\n' + MINIMAL
    lines = [f"{meter},2024-01-01T1{n}:00Z,{value}" for meter in "AB" for n, value in enumerate((1, -2, 3))]
    text = "\n".join(["m,t,v", *lines]).replace("B,2024-01-01T11:00Z,-2", "B,2024-01-01T11:00Z,2")
    assert brief(read(tmp_path, toml, text)) == [
        ("A", at("10:00"), 1.0), ("A", at("11:00"), 0.0), ("A-export", at("11:00"), 2.0),
        ("A", at("12:00"), 3.0),
        ("A-export", at("12:00"), 0.0), ("B", at("10:00"), 1.0), ("B", at("11:00"), 2.0),
        ("B", at("12:00"), 3.0),
    ]  # fmt: skip


def test_the_header_is_looked_for_below_other_lines(tmp_path: Path) -> None:
    above = 'Customer,"A, B"\n\n"an 8"" pipe\n' + "x,y,z\n" * 20
    assert len(read(tmp_path, MINIMAL, above + "m,t,v\nA,2024-01-01T10:00Z,1\n")) == 1
    with pytest.raises(GridwatchError, match="line 3: no column meter_id") as raised:
        read(tmp_path, "skip_lines = 2\n" + MINIMAL, "a\nb\nc\nm,t,v\nA,2024-01-01T10:00Z,1\n")
    assert "line 4 looks like the header: skip_lines = 3" in str(raised.value)
    with pytest.raises(GridwatchError, match=r"M7.csv, line 25, column v: not a number"):
        read(tmp_path, MINIMAL, above + "m,t,v\nA,2024-01-01T10:00Z,x\n")


def test_two_columns_that_stand_for_one_field_are_an_error(tmp_path: Path) -> None:
    toml = MINIMAL.replace('"v"', '["v", "w"]')
    assert len(read(tmp_path, toml, "m,t,w\nA,2024-01-01T10:00Z,1\n")) == 1
    with pytest.raises(GridwatchError, match="two columns for consumption_kwh, v and w: name one"):
        read(tmp_path, toml, "m,t,v,w\nA,2024-01-01T10:00Z,1,2\n")
    with pytest.raises(GridwatchError, match="two columns for consumption_kwh, v and v: name one"):
        read(tmp_path, toml, "m,t,v,v\nA,2024-01-01T10:00Z,1,2\n")


@pytest.mark.parametrize("separator", ["sep=;", '"sep=;"', "SEP=;", "sep=;;;"])
def test_a_line_names_the_delimiter(separator: str, tmp_path: Path) -> None:
    rows = read(tmp_path, MINIMAL, f"{separator}\r\nm;t;v\r\nA;2024-01-01T10:00Z;0,5\r\n")
    assert brief(rows) == [("A", at("10:00"), 0.5)]
    with pytest.raises(GridwatchError, match="line 3, column v"):
        read(tmp_path, MINIMAL, f"{separator}\r\nm;t;v\r\nA;2024-01-01T10:00Z;x\r\n")


def test_cells_wrapped_against_spreadsheets_are_unwrapped_everywhere(tmp_path: Path) -> None:
    text = '="m";t;v\n="0012";="2024-01-01T10:00Z";="0,5"\n'
    assert brief(read(tmp_path, MINIMAL, text)) == [("0012", at("10:00"), 0.5)]


def test_an_id_that_a_spreadsheet_rounded_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(GridwatchError, match="column m: a number that a spreadsheet rounded"):
        read(tmp_path, MINIMAL, "m;t;v\n5,41E+17;2024-01-01T10:00Z;1\n")


def test_a_unit_may_stand_in_a_column(tmp_path: Path) -> None:
    toml = 'interval = "30m"\n' + MINIMAL + 'unit = "u"\n'
    lines = [
        "A,2024-01-01T10:00Z,1,kWh",
        "B,2024-01-01T10:00Z,1,WH",
        "C,2024-01-01T10:00Z,1,kW",
        "D,2024-01-01T10:00Z,1,m3",
    ]
    tally = Tally()
    rows = read(tmp_path, toml, "\n".join(["m,t,v,u", *lines]), tally)
    assert [(row[1], row[2]) for row in rows] == [("A", 1.0), ("B", 0.001), ("C", 0.5)]
    assert tally.notes["values in m3 are no energy: left out"] == 1
    with pytest.raises(GridwatchError, match="line 2, column v: power, and no interval is known"):
        read(tmp_path, MINIMAL + 'unit = "u"\n', "m,t,v,u\nC,2024-01-01T10:00Z,1,kW\n")


def test_series_may_have_a_name_of_their_own(tmp_path: Path) -> None:
    toml = (
        MINIMAL
        + 'series = "s"\n[series]\nD = "consumption"\nN = "consumption night"\nE = "generation night"\n'
    )
    lines = [f"A,2024-01-01T10:00Z,{n},{text}" for n, text in enumerate("DNE", 1)]
    assert [(row[1], row[2]) for row in read(tmp_path, toml, "\n".join(["m,t,v,s", *lines]))] == [
        ("A", 1.0), ("A-night", 2.0), ("A-export-night", 3.0),
    ]  # fmt: skip


def test_tariffs_that_come_apart_in_time_are_an_error_not_a_revision(tmp_path: Path) -> None:
    toml = MINIMAL + 'series = "s"\n[series]\nD = "consumption"\nN = "consumption"\n'
    times = [f"2024-01-01T1{n}:00Z" for n in range(8)]
    lines = [f"A,{time},1,{text}" for text in "DN" for time in times]
    with pytest.raises(
        GridwatchError, match=r"line 10, .*a second tariff of a time that other times have followed"
    ):
        read(tmp_path, toml, "\n".join(["m,t,v,s", *lines]))
    lines = [f"A,{time},1,{text}" for time in times for text in "DN"]
    assert [row[2] for row in read(tmp_path, toml, "\n".join(["m,t,v,s", *lines]))] == [2.0] * 8


@pytest.mark.parametrize(
    ("toml", "part"),
    [
        ("difference = 'yes'\n" + MINIMAL, "difference: neither true nor false"),
        ("digits = 5\n" + MINIMAL, "digits: does not go with values without difference = true"),
        ("difference = true\ndigits = 0\n" + MINIMAL, "digits: not a whole number from 1 to 12"),
        ("difference = true\nmax_kw = -1\n" + MINIMAL, "max_kw: not a number greater than 0"),
        ("difference = true\nunit = 'kW'\ninterval = '15m'\n" + MINIMAL, "does not go with unit = 'kW'"),
        ("first_slot = 0\n" + MINIMAL, "first_slot: does not go with a file without columns.slot"),
        (MINIMAL + "slot = 'n'\n", "interval: needed with columns.slot"),
        (MINIMAL + "slot = 'n'\nuntil = 'u'\n", "columns.slot: does not go with span and columns.until"),
        ("stamps = ['%d.%m. %H:%M']\n" + MINIMAL, "stamps: '%d.%m. %H:%M' has no year"),
        ("stamps = ['%Z %Y-%m-%d']\n" + MINIMAL, "%Z, the name of an offset, stands at the end"),
        ("interval = '1h'\nstamps = ['%Y-%m-%d']\n" + MINIMAL, "stamps: no hour, and an interval of 60 min"),
        ("meter_from_file = true\n" + MINIMAL, "meter_from_file: does not go with columns.meter_id"),
        ("cells = 'x'\n" + MINIMAL, "cells: only in the shapes day and meters"),
        ("negative = 'drop'\n" + MINIMAL, "negative: 'drop' is none of send, generation"),
        (MINIMAL + "[values]\nA = 'consumption'\n", "values: only in shape long, without columns."),
        ("[columns]\nmeter_id = 'm'\ntimestamp = 't'\n[values]\nA = 'up'\n", "values: not a table of texts"),
        ("shape = 'meters'\ncells = 'M'\ninterval = '1h'\nmeter_from_file = true\n[columns]\n"
        "timestamp = 't'\n",
         "meter_from_file: does not go with shape meters"),
        ("interval = 'stamps'\ndst = 'split'\n" + MINIMAL, "dst: does not go with"),
        ("interval = 'never'\n" + MINIMAL, "or stamps"),
        ("off_grid = 'leave out'\n" + MINIMAL, "off_grid: does not go with a file without an interval"),
        ("span = '-'\n" + MINIMAL + "until = 'u'\n", "columns.until: does not go with span"),
        ("[columns]\nmeter_id = 'm'\ntimestamp = []\nconsumption_kwh = 'v'\n", "neither a header"),
        ("delimiter = '\"'\n" + MINIMAL, "delimiter"),
    ],
)  # fmt: skip
def test_a_wrong_key_is_named_with_what_is_allowed(toml: str, part: str, tmp_path: Path) -> None:
    with pytest.raises(UsageProblem) as raised:
        load_custom(profile_file(tmp_path, toml))
    assert part in str(raised.value)
    assert "profile.toml: " in str(raised.value)


@pytest.mark.parametrize("profile", ["spec", "auto", "esb"])
def test_a_zone_on_the_command_line_goes_before_that_of_the_profile(
    profile: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.csv"
    if profile == "spec":
        path.write_text("id,timestamp,kwh\nA,2024-07-01 10:00,1\n")
    else:
        path.write_text(
            "MPRN,Meter Serial Number,Read Value,Read Type,Read Date and End Time\n"
            "1,2,3,Active Import Interval (kWh),01-07-2024 10:30\n"
        )
    options = ["--dry-run", "--json", "--profile", profile]
    assert run(["replay", str(path), *options, "--zone", "America/New_York"]) == 0
    out = capsys.readouterr().out
    assert '"first": "2024-07-01T14:00:00Z"' in out
    assert '"zone": "America/New_York"' in out
    assert run(["replay", str(path), *options]) == 0
    assert '"first": "2024-07-01T14:00:00Z"' not in capsys.readouterr().out


def test_a_zone_that_there_is_not_is_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["replay", "x.csv", "--zone", "Mars/Base"]) == 2
    assert "write the name of a zone" in capsys.readouterr().err


@pytest.mark.parametrize("unit", ["GWh", "kW h", "kilowatt-hours", "MJ", ""])
def test_a_unit_of_energy_that_is_not_known_is_an_error(unit: str, tmp_path: Path) -> None:
    with pytest.raises(GridwatchError, match=r"line 2, column u: .* not known") as raised:
        read(tmp_path, MINIMAL + 'unit = "u"\n', f"m,t,v,u\nA,2024-01-01T10:00Z,1,{unit}\n")
    assert raised.value.remedy.startswith("write one of kWh, Wh, MWh, kW, W")


@pytest.mark.parametrize("unit", ["kVArh", "kVAh", "m³", "EUR"])
def test_what_is_no_energy_is_left_out_and_noted(unit: str, tmp_path: Path) -> None:
    tally = Tally()
    lines = f"m,t,v,u\nA,2024-01-01T10:00Z,1,{unit}\nA,2024-01-01T10:00Z,2,kWh\n"
    assert [row[2] for row in read(tmp_path, MINIMAL + 'unit = "u"\n', lines, tally)] == [2.0]
    assert tally.notes[f"values in {unit} are no energy: left out"] == 1


def test_texts_of_series_are_the_same_in_other_capitals_and_blanks(tmp_path: Path) -> None:
    toml = MINIMAL + 'series = "s"\n[series]\n"Active Import" = "consumption"\nExport = "generation"\n'
    lines = ["A,2024-01-01T10:00Z,1,ACTIVE  import", "A,2024-01-01T10:00Z,2, export "]
    rows = read(tmp_path, toml, "\n".join(["m,t,v,s", *lines]))
    assert [(row[1], row[2]) for row in rows] == [("A", 1.0), ("A-export", 2.0)]
    with pytest.raises(UsageProblem, match="with other capitals"):
        read(tmp_path, toml + 'EXPORT = "consumption"\n', "m,t,v,s\n")


@pytest.mark.parametrize("turned", [False, True])
def test_a_series_must_not_have_the_name_of_another_meter(turned: bool, tmp_path: Path) -> None:
    toml = MINIMAL + 'series = "s"\n[series]\nIn = "consumption"\nOut = "generation"\n'
    lines = ["A,2024-01-01T10:00Z,1,Out", "A-export,2024-01-01T10:00Z,2,In"][:: -1 if turned else 1]
    with pytest.raises(GridwatchError, match="line 3, column m: its readings would be those of A-export"):
        read(tmp_path, toml, "\n".join(["m,t,v,s", *lines]))


def test_energy_fed_in_as_negative_values_must_not_have_the_name_of_another_meter(tmp_path: Path) -> None:
    toml = 'negative = "generation"\n' + MINIMAL
    lines = "m,t,v\nA,2024-01-01T10:00Z,-1\nA-export,2024-01-01T10:00Z,2\n"
    with pytest.raises(GridwatchError, match=r"line 3, .* and that is the series -export of A"):
        read(tmp_path, toml, lines)


def test_a_correction_of_energy_fed_in_corrects_both_directions_from_a_second_file_too(
    tmp_path: Path,
) -> None:
    tally, toml = Tally(), 'negative = "generation"\n' + MINIMAL
    read(tmp_path, toml, "m,t,v\nA,2024-01-01T10:00Z,-1\n", tally)
    rows = read(tmp_path, toml, "m,t,v\nA,2024-01-01T10:00Z,2\n", tally)
    assert [(row[1], row[2]) for row in rows] == [("A", 2.0), ("A-export", 0.0)]


def test_bytes_of_another_encoding_name_the_key_for_it(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(MINIMAL)
    (tmp_path / "f.csv").write_bytes("m,t,v\nZähler,2024-01-01T10:00Z,1\n".encode("cp1252"))
    with pytest.raises(GridwatchError, match="line 2, column m") as raised:
        profile = load_custom(tmp_path / "p.toml")
        list(read_rows(tmp_path / "f.csv", profile, "UTC", Selection(), Tally(), skip_bad=False))
    assert 'encoding = "cp1252"' in raised.value.remedy


def test_a_row_without_a_value_needs_no_unit(tmp_path: Path) -> None:
    lines = "m,t,v,u\nA,2024-01-01T10:00Z,,\nA,2024-01-01T11:00Z,2,kWh\n"
    assert [row[2] for row in read(tmp_path, 'nulls = [""]\n' + MINIMAL + 'unit = "u"\n', lines)] == [2.0]


@pytest.mark.parametrize(
    ("interval", "given"),
    [
        ("10s", ',"interval_seconds":10'),
        ("90s", ',"interval_seconds":90'),
        ("2m", ',"interval_minutes":2'),
        ("24h", ',"interval_minutes":1440'),
        ("1d", ',"interval":"1d","timezone":"Europe/Berlin"'),
        ("1mo", ',"interval":"1mo","timezone":"Europe/Berlin"'),
    ],
)
@pytest.mark.parametrize("shape", ["long", "meters"])
def test_an_interval_is_given_with_each_reading(
    interval: str, given: str, shape: str, tmp_path: Path
) -> None:
    toml = f'interval = "{interval}"\nzone = "Europe/Berlin"\nshape = "{shape}"\n'
    if shape == "long":
        toml += MINIMAL
    else:
        toml += 'cells = "M.*"\n[columns]\ntimestamp = "t"\n'
    text = "m,t,v\nM7,2024-01-01T00:00,1\n" if shape == "long" else "t,M7\n2024-01-01T00:00,1\n"
    assert [row[:3] + row[4:] for row in read(tmp_path, toml, text)] == [
        (at("00:00") - 60 * MINUTE, "M7", 1, given)
    ]


def test_power_counts_over_ten_seconds_and_over_days_and_months_as_long_as_they_are(tmp_path: Path) -> None:
    toml = 'unit = "kW"\nzone = "Europe/Berlin"\ninterval = "{}"\nanchor = "{}"\n' + MINIMAL
    lines = {"10s": "2024-01-01T00:00:10", "1d": "2024-10-28", "1mo": "2024-04-01"}
    for (interval, stamp), hours in zip(lines.items(), (1 / 360, 25, 31 * 24 - 1), strict=True):
        form = "" if interval == "10s" else 'stamps = ["%Y-%m-%d"]\n'
        rows = read(tmp_path, form + toml.format(interval, "end"), f"m,t,v\nM,{stamp},36\n")
        assert [round(row[2], 9) for row in rows] == [round(36 * hours, 9)]


def test_a_day_without_a_zone_is_one_of_utc_and_as_long_as_any(tmp_path: Path) -> None:
    rows = read(tmp_path, 'interval = "1d"\n' + MINIMAL, "m,t,v\nM,2024-03-31T00:00,36\n")
    assert rows[0][3:] == (1440, ',"interval_minutes":1440')
    rows = read(tmp_path, 'interval = "1mo"\n' + MINIMAL, "m,t,v\nM,2024-03-01T00:00,36\n")
    assert rows[0][4] == ',"interval":"1mo","timezone":"UTC"'


@pytest.mark.parametrize(
    ("form", "stamps", "given"),
    [
        (
            "%Y-%m-%d",
            ["2024-03-30", "2024-03-31", "2024-04-01"],
            ',"interval":"1d","timezone":"Europe/Berlin"',
        ),
        ("%Y-%m-%d %H", ["2024-03-30 06", "2024-03-31 06", "2024-04-01 06"], HOURS),
        (
            "%Y-%m-%d %z",
            ["2024-03-30 +0000", "2024-03-31 +0000", "2024-04-01 +0000"],
            ',"interval_minutes":1440',
        ),
    ],
)
def test_days_from_stamp_to_stamp_are_local_ones_from_midnight_to_midnight(
    form: str, stamps: list[str], given: str, tmp_path: Path
) -> None:
    toml = f'interval = "stamps"\nzone = "Europe/Berlin"\nstamps = ["{form}"]\n{MINIMAL}'
    rows = read(tmp_path, toml, "m,t,v\n" + "".join(f"M,{stamp},1\n" for stamp in stamps))
    assert {row[4] for row in rows} == {given}


@pytest.mark.parametrize("kind", ["until", "registers", "registers of days"])
def test_days_of_spans_and_registers_are_local_ones_of_any_length(kind: str, tmp_path: Path) -> None:
    dates = ["2024-03-29", "2024-03-30", "2024-03-31", "2024-04-01", "2024-04-02"]
    ends = [*dates[1:], "2024-04-03"]
    toml = 'zone = "Europe/Berlin"\nstamps = ["%Y-%m-%d"]\n'
    if kind == "until":
        text = "m,t,u,v\n" + "".join(f"M,{day},{end},1\n" for day, end in zip(dates, ends, strict=True))
        rows = read(tmp_path, toml + MINIMAL + 'until = "u"\n', text)
    else:
        toml += "difference = true\n" + ('interval = "1d"\n' if "of days" in kind else "")
        text = "m,t,v\n" + "".join(f"M,{day},{n}\n" for n, day in enumerate([*dates, ends[-1]]))
        rows = read(tmp_path, toml + MINIMAL, text)
    start = at("00:00") + (88 * 24 - 1) * 60 * MINUTE
    hours = (0, 24, 48, 71, 95)
    assert [(row[0], *row[2:]) for row in rows] == [
        (start + hour * 60 * MINUTE, 1.0, 1440, DAYS) for hour in hours
    ]


def test_a_register_that_was_not_read_for_days_counts_them_in_the_last_one(tmp_path: Path) -> None:
    toml = 'zone = "Europe/Berlin"\nstamps = ["%Y-%m-%d"]\ninterval = "1d"\ndifference = true\n' + MINIMAL
    rows = read(tmp_path, toml, "m,t,v\nM,2024-03-28,0\nM,2024-03-29,1\nM,2024-04-01,4\n")
    last = at("00:00") + (90 * 24 - 1) * 60 * MINUTE
    assert brief(rows)[1] == ("M", last, 3.0)
    assert rows[1][4] == DAYS + ',"flags":["GAP_ENERGY"]'
