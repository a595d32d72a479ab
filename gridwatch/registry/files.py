"""A CSV file as rows with their line numbers: UTF-8, column names first, as many cells in every row."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from gridwatch.errors import GridwatchError
from gridwatch.registry.entities import VERSION, Entity
from gridwatch.registry.problems import Problem, Problems

_DELIMITERS = ",;\t"
_BLOCK = 1 << 20
_BOM = b"\xef\xbb\xbf"

Row = tuple[int, Sequence[str]]
"""A row with the number of the line that it begins in."""


@dataclass(frozen=True)
class Table:
    """Rows that are to be applied: their columns, and the rows, which can be read once."""

    source: str
    head: tuple[str, ...]
    rows: Iterator[Row]
    #: None: not known.
    count: int | None
    #: Whether problems are in lines of a file.
    by_line: bool = True


@contextmanager
def open_table(path: Path, entity: Entity, problems: Problems) -> Iterator[Table]:
    """The rows of a file. Ragged rows and lines that are not UTF-8 are among the problems, and left out.

    GridwatchError for a file that cannot be opened, or whose columns are not those of the entity.
    """
    try:
        with path.open("rb") as file:
            count = _lines_of(file)
            lines = _decoded(file, problems)
            first = next(lines, "")
            delimiter = max(_DELIMITERS, key=first.count)
            head = _head(path, next(csv.reader([first], delimiter=delimiter), []), entity, problems)
            yield Table(str(path), head, _rows(lines, delimiter, len(head), problems), max(0, count - 1))
    except OSError as problem:
        raise GridwatchError(f"{path}: cannot be read: {problem.strerror}", "name another file") from problem


def check_columns(source: str, head: Sequence[str], entity: Entity) -> None:
    """GridwatchError that names the columns which are unknown, twice there, or missing."""
    known = [*entity.by_name, VERSION]
    wrong = []
    for name in dict.fromkeys(head):
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            wrong.append(f"unknown column {name!r}" + (f", did you mean {near[0]}?" if near else ""))
        elif head.count(name) > 1:
            wrong.append(f"column {name} is there twice")
    wrong += [f"column {name} is missing" for name in entity.required if name not in head]
    if wrong:
        raise GridwatchError(
            f"{source}: {'; '.join(wrong)}", f"columns of {entity.plural} are: {', '.join(known)}"
        )


def _head(path: Path, names: Sequence[str], entity: Entity, problems: Problems) -> tuple[str, ...]:
    head = tuple(name.strip() for name in names)
    if problems.count:
        raise GridwatchError(f"{path}: line 1 is not UTF-8", "save the file as UTF-8")
    if not any(head):
        raise GridwatchError(
            f"{path}: the first line has no column names", f"write {','.join(entity.required)},…"
        )
    check_columns(str(path), head, entity)
    return head


def _lines_of(file: BinaryIO) -> int:
    count, last = 0, b"\n"
    while block := file.read(_BLOCK):
        count += block.count(b"\n")
        last = block[-1:]
    file.seek(0)
    return count + (last != b"\n")


def _decoded(file: BinaryIO, problems: Problems) -> Iterator[str]:
    for number, line in enumerate(file, 1):
        if number == 1:
            line = line.removeprefix(_BOM)  # noqa: PLW2901
        try:
            yield line.decode()
        except UnicodeDecodeError as error:
            at = line[max(0, error.start - 10) : error.start + 10].decode(errors="replace")
            problems.add(Problem(number, "row", f"is not UTF-8 near {at!r}", "save the file as UTF-8"))
            # An empty line is no row; the count of lines goes on.
            yield "\n"


def _rows(lines: Iterator[str], delimiter: str, width: int, problems: Problems) -> Iterator[Row]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    before = 1
    try:
        for row in reader:
            line, before = before + 1, reader.line_num + 1
            if len(row) == width:
                yield line, row
            elif row and any(row):
                problems.add(
                    Problem(
                        line,
                        "row",
                        f"has {len(row)} cells instead of {width}",
                        'put a cell that holds the delimiter in "quotes"',
                    )
                )
    except csv.Error as error:
        problems.add(
            Problem(before + 1, "row", f"cannot be read: {error}", 'check the "quotes" from here on')
        )
