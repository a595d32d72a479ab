"""Files as people have them: what is left aside, or holds nothing, is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from openpyxl import Workbook

from gridwatch.cli import run

HEADER = "meter_id,timestamp,consumption_kwh"
ROW = "M,2024-01-01T10:00:00Z,1"


def dry_run(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert run(["replay", "--dry-run", "--json", *arguments]) == 0
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["replay", "--dry-run", *arguments]) != 0
    return capsys.readouterr().err


def written(folder: Path, name: str, *lines: str) -> str:
    path = folder / name
    path.write_text("".join(f"{line}\n" for line in lines))
    return str(path)


def book(folder: Path, **sheets: list[str]) -> str:
    """A workbook of sheets of lines."""
    path = folder / "b.xlsx"
    workbook = Workbook()
    workbook.remove(workbook.active)
    for name, lines in sheets.items():
        sheet = workbook.create_sheet(name)
        for line in lines:
            sheet.append(line.split(","))
    workbook.save(path)
    return str(path)


DOCUMENTS = {
    "readme.txt": b"This folder holds data, by month.\nSee the site.\n",
    "README.md": b"# Data\n\nmeter; day\n",
    "Licence_2024.txt": b"Free to use.\n",
    "guide.pdf": b"%PDF-1.4\n\0\1\xff\xfe\xfd stuff",
}


@pytest.mark.parametrize("kind", ["folder", "pattern", "zip"])
@pytest.mark.parametrize("profile", ["spec", "auto"])
def test_texts_for_people_beside_the_data_are_named_and_left_aside(
    profile: str, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    written(folder, "a.csv", HEADER, ROW)
    for name, content in DOCUMENTS.items():
        (folder / name).write_bytes(content)
    given = {"folder": str(folder), "pattern": f"{folder}/*", "zip": str(tmp_path / "data.zip")}[kind]
    with ZipFile(tmp_path / "data.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, path.name)
    said = dry_run(capsys, given, "--profile", profile)
    assert said["rows"] == 1
    assert len(said["left_aside"]) == len(DOCUMENTS)
    for name in DOCUMENTS:
        assert any(f"{name}: " in aside for aside in said["left_aside"])


def test_a_file_of_readings_may_be_called_notes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path, "a.csv", HEADER, ROW)
    written(tmp_path, "notes.txt", HEADER, ROW.replace("10:", "11:"))
    said = dry_run(capsys, str(tmp_path))
    assert (said["rows"], said["left_aside"]) == (2, [])


def test_further_sheets_with_rows_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = book(tmp_path, Jan=[HEADER, ROW], Feb=[HEADER, ROW], Empty=[], Mar=[HEADER, ROW])
    said = dry_run(capsys, path)
    assert said["rows"] == 1
    assert said["remarks"] == {f"{path}: sheets left aside: Feb, Mar": 1}


def test_a_workbook_of_one_sheet_has_none_left_aside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dry_run(capsys, book(tmp_path, Jan=[HEADER, ROW], Empty=[]))["remarks"] == {}


@pytest.mark.parametrize("profile", ["spec", "auto"])
def test_an_error_of_the_first_sheet_names_the_others(
    profile: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused(capsys, book(tmp_path, Info=["About"], Data=[HEADER, ROW]), "--profile", profile)
    assert "only the first sheet is read, others are: Data" in said
    assert "move the sheet with the readings to the front" in said


def test_an_error_of_a_file_beside_a_workbook_names_no_sheets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = written(tmp_path, "a.csv", "About", "x")
    said = refused(capsys, book(tmp_path, Jan=[HEADER, ROW], Feb=[HEADER, ROW]), other, "--profile", "spec")
    assert "a.csv, line 1" in said
    assert "Feb" not in said


def test_files_without_a_reading_are_named_where_none_is_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [written(tmp_path, f"{name}.csv", HEADER) for name in "abcdefg"]
    said = refused(capsys, *files)
    assert f"no reading is left to replay: there are none in {', '.join(files[:5])} and 2 more" in said


@pytest.mark.parametrize("order", ["time", "file"])
def test_a_file_whose_rows_are_left_out_is_not_said_to_hold_none(
    order: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty, early = written(tmp_path, "a.csv", HEADER), written(tmp_path, "b.csv", HEADER, ROW)
    said = refused(capsys, empty, early, "--start", "2025-01-01T00:00:00Z", "--order", order)
    assert f"no reading is left to replay: 1 rows were left out, there are none in {empty}\n" in said


@pytest.mark.parametrize("meter", ["5.41e+17", "5.41E+17", "5e+17", "5E+17", "5.414488000000000e+17"])
def test_an_id_with_an_exponent_is_an_error(
    meter: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, "a.csv", HEADER, f"{meter},2024-01-01T10:00:00Z,1")
    said = refused(capsys, path, "--profile", "spec")
    assert "a.csv, line 2, column meter_id: a number that a spreadsheet rounded" in said
    assert "format the column of ids as text" in said


@pytest.mark.parametrize("meter", ["5e17", "1e234567", "M5.41e+17"])
def test_an_id_that_only_resembles_an_exponent_is_an_id(
    meter: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, "a.csv", HEADER, f"{meter},2024-01-01T10:00:00Z,1")
    assert dry_run(capsys, path, "--profile", "spec")["meters"] == 1
