"""The first sheet of a workbook is read as its CSV would be."""

from __future__ import annotations

import builtins
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from gridwatch.errors import GridwatchError
from replay.files.job import Selection
from replay.files.profiles import PROFILES, Profile, load_custom
from replay.files.reading.reader import read_rows
from replay.files.rows import Row
from replay.files.tally import Tally
from tests.unit.replay.rig import at


def book(folder: Path, rows: list[list[Any]], forms: dict[int, str] | None = None) -> Path:
    path = folder / "F.xlsx"
    workbook = Workbook()
    sheet = workbook.active
    for row in rows:
        sheet.append(row)
    for column, form in (forms or {}).items():
        for line in range(1, len(rows) + 1):
            sheet.cell(line, column).number_format = form
    workbook.create_sheet("notes").append(["nothing"])
    workbook.save(path)
    return path


def read(path: Path, profile: Profile) -> list[Row]:
    blocks = read_rows(path, profile, "UTC", Selection(), Tally(), skip_bad=False)
    return [row for block in blocks for row in block]


def custom(folder: Path, text: str) -> Profile:
    path = folder / "p.toml"
    path.write_text(text)
    return load_custom(path)


def test_dates_and_numbers_are_read_whatever_their_form(tmp_path: Path) -> None:
    path = book(
        tmp_path,
        [
            ["meter_id", "timestamp", "kwh"],
            [541, datetime(2024, 1, 1, 10), 0.5],
            ["M2", datetime(2024, 1, 1, 10, 30), 2],
        ],
    )
    rows = read(path, PROFILES["spec"])
    assert [row[:3] for row in rows] == [(at("10:00"), "541", 0.5), (at("10:30"), "M2", 2.0)]


def test_date_and_time_in_cells_of_their_own(tmp_path: Path) -> None:
    rows = [
        ["Customer", "X"], [], ["Day", "Clock", "kWh"],
        [datetime(2024, 1, 1), time(10, 15), "0,5"], [datetime(2024, 1, 1), "10:30", "0,25"],
        [datetime(2024, 1, 1), timedelta(hours=24), 1],
    ]  # fmt: skip
    path = book(tmp_path, rows, {1: "dd/mm/yyyy"})
    profile = custom(
        tmp_path,
        'delimiter = ";"\ndecimal = ","\nmeter_from_file = true\nstamps = ["%d/%m/%Y %H:%M"]\n[columns]\n'
        'timestamp = ["Day", "Clock"]\nconsumption_kwh = "kWh"\n',
    )
    assert [row[:3] for row in read(path, profile)] == [
        (at("10:15"), "F", 0.5), (at("10:30"), "F", 0.25), (at("00:00", 2), "F", 1.0),
    ]  # fmt: skip


def test_a_portal_that_gives_workbooks(tmp_path: Path) -> None:
    rows = [
        ["CPE", "PT1"], ["Data", "Hora", "Consumo registado (kW)", "Injeção na rede (kW)"],
        ["2024-10-26", "23:45", 1.2, 0.4], ["2024-10-26", "24:00", 1.6, 0],
    ]  # fmt: skip
    found = [(row[1], row[2]) for row in read(book(tmp_path, rows), PROFILES["e-redes"])]
    assert found == [("F", 0.3), ("F-export", 0.1), ("F", 0.4), ("F-export", 0.0)]


def test_a_bad_row_names_the_line_of_the_sheet(tmp_path: Path) -> None:
    path = book(
        tmp_path,
        [["id", "timestamp", "kwh"], ["M", datetime(2024, 1, 1), 1], ["M", datetime(2024, 1, 2), "x"]],
    )
    with pytest.raises(GridwatchError, match=r"F.xlsx, line 3, column kwh: not a number"):
        read(path, PROFILES["spec"])


def test_a_sheet_of_many_lines_is_read_whole(tmp_path: Path) -> None:
    start = datetime(2024, 1, 1)
    rows = [["M", start + timedelta(minutes=15 * n), n / 8] for n in range(9000)]
    path = book(tmp_path, [["id", "timestamp", "kwh"], *rows])
    assert [row[2] for row in read(path, PROFILES["spec"])] == [row[2] for row in rows]


