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
