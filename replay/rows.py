"""Files to rows: finds delimiter and columns from the header, then one pass, a block of rows at a time.

A row that cannot be read stops the run with its file, line, column, what was found and what is accepted;
with `skip_bad` it is counted by reason instead, and the first few are kept to be shown. Whether a value is
sensible (negative, absurdly large) is for the detector to judge, so such rows are sent.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from math import isfinite
from pathlib import Path

from gridwatch.domain.instants import parse_instant
from gridwatch.errors import GridwatchError
from replay.files import Layout, inspect, open_text
from replay.profiles import OPTIONAL_FIELDS, REQUIRED_FIELDS, TEXT_FIELDS, Profile

#: time (µs), meter_id, kWh, interval given with the reading (minutes, 0 = none), further JSON members
#: (`,"region":"N"` or nothing). Rows order as tuples: by time, then meter, whatever file they came from.
Row = tuple[int, str, float, int, str]

BLOCK_ROWS = 8192
_CACHED_TEXTS = 200_000
_SHOWN_EXAMPLES = 5
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


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


@dataclass
class Tally:
    """What was met while reading."""

    rows: int = 0
    left_out: int = 0
    null_values: int = 0
    ambiguous: int = 0
    bad: Counter[str] = field(default_factory=Counter)
    examples: list[BadRow] = field(default_factory=list)


@dataclass(frozen=True)
class Selection:
    """Which rows are wanted: `start` ≤ time < `end` (µs), meters by a shell pattern."""

    start: int | None = None
    end: int | None = None
    meters: str = "*"


class _BadCell(ValueError):
    def __init__(self, field_name: str, found: str, reason: str) -> None:
        super().__init__(reason)
        self.field_name = field_name
        self.found = found
        self.reason = reason


class _Stamps(dict[str, int]):
    """Text of a stamp → µs; files repeat each stamp for every meter."""

    def __init__(self, zone: str, tally: Tally) -> None:
        super().__init__()
        self._zone = zone
        self._tally = tally

    def __missing__(self, text: str) -> int:
        try:
            time, ambiguous = parse_instant(text.strip(), self._zone)
        except ValueError as problem:
            raise _BadCell("timestamp", text, f"not a time: {problem}") from problem
        if ambiguous:
            self._tally.ambiguous += 1
        if len(self) >= _CACHED_TEXTS:
            self.clear()
        self[text] = time
        return time


class _Meters(dict[str, "str | None"]):
    """Text of a meter id → the id, or None where it is not wanted."""

    def __init__(self, pattern: str) -> None:
        super().__init__()
        self._pattern = pattern

    def __missing__(self, text: str) -> str | None:
        meter = text.strip()
        if not meter:
            raise _BadCell("meter_id", text, "empty")
        if _CONTROL.search(meter):
            raise _BadCell("meter_id", text, "has control characters or bytes that are not UTF-8")
        chosen = meter if fnmatchcase(meter, self._pattern) else None
        if len(self) >= _CACHED_TEXTS:
            self.clear()
        self[text] = chosen
        return chosen


def read_rows(
    path: Path, profile: Profile, zone: str, selection: Selection, tally: Tally, *, skip_bad: bool
) -> Iterator[list[Row]]:
    """Blocks of rows in the order of the file. GridwatchError at the first bad row unless `skip_bad`."""
    layout = inspect(path, profile)
    with open_text(path, layout.compressed) as text:
        reader = csv.reader(text, delimiter=layout.delimiter)
        next(reader)
        parse = _RowParser(layout, profile, zone, selection, tally)
        block: list[Row] = []
        while True:
            try:
                for cells in reader:
                    row = parse(cells)
                    if row is not None:
                        block.append(row)
                        if len(block) >= BLOCK_ROWS:
                            yield block
                            block = []
                break
            except _BadCell as problem:
                column = layout.columns.get(problem.field_name)
                header = layout.headers[column] if column is not None else problem.field_name
                bad = BadRow(layout.file, reader.line_num, header, problem.found, problem.reason)
            except csv.Error as problem:
                bad = BadRow(layout.file, reader.line_num, "(row)", "", f"not CSV: {problem}")
            except (EOFError, zlib.error, gzip.BadGzipFile) as problem:
                raise GridwatchError(
                    f"{path}, after line {reader.line_num}: the gzip data is damaged ({problem})",
                    "fetch it again",
                ) from problem
            if not skip_bad:
                raise GridwatchError(
                    f"{bad}; headers found: {', '.join(layout.headers)}; accepted: {layout.accepted}",
                    "mend the row, or go on without bad rows: --skip-bad",
                )
            tally.bad[f"{bad.column}: {bad.reason.split(':')[0]}"] += 1
            if len(tally.examples) < _SHOWN_EXAMPLES:
                tally.examples.append(bad)
        if block:
            yield block


class _RowParser:
    """Cells of one row → Row, or None for a row that is not wanted; _BadCell when it cannot be read."""

    def __init__(
        self, layout: Layout, profile: Profile, zone: str, selection: Selection, tally: Tally
    ) -> None:
        self._width = len(layout.headers)
        self._meter_at, self._time_at, self._kwh_at = (layout.columns[name] for name in REQUIRED_FIELDS)
        self._optional = [(name, layout.columns[name]) for name in OPTIONAL_FIELDS if name in layout.columns]
        self._stamps = _Stamps(profile.zone or zone, tally)
        self._meters = _Meters(selection.meters)
        self._start = selection.start if selection.start is not None else -(1 << 63)
        self._end = selection.end if selection.end is not None else 1 << 63
        self._factor = profile.kwh_per_unit
        self._nulls = profile.null_tokens
        # In a file delimited by commas a comma cannot also be the decimal mark of a bare number.
        self._comma = "," in profile.decimal_marks and layout.delimiter != ","
        self._tally = tally

    def __call__(self, cells: list[str]) -> Row | None:
        if len(cells) != self._width:
            if not cells or cells == [""]:
                return None
            raise _BadCell("(row)", ",".join(cells), f"{len(cells)} columns, the header has {self._width}")
        tally = self._tally
        meter = self._meters[cells[self._meter_at]]
        time = self._stamps[cells[self._time_at]]
        text = cells[self._kwh_at]
        if self._nulls and text.strip() in self._nulls:
            tally.null_values += 1
            return None
        kwh = self._number("consumption_kwh", text)
        extras, given = self._extras(cells) if self._optional else ("", 0)
        tally.rows += 1
        if meter is None or not self._start <= time < self._end:
            tally.left_out += 1
            return None
        return time, meter, kwh if self._factor == 1.0 else kwh * self._factor, given, extras

    def _number(self, name: str, text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            try:
                number = (
                    float(text.replace(",", ".")) if self._comma and text.count(",") == 1 else float("nan")
                )
            except ValueError:
                number = float("nan")
        if not isfinite(number) or "_" in text:
            raise _BadCell(name, text, "not a number" if text.strip() else "empty")
        return number

    def _extras(self, cells: list[str]) -> tuple[str, int]:
        members = []
        given = 0
        for name, index in self._optional:
            text = cells[index].strip()
            if not text:
                continue
            if name in TEXT_FIELDS:
                if _CONTROL.search(text):
                    raise _BadCell(name, text, "has control characters or bytes that are not UTF-8")
                members.append(f',"{name}":{json.dumps(text, ensure_ascii=False)}')
                continue
            number = self._number(name, text)
            if name == "interval_minutes":
                if not (number.is_integer() and 1 <= number <= 1440):
                    raise _BadCell(name, text, "not a whole number of minutes from 1 to 1440")
                given = int(number)
                members.append(f',"{name}":{given}')
            else:
                members.append(f',"{name}":{number!r}')
        return "".join(members), given
