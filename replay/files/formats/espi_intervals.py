"""Refuses hours and days of one usage point and direction whose times overlap: the energy would count twice.

Within a file the finer series is taken (see `espi_series`). Of several files, or where one series holds both,
nobody but the user can say which is meant.

`replay.files.overlaps` refuses the same of every kind of file, meter by meter. That cannot stand for this
module: two files may name the series of one usage point differently (`1-2` and `1-2-d`), so that only the
addresses in the files tell what counts twice, not the ids of meters.
"""

from __future__ import annotations

from gridwatch.domain.instants import format_instant
from gridwatch.domain.policy import SECOND
from gridwatch.errors import GridwatchError
from replay.files.covered import Covered
from replay.files.tally import Tally


class Intervals:
    """The times of the series of one file, in each interval; those of the files before are in the tally."""

    def __init__(self, tally: Tally, file: str) -> None:
        self._before = tally.covered
        self._file = file
        self._found: dict[tuple[str, ...], dict[int, Covered]] = {}

    def add(self, counted: tuple[str, ...], start: int, duration: int, interval: int) -> None:
        """A reading of a series; all in seconds, `interval` the same for every day."""
        of_series = self._found.setdefault(counted, {})
        covered = of_series.get(interval)
        if covered is None:
            covered = of_series[interval] = Covered(self._file, interval)
        covered.add(start, duration)

    def finish(self) -> None:
        """The file has ended. GridwatchError for what it counts once more, in other intervals."""
        for counted, of_series in self._found.items():
            known = self._before.setdefault(counted, [])
            for one in of_series.values():
                for other in known:
                    _refuse_twice(counted, one, other)
                known.append(one)
        self._found = {}


def _refuse_twice(counted: tuple[str, ...], one: Covered, other: Covered) -> None:
    fine, coarse = sorted((one, other), key=lambda covered: covered.interval)
    if fine.interval * 2 > coarse.interval or (both := fine.overlap(coarse)) is None:
        return
    first, last = (format_instant(time * SECOND) for time in both)
    meter = "-".join(part for part in counted[:2] if part)
    raise GridwatchError(
        f"{coarse.file} has intervals of {coarse.interval // 60} minutes and {fine.file} intervals of "
        f"{fine.interval // 60} minutes of the same usage point and direction ({meter}), both from {first} "
        f"to {last}: their energy would count twice",
        "replay one of them only, the finer one if you have it"
        + (
            "; or each for a time of its own, with --start and --end"
            if coarse.file != fine.file
            else ": choose one when you download the file, or take the other one's IntervalBlocks out"
        ),
    )