def test_without_openpyxl_the_command_that_brings_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = book(tmp_path, [["id", "timestamp", "kwh"]])
    real = builtins.__import__

    def without(name: str, *rest: Any, **options: Any) -> Any:
        if name == "openpyxl":
            raise ImportError("No module named 'openpyxl'")
        return real(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(GridwatchError, match="spreadsheets are read by openpyxl") as raised:
        read(path, PROFILES["spec"])
    assert "pip install 'gridwatch[xlsx]'" in str(raised.value)


def test_a_workbook_that_was_cut_is_told(tmp_path: Path) -> None:
    path = book(tmp_path, [["id", "timestamp", "kwh"], ["M", datetime(2024, 1, 1), 1]])
    data = path.read_bytes()
    at_sheet = data.index(b"xl/worksheets/sheet1.xml") + 60
    path.write_bytes(data[:at_sheet] + bytes(40) + data[at_sheet + 40 :])
    with pytest.raises(GridwatchError, match=r"F.xlsx: not a spreadsheet that can be read|F.xlsx.*damaged"):
        read(path, PROFILES["spec"])


@pytest.mark.parametrize("meter", [541448800000000001, 5.414488e17, 1e15, 5e17, 1_000_000_000_000_001])
def test_an_id_in_a_number_cell_of_more_than_15_digits_is_an_error(meter: float, tmp_path: Path) -> None:
    path = book(tmp_path, [["id", "timestamp", "kwh"], [meter, datetime(2024, 1, 1), 1]])
    with pytest.raises(GridwatchError, match=r"F.xlsx, line 2, column id: a number that ") as raised:
        read(path, PROFILES["spec"])
    assert "format the column of ids as text" in str(raised.value)


@pytest.mark.parametrize("meter", ["541448800000000001", 999_999_999_999_999, 123_456_789_012_345.0])
def test_an_id_of_text_or_of_15_digits_is_read_as_it_stands(meter: float | str, tmp_path: Path) -> None:
    path = book(tmp_path, [["id", "timestamp", "kwh"], [meter, datetime(2024, 1, 1), 1]])
    assert read(path, PROFILES["spec"])[0][1] == str(meter).removesuffix(".0")


def test_a_value_of_many_digits_is_still_a_number(tmp_path: Path) -> None:
    huge = 1_250_000_000_000_000_000.0
    path = book(tmp_path, [["id", "timestamp", "kwh"], ["M", datetime(2024, 1, 1), huge]])
    assert read(path, PROFILES["spec"])[0][2] == huge


TWO_CELLS = (
    'meter_from_file = true\ninterval = "15m"\n{forms}\n[columns]\ntimestamp = ["d", "t"]\n'
    'consumption_kwh = "v"\n'
)
FORMS = ["", 'stamps = ["%d/%m/%Y %H:%M"]']
DAY = datetime(2024, 1, 1)


@pytest.mark.parametrize("forms", FORMS)
@pytest.mark.parametrize(
    "clocks",
    [
        [time(0, 15), time(0, 30)],
        [timedelta(minutes=15), timedelta(minutes=30)],
        [datetime(1899, 12, 30, 0, 15), datetime(1899, 12, 30, 0, 30)],
        [datetime(2024, 1, 1, 0, 15), datetime(2024, 1, 1, 0, 30)],
    ],
    ids=["time", "duration", "time of no date", "date and time"],
)
@pytest.mark.parametrize("shown", ["dd/mm/yyyy", "dd/mm/yyyy hh:mm"])
def test_a_date_that_is_shown_with_its_hour_beside_a_cell_of_the_time(
    shown: str, clocks: list[Any], forms: str, tmp_path: Path
) -> None:
    path = book(tmp_path, [["d", "t", "v"], *([DAY, clock, 1] for clock in clocks)], {1: shown})
    rows = read(path, custom(tmp_path, TWO_CELLS.format(forms=forms)))
    assert [row[0] for row in rows] == [at("00:15"), at("00:30")]


def test_two_hours_for_one_reading_are_an_error(tmp_path: Path) -> None:
    path = book(tmp_path, [["d", "t", "v"], [datetime(2024, 1, 1, 5), time(0, 15), 1]])
    with pytest.raises(GridwatchError, match=r"F\.xlsx, line 2, column d: not a time"):
        read(path, custom(tmp_path, TWO_CELLS.format(forms="")))


@pytest.mark.parametrize("forms", FORMS)
@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([45292, time(0, 15), 1], "not a time: the serial number of 2024-01-01 in a spreadsheet"),
        ([45292, 1 / 96, 1], "not a time: the serial number of 2024-01-01 in a spreadsheet"),
        ([45292 + 1 / 96, None, 1], "not a time: the serial number of 2024-01-01 in a spreadsheet"),
        ([DAY, 1 / 96, 1], "not a time: the time is a part of a day, as in a spreadsheet"),
    ],
)
def test_bare_serial_numbers_of_dates_and_times_are_told(
    cells: list[Any], said: str, forms: str, tmp_path: Path
) -> None:
    path = book(tmp_path, [["d", "t", "v"], cells])
    with pytest.raises(GridwatchError, match=rf"F\.xlsx, line 2, column d: {said}") as raised:
        read(path, custom(tmp_path, TWO_CELLS.format(forms=forms)))
    assert "give the column the format of a date or a time in the spreadsheet" in raised.value.remedy


@pytest.mark.parametrize("shape", ["day", "meters"])
def test_a_serial_number_of_a_day_is_told_in_wide_sheets(shape: str, tmp_path: Path) -> None:
    keys = f'shape = "{shape}"\ncells = "h.*"\n' + (
        "" if shape == "day" else 'interval = "1h"\ndst = "split"\n'
    )
    meter = 'meter_id = "m"\n' if shape == "day" else ""
    path = book(tmp_path, [["m", "d", *(f"h{n}" for n in range(1, 25))], ["M", 45292, *[1] * 24]])
    with pytest.raises(GridwatchError, match="the serial number of 2024-01-01 in a spreadsheet"):
        read(path, custom(tmp_path, f'{keys}[columns]\n{meter}timestamp = "d"\n'))
