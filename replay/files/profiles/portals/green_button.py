"""Green Button, download my data (ESPI): Atom XML of one or more usage points.

A reading has a start (seconds since 1970, UTC), a duration and a value; its reading type says what a value
is: unit 72 is Wh, 38 is W, each times a power of ten; direction 1 is taken from the grid, 19 fed in. Which
series a reading belongs to, and which are left out: `replay.files.formats.espi_series`. A reading without a
time follows on the one before it in its block. Quality codes of a reading become flags (`ESPI_8`: estimated).
Of a reading that comes twice the one whose entry was updated later stands, then the one of better quality.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from gridwatch.domain.policy import SECOND
from gridwatch.errors import GridwatchError
from replay.files.formats.espi import IntervalReading, contents, readings
from replay.files.formats.espi_intervals import Intervals
from replay.files.formats.espi_series import LONG_DAY, SeriesOfFile
from replay.files.job import BLOCK_ROWS, BadCell, Job
from replay.files.layout import Layout, Start
from replay.files.profile import Profile, Series
from replay.files.reading.opening import plain
from replay.files.rows import Row
from replay.files.values.cells import Intake, Numbers, Scale, code, tail
from replay.files.versions import marked

_ACCEPTED = ("start", "duration", "value")
_EARLIEST, _LATEST = 0, 253_370_764_800
#: A day on which the clocks went forward; days on which they change are days all the same.
_SHORT_DAY, _DAY = 82_800, 86_400
#: Which value stands if both were updated at one time: measured and checked ones before estimates.
_RANKS = {"19": 5, "18": 4, "0": 4, "17": 4, "7": 4, "11": 2, "13": 2, "16": 2}
_RANKS |= dict.fromkeys(("8", "9", "10", "12", "15"), 1)
_PLAIN_RANK, _RANK_BITS = 3, 3


def _read(job: Job) -> Iterator[list[Row]]:
    found = contents(job.source)
    streams = SeriesOfFile(found, job.source)
    job.tally.notes.update(streams.remarks)
    intake, intervals = Intake(job), Intervals(job.tally, str(job.source))
    number = Numbers((".",), " ").read
    rows: list[Row] = []
    for some in readings(job.source, job.tally.on_bytes):
        for block, reading in some:
            stream = streams.of(block, reading)
            if not stream.unit or not Series(generation=stream.generation).wanted(job.selection.flow):
                job.tally.other_series += 1
                continue
            try:
                start = _seconds(_with_time(reading, stream.interval), "start", _EARLIEST, _LATEST)
                duration = _seconds(reading, "duration", 1, LONG_DAY, stream.interval)
                value = number("value", reading.values.get("value", ""))
                if duration % 60:
                    raise BadCell("duration", str(duration), "not a whole number of minutes")
            except BadCell as problem:
                job.reject(problem, reading.line, str(reading.values))
                continue
            scale = Scale(
                job.profile.kwh_per_unit(duration // 60, stream.unit) * Fraction(10) ** stream.power_of_ten
            )
            usual = _DAY if _SHORT_DAY <= duration <= LONG_DAY else duration
            interval = usual // 60
            codes = [code("ESPI", quality) for quality in reading.qualities]
            last = marked(tail(interval, codes), found.updated(block) << _RANK_BITS | _rank(reading))
            if intake.wants(stream.meter, start * SECOND):
                intervals.add(stream.counted, start, duration, usual)
            intake.take(rows, stream.meter, start * SECOND, scale(value), last)
        if len(rows) >= BLOCK_ROWS:
            yield rows
            rows = []
    if rows:
        yield rows
    intervals.finish()


def _with_time(reading: IntervalReading, interval: int) -> IntervalReading:
    """The reading, with its place in its block as its time where it has none; `interval` in seconds."""
    first = reading.block_start
    if "start" not in reading.values and interval and first.isascii() and first.isdigit():
        reading.values["start"] = str(int(first) + reading.before * interval)
    return reading


def _rank(reading: IntervalReading) -> int:
    """How good a value is by its quality codes; one without is as good as a raw one."""
    return min((_RANKS.get(quality, _PLAIN_RANK) for quality in reading.qualities), default=_PLAIN_RANK)


def _seconds(reading: IntervalReading, name: str, least: int, most: int, instead: int = 0) -> int:
    text = reading.values.get(name, "")
    if not text and instead:
        return instead
    if not re.fullmatch(r"-?\d{1,12}", text) or not least <= int(text) < most + 1:
        raise BadCell(name, text, f"not whole seconds from {least} to {most}" if text else "missing")
    return int(text)


def _inspect(start: Start, profile: Profile) -> Layout:
    if not _recognise(start):
        raise GridwatchError(
            f"{start.source}, line 1: not a Green Button file: no Atom feed with http://naesb.org/espi; "
            f"found: {start.lines[0][:80]!r}",
            "choose another --profile (--profile auto finds out)",
        )
    return plain(start, " ", _ACCEPTED)


def _recognise(start: Start) -> str:
    text = start.text.lstrip()
    feed = text.startswith("<") and ("naesb.org/espi" in text or "<!DOCTYPE" in text or "<feed" in text)
    return "XML with http://naesb.org/espi" if feed else ""


def _no_lines(job: Job) -> None:
    raise GridwatchError(f"{job.layout.file}: Green Button files have no lines of cells")


GREEN_BUTTON = Profile(
    name="green-button",
    meaning="Green Button (ESPI): Atom XML with interval blocks in Wh or W",
    columns={},
    parser=_no_lines,
    unit="Wh",
    zone="UTC",
    zone_known=True,
    anchor="start",
    order="meter",
    inspect=_inspect,
    reader=_read,
    recognise=_recognise,
)
