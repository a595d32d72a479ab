"""Rows in time order, whatever the order and size of the files, in bounded memory; and what stands.

What stands when a value comes twice. Rows go by time, then by meter. Of several rows with the same time and
meter the last one stands: the worker drops an equal value and takes another one as a revision (`REVISED`), in
the order in which it gets them. That order is never the order of the values. It is

1. the version that the source itself gives a row, where it does: when it was updated, then its quality (a
   measured value before a substituted, an estimated or an imputed one);
2. else the order of the rows in their file: the later row stands;
3. else the order of the files: the later file stands. Files are as they are named in the command; those of a
   folder, a pattern or an archive go by name, and numbers within names count as numbers. Of two commands the
   later one stands.

Two devices under one id (a meter that was replaced in the middle of a day) correct nothing: see
`standing`. In the order of the file (`--order file`) rows go as they lie, whatever their version.

The first pass reads everything once, so that a bad row, the order, the number of rows and the last
instant are known before anything is sent. What fits in memory is sorted there. Of a larger input that is
in time order already only equal times are sorted by meter; it is kept packed, and read a second time if even
that is too much. A larger input that is not in order is cut into sorted runs on disk, which are merged.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from replay.files.job import BLOCK_ROWS
from replay.files.overlaps.watch import StepWatch
from replay.files.rows import Row
from replay.files.survey.survey import Survey, Surveyor
from replay.order import sorted_runs
from replay.order.packed import Packed
from replay.order.row_order import put_in_order
from replay.order.sorted_runs import Blocks, SortedRuns, sliced
from replay.order.standing import spread, standing

#: Rows sorted in memory at once; about 200 bytes each.
RUN_ROWS = 400_000
#: What a row may need at the busiest moment, when runs are merged.
_BYTES_A_ROW = 400
#: What may be used of that to keep rows that are in order, packed.
_BYTES_PACKED = 150
#: What a replay needs apart from rows: the interpreter, batches under way.
_BYTES_APART = 160 << 20
_LEAST_RUN_ROWS = 10_000


def run_rows_within(memory: int) -> int:
    """How many rows may be sorted at once in so many bytes of memory for the whole replay."""
    return max(_LEAST_RUN_ROWS, (memory - _BYTES_APART) // _BYTES_A_ROW)


class TimeOrder:
    """The rows of `read()` in time order; a context manager, because runs may lie on disk.

    `read` is called once, for a very large input twice; each call must give the same rows. GridwatchError
    when a meter had several devices at once that were no parts of a day.
    """

    def __init__(
        self,
        read: Callable[[], Iterable[list[Row]]],
        *,
        run_rows: int = RUN_ROWS,
        on_read: Callable[[int], None] = lambda rows: None,
        on_first_run: Callable[[int, Path], None] = lambda size, folder: None,
        replay: str = "",
        resume: bool = False,
        remember: Callable[[], Any] = lambda: None,
        check: Callable[[StepWatch], None] = lambda steps: None,
    ) -> None:
        """`on_first_run` gets the size of the first run on disk, and its folder, while more is to come;
        `check` gets the steps of each meter when all rows have been read, and may refuse them.

        Of a `replay` that has a name, what was sorted stays on disk when it is interrupted, with what
        `remember()` says; with `resume` that is taken over, and nothing is read.
        """
        self._read = read
        self._run_rows = run_rows
        self._on_read = on_read
        block_rows = max(64, min(BLOCK_ROWS, run_rows // sorted_runs.FAN_IN))
        self._runs = SortedRuns(replay, block_rows, on_first_run)
        self._named, self._resume, self._remember = bool(replay), resume, remember
        self._check = check
        self._memory: list[Row] | None = None
        self._packed = Packed(run_rows * _BYTES_PACKED)
        self.survey = Survey()
        #: What the interrupted replay remembered, None where nothing was taken over.
        self.remembered: Any = None

    def __enter__(self) -> TimeOrder:
        try:
            if self._resume and (left := self._runs.take_over()) is not None:
                self.survey, self.remembered = left
                return self
            self._first_pass()
            if self.survey.devices.at_once:
                for _ in standing(self._ordered(once_more=True)):
                    pass
            if self._named:
                self._runs.seal((self.survey, self._remember()))
        except BaseException:
            self._runs.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runs.close(interrupted=kind is not None)

    def blocks(self) -> Blocks:
        """The rows in order, some thousand at a time."""
        ordered = self._ordered()
        return standing(ordered) if self.survey.marked else ordered

    def _ordered(self, *, once_more: bool = False) -> Iterator[list[Any]]:
        """The rows in order, with their marks; `once_more`: not the last time that they are asked for."""
        if self._memory is not None:
            return sliced(self._memory)
        if not self.survey.by_time:
            return self._runs.merged()
        kept = self._packed.complete and not once_more
        blocks = self._packed.take() if kept else map(self._columns, self._read())
        return _equal_times_sorted(blocks, marked=self.survey.marked)

    def _columns(self, block: list[Row]) -> list[Any]:
        """The rows of a block as they are ordered."""
        return spread(block) if self.survey.marked else block

    def _first_pass(self) -> None:
        surveyor = Surveyor(self.survey)
        held: list[Row] = []
        for block in self._read():
            surveyor.see(block)
            self._runs.marked = self.survey.marked
            self._on_read(self.survey.rows)
            held += self._columns(block)
            if len(held) >= self._run_rows:
                self._put_by(held)
                held = []
        self._check(surveyor.steps)
        if self._packed.rows or self._runs:
            self._put_by(held)
        else:
            put_in_order(held, marked=self.survey.marked, by_time=self.survey.by_time)
            self._memory = held
        if not self.survey.by_time and not self._packed.complete:
            self._sort(map(self._columns, self._read()))
        self.survey.runs_on_disk, self.survey.bytes_on_disk = len(self._runs), self._runs.peak_bytes

    def _put_by(self, rows: list[Row]) -> None:
        """Keep rows as they are while they are in order; once they are not, only sorted runs help."""
        if self.survey.by_time:
            for block in sliced(rows):
                self._packed.add(block)
        elif self._packed.complete:
            self._sort(self._packed.take())
            self._runs.add(rows)

    def _sort(self, blocks: Iterable[list[Row]]) -> None:
        held: list[Row] = []
        for block in blocks:
            held += block
            if len(held) >= self._run_rows:
                self._runs.add(held)
                held = []
        self._runs.add(held)


def _equal_times_sorted(blocks: Iterable[list[Row]], *, marked: bool) -> Blocks:
    held: list[Row] = []
    for block in blocks:
        held += block
        if held[0][0] == held[-1][0]:
            continue
        put_in_order(held, marked=marked, by_time=True)
        settled = bisect_left(held, held[-1][:1])
        if settled:
            yield held[:settled]
            held = held[settled:]
    put_in_order(held, marked=marked, by_time=True)
    yield from sliced(held)
