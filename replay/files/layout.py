"""What the start of a file shows, and how the file turned out to be written."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from functools import cached_property

from replay.files.sources import Source


@dataclass(frozen=True)
class Start:
    """The beginning of a file: how it is packed, and up to some thousand characters from the first line on
    that is not blank; `blank` lines stand before it.
    """

    source: Source
    packed: str
    encoding: str
    text: str
    blank: int = 0
    #: The delimiter that a line `sep=;` before the header names; that line counts as blank.
    separator: str = ""

    @cached_property
    def lines(self) -> list[str]:
        """The first lines; the last one may be cut."""
        return re.split("\r\n|\r|\n", self.text)

    def cells(self, line: int, delimiter: str = ",") -> list[str]:
        """The cells of a line, counted from 0, without case and surrounding blanks."""
        if line >= len(self.lines):
            return []
        return [
            cell.strip().lower() for cell in next(csv.reader([self.lines[line]], delimiter=delimiter), [])
        ]


@dataclass(frozen=True)
class Layout:
    """How one file turned out to be written."""

    file: str
    delimiter: str
    compressed: bool
    headers: tuple[str, ...]
    columns: dict[str, int]
    accepted: str
    encoding: str = "utf-8-sig"
    #: Lines before the first row.
    header_lines: int = 1
    #: Whether one of them names the columns; else `headers` are words for people.
    named: bool = True
    #: What else was found, in words.
    notes: tuple[str, ...] = ()
    #: Wide files: the columns with values.
    cells: tuple[int, ...] = ()
    #: Fields that are written in several columns, and all of these.
    parts: dict[str, tuple[int, ...]] = field(default_factory=dict)
    #: Long files with several columns of values: column and place among `Profile.values`.
    values: tuple[tuple[int, int], ...] = ()

    @property
    def ignored(self) -> list[str]:
        """Headers that mean nothing to the profile."""
        used = {*self.columns.values(), *self.cells, *(at for at, _ in self.values)}
        used.update(*self.parts.values())
        return [header for index, header in enumerate(self.headers) if index not in used]


def unwrapped(text: str) -> str:
    """A cell without the `="…"` that keeps spreadsheets from taking it for a number."""
    return text[2:-1].strip() if text.startswith('="') and text.endswith('"') and len(text) > 2 else text
