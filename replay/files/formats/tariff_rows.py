"""Tariffs that are added up: refuses what would replace a sum by a part of it.

The later of two rows of one meter and time stands, and a sum of tariffs is one row. So a later value of one
tariff alone, in the same file or in another one, would drop the energy of the others.
"""

from __future__ import annotations

from replay.files.formats.field_rows import FieldParser
from replay.files.job import BadCell, Job
from replay.files.rows import Row
from replay.files.values.cells import Intake
from replay.files.values.samples import EXPORT, Sample, Stage
from replay.files.values.stages import BETWEEN

_APART = 'a meter of its own for each of them: [series] NT = "consumption night"'
#: Meter → time (µs) → the tariffs in its sum.
Sums = dict[str, dict[int, frozenset[str]]]


class TariffParser(FieldParser):
    """A line → the samples of its series, of which several are added up."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        sums = job.tally.tariffs
        self._stage = _WholeFiles(self._stage, sums) if self._apart else _EachTime(self._stage, job, sums)


class _EachTime:
    """Before the stage that adds up the values of a time as they come."""

    def __init__(self, after: Stage, job: Job, before: Sums) -> None:
        self._after = after
        self._before = before
        self._wants = Intake(job).wants
        self._sums: Sums = {}
        #: The last line of each time that the files before had, too.
        self._again: dict[tuple[str, int], int] = {}

    def take(self, sample: Sample, block: list[Row]) -> None:
        """Hand on the sample. BadCell where its time has a sum that it would replace by a part."""
        if sample.value is not None and self._wants(sample.meter, sample.time):
            self._check(sample)
        self._after.take(sample, block)

    def _check(self, sample: Sample) -> None:
        meter, time, series = sample.counted_by, sample.time, sample.series
        times = self._sums.setdefault(meter, {})
        names = times.get(time, frozenset[str]())
        if series in names and len(names) > 1:
            others = ", ".join(sorted(names - {series}))
            raise _wrong(
                series,
                sample.line,
                "a second value of this tariff at a time whose sum was built already: it would replace the "
                f"sum, with {others}. Leave one of the two rows out, or have {_APART}",
            )
        earlier = self._before.get(meter, {}).get(time)
        if earlier is not None:
            if series not in earlier:
                raise _wrong(series, sample.line, _of_two_files(earlier))
            self._again[meter, time] = sample.line
        times[time] = names | {series}

    def finish(self, block: list[Row]) -> None:
        """Hand out what is held. BadCell where a sum of a file before has tariffs that this file lacks."""
        self._after.finish(block)
        lost = [
            (line, names, self._before[meter][time])
            for (meter, time), line in self._again.items()
            if not self._before[meter][time] <= (names := self._sums[meter][time])
        ]
        for meter, times in self._sums.items():
            self._before.setdefault(meter, {}).update(times)
        self._sums, self._again = {}, {}
        if lost:
            line, names, earlier = min(lost, key=lambda one: one[0])
            raise _wrong(", ".join(sorted(names)), line, _of_two_files(earlier))


class _WholeFiles:
    """Before the stage that adds up tariffs when a file has ended: registers, and values between stamps."""

    def __init__(self, after: Stage, before: Sums) -> None:
        self._after = after
        self._before = before
        self._names: dict[str, set[str]] = {}
        self._line: dict[str, int] = {}

    def take(self, sample: Sample, block: list[Row]) -> None:
        """Hand on the sample."""
        if sample.value is not None:
            meter = sample.meter.partition(BETWEEN)[0]
            self._names.setdefault(meter, set()).add(sample.series)
            self._line[meter] = sample.line
        self._after.take(sample, block)

    def finish(self, block: list[Row]) -> None:
        """Hand out the sums, but for those that would replace one with more tariffs: BadCell."""
        start = len(block)
        self._after.finish(block)
        names = {meter: frozenset(found) for meter, found in self._names.items()}
        rows, problem = [], None
        for row in block[start:]:
            time, name = row[:2]
            meter = name if name in names else name.removesuffix(EXPORT)
            times = self._before.setdefault(name, {})
            if times.get(time, names[meter]) <= names[meter]:
                times[time] = names[meter]
                rows.append(row)
            elif problem is None:
                found = ", ".join(sorted(names[meter]))
                problem = _wrong(found, self._line[meter], _of_two_files(times[time]))
        block[start:] = rows
        if problem is not None:
            raise problem


def _of_two_files(earlier: frozenset[str]) -> str:
    return (
        f"another file has this time of the meter, as the sum of {', '.join(sorted(earlier))}, which this "
        f"one would replace. Put the tariffs in one file, or have {_APART}"
    )


def _wrong(found: str, line: int, reason: str) -> BadCell:
    problem = BadCell("series", found, reason)
    problem.line = line
    return problem
