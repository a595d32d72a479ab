"""Rows in time order, whatever the order and size of the files, in bounded memory.

The first pass reads everything once, so that a bad row, the order, the number of rows and the last
instant are known before anything is sent. What fits in memory is sorted there. A larger input that is
in time order already is read a second time and only equal times are sorted by meter. A larger input
that is not is cut into sorted runs on disk, which are merged block by block: all rows up to the least
of the runs' last loaded rows are final, and one sort of that little is faster than a heap of rows.
"""

from __future__ import annotations

import marshal
import tempfile
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from gridwatch.errors import GridwatchError
from replay.rows import BLOCK_ROWS, Row

#: Rows sorted in memory at once; about 200 bytes each.
RUN_ROWS = 400_000
#: What a row may need at the busiest moment, when runs are merged.
_BYTES_A_ROW = 400
#: What a replay needs apart from rows: the interpreter, the producer's queue.
_BYTES_APART = 160 << 20
_LEAST_RUN_ROWS = 10_000
#: Runs merged at once; each holds a file open and one block in memory.
FAN_IN = 96

Blocks = Iterator[list[Row]]


def run_rows_within(memory: int) -> int:
    """How many rows may be sorted at once in so many bytes of memory for the whole replay."""
    return max(_LEAST_RUN_ROWS, (memory - _BYTES_APART) // _BYTES_A_ROW)


@dataclass
class Survey:
    """What the first pass found out."""

    rows: int = 0
    first: int = 0
    last: int = 0
    by_time: bool = True
    by_meter: bool = True
    meters: int = 0
    runs_on_disk: int = 0
    bytes_on_disk: int = 0

    @property
    def order(self) -> str:
        """The order the rows were found in, in words."""
        if self.by_time:
            return "by time"
        return "by meter" if self.by_meter else "no order"


class TimeOrder:
    """The rows of `read()` in time order; a context manager, because runs may lie on disk.

    `read` is called once, for a large input twice; each call must give the same rows.
    """

    def __init__(
        self,
        read: Callable[[], Iterable[list[Row]]],
        *,
        run_rows: int = RUN_ROWS,
        on_read: Callable[[int], None] = lambda rows: None,
        on_first_run: Callable[[int, Path], None] = lambda size, folder: None,
    ) -> None:
        """`on_first_run` is told how large the first run on disk is, and where, while more is to come."""
        self._read = read
        self._on_first_run = on_first_run
        self._block_rows = max(64, min(BLOCK_ROWS, run_rows // FAN_IN))
        self._run_rows = run_rows
        self._on_read = on_read
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._runs: list[Path] = []
        self._written = 0
        self._memory: list[Row] | None = None
        self.survey = Survey()

    def __enter__(self) -> TimeOrder:
        try:
            self._first_pass()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def blocks(self) -> Blocks:
        """The rows in order, some thousand at a time."""
        if self._memory is not None:
            return _sliced(self._memory)
        if self.survey.by_time:
            return _equal_times_sorted(self._read())
        return _merged([_load(run) for run in self._runs])

    def _first_pass(self) -> None:
        surveyor = _Surveyor(self.survey)
        held: list[Row] = []
        passed_by = False
        for block in self._read():
            surveyor.see(block)
            self._on_read(self.survey.rows)
            held += block
            if len(held) >= self._run_rows:
                if passed_by or (self.survey.by_time and not self._runs):
                    passed_by = True  # as long as the order is right, nothing needs to be kept
                else:
                    self._spill(held)
                held = []
        if passed_by:
            if not self.survey.by_time:
                self._spill_everything()
        elif self._runs:
            self._spill(held)
        else:
            self._memory = sorted(held)

    def _spill_everything(self) -> None:
        held: list[Row] = []
        for block in self._read():
            held += block
            if len(held) >= self._run_rows:
                self._spill(held)
                held = []
        self._spill(held)

    def _spill(self, rows: list[Row]) -> None:
        if not rows:
            return
        rows.sort()
        self._write(_sliced(rows, self._block_rows))
        if len(self._runs) >= FAN_IN:
            runs, self._runs = self._runs, []
            self._write(_merged([_load(run) for run in runs]))
            for run in runs:
                run.unlink()

    def _write(self, blocks: Blocks) -> None:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="gridwatch-replay-")
        run = Path(self._folder.name) / f"run-{self._written}"
        self._written += 1
        try:
            with run.open("wb") as file:
                for block in blocks:
                    for start in range(0, len(block), self._block_rows):
                        marshal.dump(block[start : start + self._block_rows], file)
        except OSError as problem:
            raise GridwatchError(
                f"sorted rows cannot be written to {run.parent}: {problem.strerror}",
                "make room there, or set TMPDIR to a folder with more",
            ) from problem
        self._runs.append(run)
        self.survey.runs_on_disk = len(self._runs)
        size = run.stat().st_size
        self.survey.bytes_on_disk = max(
            self.survey.bytes_on_disk, sum(one.stat().st_size for one in self._runs)
        )
        if self._written == 1:
            self._on_first_run(size, run.parent)


class _Surveyor:
    """Keeps a Survey while blocks pass by."""

    def __init__(self, survey: Survey) -> None:
        self._survey = survey
        self._meters: set[str] = set()
        self._previous: Row | None = None

    def see(self, block: list[Row]) -> None:
        survey = self._survey
        times = [row[0] for row in block]
        first, last = min(times), max(times)
        survey.first = first if survey.rows == 0 else min(survey.first, first)
        survey.last = last if survey.rows == 0 else max(survey.last, last)
        before = block if self._previous is None else [self._previous, *block]
        if survey.by_time:
            survey.by_time = all(a[0] <= b[0] for a, b in zip(before, islice(before, 1, None), strict=False))
        if survey.by_meter:
            survey.by_meter = self._meters_in_one_piece(before)
        self._meters.update(row[1] for row in block)
        survey.meters = len(self._meters)
        survey.rows += len(block)
        self._previous = block[-1]

    def _meters_in_one_piece(self, rows: list[Row]) -> bool:
        met: set[str] = set()
        for one, other in zip(rows, islice(rows, 1, None), strict=False):
            if one[1] == other[1]:
                if one[0] > other[0]:
                    return False
            elif other[1] in self._meters or other[1] in met:
                return False
            else:
                met.add(other[1])
        return True


def survey_of(blocks: Iterable[list[Row]], on_read: Callable[[int], None]) -> Survey:
    """Look at rows without keeping any."""
    survey = Survey()
    surveyor = _Surveyor(survey)
    for block in blocks:
        surveyor.see(block)
        on_read(survey.rows)
    return survey


def _sliced(rows: list[Row], size: int = BLOCK_ROWS) -> Blocks:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _equal_times_sorted(blocks: Iterable[list[Row]]) -> Blocks:
    held: list[Row] = []
    for block in blocks:
        held += block
        held.sort()
        settled = bisect_right(held, held[-1][0] - 1, key=_time)
        if settled:
            yield held[:settled]
            held = held[settled:]
    if held:
        yield held


def _time(row: Row) -> int:
    return row[0]


def _load(run: Path) -> Blocks:
    with run.open("rb") as file:
        yield from _marshalled(file)


def _marshalled(file: BinaryIO) -> Blocks:
    while True:
        try:
            block: list[Row] = marshal.load(file)  # noqa: S302 - our own temporary file
        except EOFError:
            return
        yield block


def _merged(runs: list[Blocks]) -> Blocks:
    heads = [(block, run) for run in runs if (block := next(run, []))]
    while heads:
        limit = min(block[-1] for block, _ in heads)
        final: list[Row] = []
        left: list[tuple[list[Row], Blocks]] = []
        for block, run in heads:
            cut = bisect_right(block, limit)
            final += block[:cut]
            rest = block[cut:] or next(run, [])
            if rest:
                left.append((rest, run))
        final.sort()
        yield final
        heads = left
