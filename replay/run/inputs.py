"""The files of a replay: which they are, how they are laid out, and their rows, as often as asked."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gridwatch.domain.policy import SECOND
from gridwatch.errors import GridwatchError
from replay.faults.base.given import given_by, giving
from replay.files.detection.detect import detect, is_known, misfit
from replay.files.formats.locate import line_of
from replay.files.layout import Layout
from replay.files.overlaps.refusal import refuse_twice
from replay.files.overlaps.watch import StepWatch
from replay.files.reading.opening import inspect, sniff
from replay.files.reading.reader import read_rows
from replay.files.reading.spreadsheets import further_sheets, is_spreadsheet
from replay.files.rejects import Rejected
from replay.files.rows import Row
from replay.files.sources import Source, candidates, nothing_in
from replay.files.tally import Tally
from replay.files.values.decimal_marks import check
from replay.files.versions import preceded
from replay.run.request import Request
from replay.run.summary import Summary
from replay.sending.position import identity_of

#: Files that an error names at most.
_NAMED_FILES = 5


class Inputs:
    """Finds the files, how they are laid out and, if that was not given, of which kind they are.

    What is found goes into `summary`. GridwatchError for files that cannot be read or have another layout.
    """

    def __init__(self, request: Request, timezone: str, summary: Summary) -> None:
        self._request = request
        self._timezone = timezone
        self._summary = summary
        self._rejected = Rejected(request.rejected) if request.rejected else None
        self._sources = self._found()
        summary.zone = summary.profile.zone or timezone
        with _naming_sheets(self._sources):
            summary.layouts = [self._layout(source) for source in self._sources]
        self._sheets = [
            f"{source}: sheets left aside: {', '.join(names)}"
            for source in self._sources
            if (names := _further_sheets(source))
        ]
        self._without: list[str] = []

    def _found(self) -> list[Source]:
        """The files that are read; the others are named in the summary, with why they are left aside."""
        request, summary = self._request, self._summary
        found = candidates(request.files)
        sure = [one.source for one in found if not (one.doubtful or one.aside)]
        if request.profile is None:
            doubtful = [one.source for one in found if one.doubtful and is_known(one.source)]
            if not (sure or doubtful):
                raise nothing_in(request.files[0])
            with _naming_sheets(sure or doubtful):
                summary.profile, summary.profile_why = detect(sure or doubtful, self._timezone)
        else:
            summary.profile = request.profile
        taken = []
        for one in found:
            why = one.aside or (misfit(one.source, summary.profile) if one.doubtful else "")
            if why:
                summary.left_aside.append(f"{one.source}: {why}")
            else:
                taken.append(one.source)
        if not taken:
            raise nothing_in(request.files[0])
        return taken

    def _layout(self, source: Source) -> Layout:
        profile = self._summary.profile
        layout = inspect(source, profile)
        if doubt := check(sniff(source, profile.encoding), layout, profile):
            self._summary.doubts.append(doubt)
        return layout

    @property
    def paths(self) -> list[Path]:
        """Each file once, however many members it has."""
        return list(dict.fromkeys(source.path for source in self._sources))

    @property
    def without_readings(self) -> str:
        """The files in which the latest pass met nothing, the first few by name; empty if all have some."""
        more = len(self._without) - _NAMED_FILES
        return ", ".join(self._without[:_NAMED_FILES]) + (f" and {more:,} more" if more > 0 else "")

    def identity(self, options: dict[str, Any]) -> str:
        """What the sequence depends on: the options, what is in the files, and their order, since of two
        files that contradict each other the later one stands."""
        contents = [identity_of([path], {}) for path in self.paths]
        return identity_of((), options | {"contents": contents})

    def read(self) -> Iterator[list[Row]]:
        """One pass over all files; every pass counts afresh and ends with the same tally."""
        tally = self._summary.tally = Tally()
        tally.notes.update(self._sheets)
        self._without = []
        if self._rejected:
            self._rejected.start()
        try:
            for source in self._sources:
                before = _met(tally)
                yield from self._read_one(source, tally, self._rejected)
                if _met(tally) == before:
                    self._without.append(str(source))
        finally:
            if self._rejected:
                self._rejected.close()

    def refuse_twice(self, steps: StepWatch) -> None:
        """GridwatchError where a meter has readings of different steps at one time; all have been read."""
        refuse_twice(steps, self._once_more, self._sources, self._line_of)

    def _once_more(self) -> Iterator[tuple[int, list[Row]]]:
        """All rows again, with the number of their file; nothing of it is counted."""
        tally = Tally()
        for number, source in enumerate(self._sources):
            for block in self._read_one(source, tally, None):
                yield number, block

    def _read_one(self, source: Source, tally: Tally, rejected: Rejected | None) -> Iterator[list[Row]]:
        request, given = self._request, self._request.interval
        for block in read_rows(
            source,
            self._summary.profile,
            self._timezone,
            request.selection,
            tally,
            skip_bad=request.skip_bad,
            rejected=rejected,
        ):
            yield [_with_interval(row, given) for row in block] if given else block

    def _line_of(self, file: int, meter: str, time: int, kwh: float) -> int:
        """The line of a reading; 0 where it is not known."""
        profile, selection = self._summary.profile, self._request.selection
        return line_of(self._sources[file], profile, self._timezone, selection, (meter, time, kwh))

    def room_check(self, say: Callable[[str], None]) -> Callable[[int, Path], None]:
        """What to do when the first sorted run is on disk, given its size (bytes) and folder: reckon how much
        all of them will need, say so, and raise GridwatchError unless there is room."""

        def check(size: int, folder: Path) -> None:
            total = sum(path.stat().st_size for path in self.paths)
            share = min(1.0, max(self._summary.tally.bytes_read / total, 1e-6)) if total else 1.0
            needed = self._summary.temp_estimate = round(size / share)
            free = shutil.disk_usage(folder).free
            if needed > free:
                raise GridwatchError(
                    f"sorting by time needs about {needed / 1e9:,.1f} GB in {folder.parent}, "
                    f"{free / 1e9:,.1f} GB are free",
                    "make room there, set TMPDIR to a folder with more, or replay fewer files at a time",
                )
            say(f"reading (sorting needs about {needed / 1e6:,.0f} MB on disk)")

        return check


def _met(tally: Tally) -> int:
    """How much has been met, whether it is a reading that is wanted or not."""
    return tally.rows + tally.null_values + tally.other_series + tally.off_grid + tally.bad.total()


def _further_sheets(source: Source) -> list[str]:
    return further_sheets(source) if is_spreadsheet(source) else []


@contextmanager
def _naming_sheets(sources: Iterable[Source]) -> Iterator[None]:
    """Where the first sheet of a workbook is not what is wanted, say which others there are."""
    try:
        yield
    except GridwatchError as problem:
        for source in sources:
            own = problem.message.startswith((f"{source}:", f"{source},"))
            if own and (names := _further_sheets(source)):
                raise type(problem)(
                    f"{problem.message}; only the first sheet is read, others are: {', '.join(names)}",
                    "move the sheet with the readings to the front, or save it as CSV; "
                    f"else {problem.remedy}",
                ) from problem
        raise


def _with_interval(row: Row, seconds: int) -> Row:
    """The reading with its interval given, unless the file gives one."""
    if given_by(row):
        return row
    minutes, given = giving(seconds * SECOND, "")
    return *row[:3], minutes, preceded(row[4], given)
