"""The files of a replay: which they are, how they are laid out, and their rows, as often as asked."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from gridwatch.errors import GridwatchError
from replay.detection import detect
from replay.files import inspect
from replay.rejects import Rejected
from replay.request import Request
from replay.rows import Row, Tally, read_rows
from replay.sources import Source, expand
from replay.summary import Summary


class Inputs:
    """Finds the files, how they are laid out and, if that was not said, of which kind they are.

    What is found goes into `summary`. GridwatchError for files that cannot be read or have another layout.
    """

    def __init__(self, request: Request, timezone: str, summary: Summary) -> None:
        self._request = request
        self._timezone = timezone
        self._summary = summary
        self._rejected = Rejected(request.rejected) if request.rejected else None
        self._sources: tuple[Source, ...] = expand(request.files)
        if request.profile is None:
            summary.profile, summary.profile_why = detect(self._sources)
        else:
            summary.profile = request.profile
        summary.zone = summary.profile.zone or timezone
        summary.layouts = [inspect(source, summary.profile) for source in self._sources]

    @property
    def paths(self) -> list[Path]:
        """Each file once, however many members it has."""
        return list(dict.fromkeys(source.path for source in self._sources))

    def read(self) -> Iterator[list[Row]]:
        """One pass over all files; every pass counts afresh and ends with the same tally."""
        request, given = self._request, self._request.interval
        tally = self._summary.tally = Tally()
        if self._rejected:
            self._rejected.start()
        try:
            for source in self._sources:
                for block in read_rows(
                    source,
                    self._summary.profile,
                    self._timezone,
                    request.selection,
                    tally,
                    skip_bad=request.skip_bad,
                    rejected=self._rejected,
                ):
                    yield [_with_interval(row, given) for row in block] if given else block
        finally:
            if self._rejected:
                self._rejected.close()

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


def _with_interval(row: Row, minutes: int) -> Row:
    """The reading with its interval given, unless the file gives one."""
    if row[3]:
        return row
    return row[0], row[1], row[2], minutes, f',"interval_minutes":{minutes}{row[4]}'
