"""Files to rows: one pass, a block of rows at a time, through the parser of the file's profile.

A row that cannot be read stops the run with its file, line, column, what was found and what is accepted;
with `skip_bad` it is counted by reason instead, the first few are kept to be shown, and all are written to
`rejected` if that is given. A line of a wide file is taken whole or not at all. Whether a value is sensible
(negative, absurdly large) is for the detector to judge, so such rows are sent.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from gridwatch.errors import GridwatchError
from replay.files.job import BLOCK_ROWS, BadCell, Job, Selection
from replay.files.layout import Layout
from replay.files.profile import Profile
from replay.files.reading.opening import inspect, opened_text
from replay.files.reading.spreadsheets import as_sheet, is_spreadsheet
from replay.files.rejects import Rejected
from replay.files.rows import LineParser, LotParser, NothingWaits, Numbered, Row, Waiting
from replay.files.sources import DAMAGE, Source
from replay.files.tally import Tally
from replay.files.values.long_intervals import restating
from replay.files.values.register_check import RegisterCheck, Watch

if TYPE_CHECKING:
    from _csv import Reader as CsvReader

#: Lines read at once; fewer where they are wide.
_LINES_AT_ONCE, _CELLS_AT_ONCE = 2_048, 16_384
_LINE_END = re.compile("\r\n|\r|\n")
#: Rows at most while one of them waits until it is known when it was.
_MOST_WAITING = 300_000


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
    layout = inspect(source, profile)
    if is_spreadsheet(source):
        profile = as_sheet(profile)
    job = Job(source, layout, profile, zone, selection, tally, skip_bad, rejected)
    blocks = profile.reader(job) if profile.reader else _read_lines(job)
    restated = restating(job)
    if restated is None:
        yield from blocks
    else:
        for block in blocks:
            yield [restated(row) for row in block]


def _read_lines(job: Job) -> Iterator[list[Row]]:
    layout = job.layout
    with opened_text(job.source, layout.encoding, job.tally.on_bytes) as text:
        _pass_header(job, text)
        lines = csv.reader(text, delimiter=layout.delimiter)
        parse = _parser(job)
        hours: Waiting = getattr(parse, "hours", None) or NothingWaits()
        numbered = parse if isinstance(parse, Numbered) else None
        check = RegisterCheck(job.tally, layout.file)
        watch: Watch | None = check.watch if job.profile.may_be_register else None
        block: list[Row] = []
        together = parse.together if isinstance(parse, LotParser) else None
        for before, one_each, lot in _lots(lines, job):
            rows = together(lot) if together and not hours.waiting else None
            if rows is not None:
                block = block + rows if block else rows
            else:
                at = before
                for cells in lot:
                    at += 1 if one_each else 1 + sum(len(_LINE_END.findall(cell)) for cell in cells)
                    if numbered is not None:
                        numbered.line = at
                    try:
                        parse(cells, block)
                    except BadCell as problem:
                        if not "".join(cells).strip():
                            job.tally.notes["rows of empty cells: passed over"] += 1
                            continue
                        line = problem.line or at
                        job.reject(_header_again(problem, cells, layout), line, layout.delimiter.join(cells))
                    if len(block) >= BLOCK_ROWS and not hours.waiting:
                        watch = watch and watch(block)
                        yield block
                        block = []
            if hours.waiting and len(block) > _MOST_WAITING:
                hours.settle(block)
            if block and not hours.waiting:
                watch = watch and watch(block)
                yield block
                block = []
        _last(job, parse, block, layout.header_lines + lines.line_num)
        hours.settle(block)
        for rows in _sliced(block):
            watch = watch and watch(rows)
            yield rows


def _pass_header(job: Job, text: TextIO) -> None:
    """Read the lines above the first row."""
    try:
        for _ in range(job.layout.header_lines):
            text.readline()
    except UnicodeDecodeError as problem:
        raise _undecodable(job, 0, problem) from problem
    except DAMAGE as problem:
        raise job.source.damaged(problem) from problem


def _parser(job: Job) -> LineParser:
    """What reads the lines. GridwatchError where the header does not go with the profile."""
    layout = job.layout
    try:
        parser: LineParser = job.profile.parser(job)
    except BadCell as problem:
        raise GridwatchError(
            f"{layout.file}, line {max(1, layout.header_lines)}: {problem.reason} (found: {problem.found}); "
            f"headers found: {', '.join(layout.headers)[:300]}",
            "name the columns with values and the interval in a profile of your own",
        ) from problem
    return parser


def _sliced(rows: list[Row]) -> Iterator[list[Row]]:
    """The rows, a block of them at a time."""
    for start in range(0, len(rows), BLOCK_ROWS):
        yield rows[start : start + BLOCK_ROWS]


def _lots(lines: CsvReader, job: Job) -> Iterator[tuple[int, bool, list[list[str]]]]:
    """Many lines at a time: how many were read before, whether each row is one of them, their cells."""
    size = max(1, min(_LINES_AT_ONCE, _CELLS_AT_ONCE // max(1, len(job.layout.headers))))
    above = job.layout.header_lines
    while True:
        before, lot, problem = lines.line_num, [], None
        try:
            for cells in islice(lines, size):
                lot.append(cells)
        except (csv.Error, UnicodeDecodeError, *DAMAGE) as failure:
            problem = failure
        if lot:
            yield above + before, lines.line_num - before == len(lot), lot
        elif problem is None:
            return
        if isinstance(problem, csv.Error):
            job.reject(BadCell("(row)", "", f"not CSV: {problem}"), above + lines.line_num, "")
        elif isinstance(problem, UnicodeDecodeError):
            raise _undecodable(job, above + lines.line_num, problem) from problem
        elif problem is not None:
            raise job.source.damaged(problem, f", after line {above + lines.line_num}") from problem


def _undecodable(job: Job, line: int, problem: UnicodeDecodeError) -> GridwatchError:
    return GridwatchError(
        f"{job.layout.file}, after line {line}: not {job.layout.encoding} to the end: {problem.reason}",
        "fetch it again, save it as UTF-8, or name another encoding in the profile",
    )


def _last(job: Job, parse: LineParser, block: list[Row], line: int) -> None:
    """Append what a parser still holds when the file has ended."""
    while True:
        try:
            parse.finish(block)
            return
        except BadCell as problem:
            job.reject(problem, problem.line or line, "(held until the end of the file)")


def _header_again(problem: BadCell, cells: list[str], layout: Layout) -> BadCell:
    """A row of headers is reported as such: some exports repeat it, or have one of names and one of units."""
    names = {header.lower() for header in layout.headers}
    if layout.header_lines and sum(cell.strip().lower() in names for cell in cells) * 2 > len(cells):
        return BadCell("(row)", layout.delimiter.join(cells), "a second header row")
    return problem
