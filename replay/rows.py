"""Files to rows: one pass, a block of rows at a time, through the parser of the file's profile.

A row that cannot be read stops the run with its file, line, column, what was found and what is accepted;
with `skip_bad` it is counted by reason instead, the first few are kept to be shown, and all are written to
`rejected` if that is given. A line of a wide file is taken whole or not at all. Whether a value is sensible
(negative, absurdly large) is for the detector to judge, so such rows are sent.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from gridwatch.errors import GridwatchError
from replay.files import inspect, opened_text
from replay.layout import Layout
from replay.profile import Profile
from replay.rejects import BadRow, Rejected
from replay.sources import DAMAGE, Source

if TYPE_CHECKING:
    from _csv import Reader as CsvReader

#: time (µs), meter_id, kWh, interval given with the reading (minutes, 0 = none), further JSON members
#: (`,"region":"N"` or nothing). Rows order as tuples: by time, then meter, whatever file they came from.
Row = tuple[int, str, float, int, str]
#: Which readings of meters that count both ways are wanted.
Flow = Literal["both", "consumption", "generation"]

BLOCK_ROWS = 8192
#: Lines read at once; fewer where they are wide.
_LINES_AT_ONCE, _CELLS_AT_ONCE = 2_048, 16_384
_LINE_END = re.compile("\r\n|\r|\n")
_SHOWN_EXAMPLES = 5


@dataclass
class Tally:
    """What was met while reading."""

    rows: int = 0
    left_out: int = 0
    null_values: int = 0
    ambiguous: int = 0
    #: Values of local times that the clocks skipped, all of them zero.
    skipped_hours: int = 0
    #: Values that held two hours, the one before and the one after the clocks went back.
    split_hours: int = 0
    #: What was mended or is odd, in words.
    notes: Counter[str] = field(default_factory=Counter)
    #: Series that are no energy, or flow the way that is not wanted.
    other_series: int = 0
    #: Rows off the grid that the profile leaves out.
    off_grid: int = 0
    #: Meters that are named after a file, and the file.
    named_after: dict[str, str] = field(default_factory=dict)
    bytes_read: int = 0
    bad: Counter[str] = field(default_factory=Counter)
    examples: list[BadRow] = field(default_factory=list)

    def on_bytes(self, count: int) -> None:
        """So many bytes more of the files, packed or not, have been read."""
        self.bytes_read += count


@dataclass(frozen=True)
class Selection:
    """Which rows are wanted: `start` ≤ time < `end` (µs), meters by a shell pattern, flow by direction."""

    start: int | None = None
    end: int | None = None
    meters: str = "*"
    flow: Flow = "both"


class BadCell(ValueError):
    """A cell that cannot be read; `field_name` is a field of a reading, or a column by its name."""

    def __init__(self, field_name: str, found: str, reason: str) -> None:
        super().__init__(reason)
        self.field_name = field_name
        self.found = found
        self.reason = reason


@dataclass(frozen=True)
class Job:
    """One file that is being read."""

    source: Source
    layout: Layout
    profile: Profile
    zone: str
    selection: Selection
    tally: Tally
    skip_bad: bool = False
    rejected: Rejected | None = None

    def reject(self, problem: BadCell, line: int, row: str) -> None:
        """Count a row that cannot be read. GridwatchError unless such rows are to be skipped."""
        layout, tally = self.layout, self.tally
        at = layout.columns.get(problem.field_name)
        header = layout.headers[at] if at is not None else problem.field_name
        bad = BadRow(layout.file, line, header, problem.found, problem.reason)
        if not self.skip_bad:
            raise GridwatchError(
                f"{bad}; headers found: {', '.join(layout.headers)[:300]}; accepted: {layout.accepted}",
                "mend the row, or go on without bad rows: --skip-bad",
            )
        tally.bad[f"{header}: {bad.reason.split(':')[0]}"] += 1
        if len(tally.examples) < _SHOWN_EXAMPLES:
            tally.examples.append(bad)
        if self.rejected is not None:
            self.rejected.take(bad, row)


class LineParser(Protocol):
    """Turns lines into rows, which it appends to the block; BadCell where a line cannot be read."""

    #: The last row of the block before, for parsers that look back.
    previous: Row | None

    def __call__(self, cells: list[str], block: list[Row]) -> None:
        """Take the cells of the next line."""

    def finish(self, block: list[Row]) -> None:
        """The file has ended: hand out what is still held; called again after a BadCell."""


@runtime_checkable
class LotParser(LineParser, Protocol):
    """A parser that can take many lines at once, where nothing about them is out of the ordinary."""

    def together(self, lot: list[list[str]]) -> list[Row] | None:
        """The rows of some lines; None, and nothing counted, where they must be taken one by one."""


def read_rows(
    path: Path | Source,
    profile: Profile,
    zone: str,
    selection: Selection,
    tally: Tally,
    *,
    skip_bad: bool,
    rejected: Rejected | None = None,
) -> Iterator[list[Row]]:
    """Blocks of rows in the order of the file. GridwatchError at the first bad row unless `skip_bad`."""
    source = path if isinstance(path, Source) else Source(path)
    job = Job(source, inspect(source, profile), profile, zone, selection, tally, skip_bad, rejected)
    yield from profile.reader(job) if profile.reader else _read_lines(job)


def _read_lines(job: Job) -> Iterator[list[Row]]:
    layout = job.layout
    with opened_text(job.source, layout.encoding, job.tally.on_bytes) as text:
        lines = csv.reader(text, delimiter=layout.delimiter)
        parse: LineParser = job.profile.parser(job)
        together = parse.together if isinstance(parse, LotParser) else None
        try:
            for _ in range(layout.header_lines):
                next(lines, None)
        except csv.Error as problem:
            raise GridwatchError(f"{layout.file}, line 1: not CSV: {problem}") from problem
        for before, one_each, lot in _lots(lines, job):
            block = together(lot) if together else None
            if block is None:
                block = []
                at = before
                for cells in lot:
                    at += 1 if one_each else 1 + sum(len(_LINE_END.findall(cell)) for cell in cells)
                    try:
                        parse(cells, block)
                    except BadCell as problem:
                        if not "".join(cells).strip():
                            job.tally.notes["rows of empty cells: passed over"] += 1
                            continue
                        job.reject(_header_again(problem, cells, layout), at, layout.delimiter.join(cells))
                    if len(block) >= BLOCK_ROWS:
                        parse.previous = block[-1]
                        yield block
                        block = []
            if block:
                parse.previous = block[-1]
                yield block
        yield from _last(job, parse, lines.line_num)


def _lots(lines: CsvReader, job: Job) -> Iterator[tuple[int, bool, list[list[str]]]]:
    """Many lines at a time: how many were read before, whether each row is one of them, their cells."""
    size = max(1, min(_LINES_AT_ONCE, _CELLS_AT_ONCE // max(1, len(job.layout.headers))))
    while True:
        before, lot, problem = lines.line_num, [], None
        try:
            for cells in islice(lines, size):
                lot.append(cells)
        except (csv.Error, UnicodeDecodeError, *DAMAGE) as failure:
            problem = failure
        if lot:
            yield before, lines.line_num - before == len(lot), lot
        elif problem is None:
            return
        if isinstance(problem, csv.Error):
            job.reject(BadCell("(row)", "", f"not CSV: {problem}"), lines.line_num, "")
        elif isinstance(problem, UnicodeDecodeError):
            raise GridwatchError(
                f"{job.layout.file}, after line {lines.line_num}: not {problem.encoding} to the end: "
                f"{problem.reason}",
                "fetch it again, or save it as UTF-8",
            ) from problem
        elif problem is not None:
            raise job.source.damaged(problem, f", after line {lines.line_num}") from problem


def _last(job: Job, parse: LineParser, line: int) -> Iterator[list[Row]]:
    """What a parser still holds when the file has ended."""
    block: list[Row] = []
    while True:
        try:
            parse.finish(block)
            break
        except BadCell as problem:
            job.reject(problem, line, "(held until the end of the file)")
    if block:
        yield block


def _header_again(problem: BadCell, cells: list[str], layout: Layout) -> BadCell:
    """A row of headers is told as such: some exports repeat it, or have one of names and one of units."""
    names = {header.lower() for header in layout.headers}
    if layout.header_lines and sum(cell.strip().lower() in names for cell in cells) * 2 > len(cells):
        return BadCell("(row)", layout.delimiter.join(cells), "a second header row")
    return problem
