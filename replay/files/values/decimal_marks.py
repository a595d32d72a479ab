"""Points and commas in numbers: a mark that parts thousands, taken for the decimal mark, makes 1.234 of 1234.

Which mark is which is judged from all columns at the start of a file, also from those that nothing is read
from.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import NamedTuple

from gridwatch.errors import GridwatchError
from replay.files.layout import Layout, Start
from replay.files.profile import OPTIONAL_FIELDS, TEXT_FIELDS, Profile
from replay.files.values.cells import MARKS

_THOUSANDS = {mark: re.compile(rf"[+-]?[1-9]\d{{0,2}}(?:\{mark}\d{{3}})+") for mark in ".,"}
_NUMBER = {mark: re.compile(rf"[+-]?\d+\{mark}\d+") for mark in ".,"}
#: Lines that are looked at.
_LINES = 500
_OTHER = {".": ",", ",": "."}


class _Cell(NamedTuple):
    """A cell with a mark: its line in the file, its header, its text, and whether a value is read from it."""

    line: int
    header: str
    text: str
    value: bool


def check(start: Start, layout: Layout, profile: Profile) -> str:
    """Look at the marks of a file's start; what is doubtful of them, in words, or an empty text.

    GridwatchError where a value would be read with the mark as a decimal one, and the other numbers of the
    file say that it parts thousands.
    """
    if not layout.named:
        return ""
    try:
        cells = list(_cells(start, layout))
    except csv.Error:
        return ""  # whoever reads the lines says so
    for mark in profile.decimal_marks:
        if mark == "," and layout.delimiter == "," and profile.decimal_marks != (",",):
            continue
        doubtful = [cell for cell in cells if cell.value and _THOUSANDS[mark].fullmatch(cell.text)]
        if not doubtful:
            continue
        first, other = doubtful[0], _OTHER[mark]
        for cell in cells:
            if _NUMBER[other].fullmatch(cell.text) and not _THOUSANDS[other].fullmatch(cell.text):
                name = "comma" if other == "," else "point"
                raise GridwatchError(
                    f"{layout.file}, line {first.line}, column {first.header}: {first.text!r} in a file "
                    f"whose other numbers have a decimal {name} (line {cell.line}, column {cell.header}: "
                    f"{cell.text!r}): does its mark part thousands?",
                    MARKS,
                )
        values = [cell for cell in cells if cell.value and mark in cell.text]
        if len(profile.decimal_marks) > 1 and layout.delimiter != "," and len(values) == len(doubtful):
            return (
                f"{layout.file}: all values with {mark!r} have three digits behind it, such as "
                f"{first.text!r} in line {first.line}: read as decimals. If the mark parts thousands, "
                f"{MARKS}"
            )
    return ""


def _cells(start: Start, layout: Layout) -> Iterator[_Cell]:
    columns = layout.columns
    numbers = {columns[name] for name in ("consumption_kwh", *OPTIONAL_FIELDS) if name in columns}
    numbers -= {columns[name] for name in TEXT_FIELDS if name in columns}
    numbers.update(layout.cells)
    numbers.update(at for at, _ in layout.values)
    stamps = {columns[name] for name in ("timestamp", "until", "meter_id", "slot") if name in columns}
    stamps.update(*layout.parts.values())
    skipped = layout.header_lines - start.blank
    lines = (start.lines[skipped:-1] or start.lines[skipped:])[:_LINES]
    for line, cells in enumerate(csv.reader(lines, delimiter=layout.delimiter), layout.header_lines + 1):
        for at, text in enumerate(cells[: len(layout.headers)]):
            bare = text.strip()
            if at not in stamps and ("." in bare or "," in bare):
                yield _Cell(line, layout.headers[at], bare, at in numbers)
