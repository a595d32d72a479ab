"""Rows that could not be read: what is reported of one, and the file of all of them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from gridwatch.errors import GridwatchError


@dataclass(frozen=True)
class BadRow:
    """One row that could not be read."""

    file: str
    line: int
    column: str
    found: str
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.file}, line {self.line}, column {self.column}: {self.reason} (found: {self.found[:80]!r})"
        )


class Rejected:
    """A CSV file of the rows that were not taken. Each pass over the files writes it from the beginning."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIO | None = None

    def start(self) -> None:
        """A pass begins."""
        self.close()
        try:
            self._file = self._path.open("w", encoding="utf-8", errors="backslashreplace", newline="")
        except OSError as problem:
            raise GridwatchError(
                f"{self._path}: cannot be written: {problem.strerror}", "name another --rejected"
            ) from problem
        csv.writer(self._file).writerow(["file", "line", "column", "reason", "row"])

    def take(self, bad: BadRow, row: str) -> None:
        """Write one row with what is wrong with it."""
        if self._file is not None:
            csv.writer(self._file).writerow([bad.file, bad.line, bad.column, bad.reason, row])

    def close(self) -> None:
        """The pass has ended."""
        if self._file is not None:
            self._file.close()
            self._file = None
