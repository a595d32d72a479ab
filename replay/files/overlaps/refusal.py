"""Refuses hours and days of one meter at one time: the energy would count twice, and midnights be replaced.

`replay.files.overlaps.watch` has seen all rows. Only where the stamps of some meters are suspicious the files
are gone through once more, for the values of these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from gridwatch.domain.instants import format_instant
from gridwatch.domain.policy import DAY, MINUTE
from gridwatch.errors import GridwatchError
from replay.files.overlaps.evidence import Evidence, Proof, Seen
from replay.files.overlaps.pairs import Window, windows_of
from replay.files.overlaps.walk import Walk
from replay.files.overlaps.watch import StepWatch
from replay.files.rows import Row
from replay.files.sources import Source

#: Readings that are kept at most while the files are gone through once.
_MOST_READINGS = 300_000
#: File and, where it is known, the line of a reading: its source's number, meter, time and value.
Locate = Callable[[int, str, int, float], int]


def refuse_twice(
    watch: StepWatch,
    again: Callable[[], Iterable[tuple[int, list[Row]]]],
    sources: list[Source],
    line_of: Locate,
) -> None:
    """GridwatchError where two series of a meter have different steps at one time.

    `again` gives all rows once more, with the number of their file among `sources`; `line_of` finds a line,
    0 where it is not known.
    """
    for lot in _lots(_suspicious(watch)):
        evidence: dict[str, list[Evidence]] = {}
        for window in lot:
            evidence.setdefault(window.meter, []).append(Evidence(window))
        for file, block in again():
            for row in block:
                for one in evidence.get(row[1], ()):
                    one.see(row, file)
        for of_meter in evidence.values():
            for one in of_meter:
                if (proof := one.proof) is not None:
                    raise _problem(one.window, proof, sources, line_of)


def _suspicious(watch: StepWatch) -> Iterator[Window]:
    """The windows of all meters, in the order in which meters came first."""
    meters: dict[str, list[tuple[int, str, Walk]]] = {}
    for meter, stated, device, walk in watch.finish():
        meters.setdefault(meter, []).append((stated, device, walk))
    for meter, series in meters.items():
        yield from windows_of(meter, series)


def _lots(windows: Iterable[Window]) -> Iterator[list[Window]]:
    """The windows, as many at once as memory is meant for."""
    lot: list[Window] = []
    readings = 0
    for window in windows:
        lot.append(window)
        readings += window.readings
        if readings >= _MOST_READINGS:
            yield lot
            lot, readings = [], 0
    if lot:
        yield lot


def _problem(window: Window, proof: Proof, sources: list[Source], line_of: Locate) -> GridwatchError:
    def where(one: Seen) -> str:
        line = line_of(one.file, window.meter, one.time, one.kwh)
        return f"{sources[one.file]}, line {line}" if line else str(sources[one.file])

    coarse, fine = proof
    first, last = format_instant(window.first), format_instant(window.last)
    one_file = coarse.file == fine.file
    remedy = (
        "send one of the two: take the rows of the other one out of the file, or name the column that tells "
        "them apart as columns.series in a profile of your own"
        if one_file
        else "send one of the two, the finer one if you have it; or each for a time of its own, with --start "
        "and --end; files of different meters need ids of their own (columns.meter_id in a profile)"
    )
    return GridwatchError(
        f"{where(coarse)}: {window.meter} has intervals of {_words(window.coarse.step)} here and of "
        f"{_words(window.fine.step)} in {where(fine)}, both from {first} to {last}: their energy would count "
        f"twice (at {format_instant(coarse.time)} {coarse.kwh:g} kWh, and {fine.kwh:g} kWh at "
        f"{format_instant(fine.time)})",
        remedy,
    )


def _words(step: int) -> str:
    return f"{step / DAY:g} days" if step > DAY else f"{step / MINUTE:g} minutes"
