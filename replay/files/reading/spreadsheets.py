"""The first sheet of an .xlsx workbook as lines of cells between tabs; never held whole."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

from gridwatch.errors import GridwatchError
from replay.files.profile import RFC_3339, Profile
from replay.files.sources import Source

_MAGIC, _WORKBOOK = b"PK\x03\x04", "xl/workbook.xml"
#: How a file is packed that is a workbook.
XLSX = "xlsx"
_BLOCK = 1 << 16
_DELIMITER = "\t"
_HALF_A_SECOND = timedelta(microseconds=500_000)
#: Numbers of more than 15 digits are rounded by spreadsheets. They are written with an exponent, by which an
#: id that was taken for a number is known.
_MOST_EXACT = 1e15
_TIME, _AT_MIDNIGHT = re.compile(r"\d\d:\d\d:\d\d"), " 00:00:00"
#: How dates are written here, whatever the profile has them like.
_STAMPS = (RFC_3339, "%Y-%m-%d", "%Y-%m-%d %H:%M:%S")


def is_spreadsheet(source: Source) -> bool:
    """Whether a file is an .xlsx workbook."""
    if source.member:
        return False
    try:
        with source.path.open("rb") as file:
            if file.read(4) != _MAGIC:
                return False
        with zipfile.ZipFile(source.path) as archive:
            return _WORKBOOK in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def as_sheet(profile: Profile) -> Profile:
    """The profile of a sheet's lines: tabs between cells, numbers and dates as they are written here."""
    stamps = (*profile.stamps, *_STAMPS) if profile.stamps else ()
    written = replace(profile, delimiters=(_DELIMITER,), decimal_marks=(".", ","), thousands="", encoding="")
    return replace(written, stamps=stamps)


def dates_of_sheet(texts: list[str]) -> list[str]:
    """The parts of a stamp without what a cell of a date or a time has besides, for being both in a sheet.

    That is the midnight of a date that is shown with its hour, beside a cell of the time; and the date of a
    time that has one, beside a cell of the same date.
    """
    if any(_TIME.fullmatch(text) for text in texts):
        return [text.removesuffix(_AT_MIDNIGHT) for text in texts]
    first, *others = texts
    date_, _, _ = first.partition(" ")
    alone = first in (date_, date_ + _AT_MIDNIGHT)
    if alone and len(others) == 1 and others[0].startswith(f"{date_} "):
        return others
    return texts


def further_sheets(source: Source) -> list[str]:
    """The names of the sheets after the first one that have rows. GridwatchError as of `SheetLines`."""
    book = _workbook(source)
    try:
        return [str(sheet.title) for sheet in book.worksheets[1:] if _has_rows(sheet)]
    finally:
        book.close()


def _has_rows(sheet: Any) -> bool:
    try:
        return any(value is not None for row in sheet.iter_rows(values_only=True) for value in row)
    except Exception:
        return True  # damaged: nobody can say that there is nothing


class SheetLines(io.RawIOBase):
    """The bytes of the first sheet. GridwatchError without openpyxl, or for a damaged workbook."""

    def __init__(self, source: Source, on_bytes: Callable[[int], None] = lambda _: None) -> None:
        super().__init__()
        self._source = source
        self._rows = self._lines()
        self._left = b""
        on_bytes(source.path.stat().st_size)

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        """So many bytes, fewer only at the end."""
        wanted = 1 << 62 if size is None or size < 0 else size
        parts, have = [self._left], len(self._left)
        while have < wanted and (line := next(self._rows, b"")):
            parts.append(line)
            have += len(line)
        found = b"".join(parts)
        self._left = found[wanted:]
        return found[:wanted]

    def read1(self, size: int = -1) -> bytes:
        """Some bytes, none only at the end."""
        return self.read(_BLOCK if size < 0 else size)

    def _lines(self) -> Iterator[bytes]:
        book = _workbook(self._source)
        try:
            sheet = next(iter(book.worksheets), None)
            for row in sheet.iter_rows() if sheet is not None else ():
                line = io.StringIO()
                csv.writer(line, delimiter=_DELIMITER).writerow([_text(cell) for cell in row])
                yield line.getvalue().encode("utf-8", "replace")
        finally:
            book.close()


def _workbook(source: Source) -> Any:
    try:
        import openpyxl
    except ImportError as problem:
        raise GridwatchError(
            f"{source}: spreadsheets are read by openpyxl, which is missing ({problem})",
            "pip install 'gridwatch[xlsx]', or save the sheet as CSV",
        ) from problem
    try:
        return openpyxl.load_workbook(source.path, read_only=True, data_only=True)
    except Exception as problem:
        raise GridwatchError(
            f"{source}: not a spreadsheet that can be read: {problem}", "save its sheet as CSV"
        ) from problem


def _text(cell: Any) -> str:
    value = cell.value
    if isinstance(value, datetime):
        whole = (value + _HALF_A_SECOND).replace(microsecond=0)
        only_date = whole.time() == time() and "h" not in str(cell.number_format).lower()
        return str(whole.date() if only_date else whole)
    if isinstance(value, timedelta):
        seconds = round(value.total_seconds())
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    if isinstance(value, time):
        whole = (datetime.combine(date(2000, 1, 1), value) + _HALF_A_SECOND).replace(microsecond=0)
        return str(whole.time())
    if isinstance(value, int | float) and abs(value) >= _MOST_EXACT:
        return f"{value:.16E}"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)
