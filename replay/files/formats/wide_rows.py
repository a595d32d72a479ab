"""Files with many readings a line: a day of one meter (a column a slot), or a slot of all (a column a meter).

Days on which clocks change have more or fewer columns with values than others, or as many: a skipped hour
then holds zeros or nothing, which are left out, and a repeated hour that stands once is the sum of both and
is sent as two halves, flagged, where the profile says so.
"""

from __future__ import annotations

from typing import NamedTuple

from replay.files.job import BadCell, Job
from replay.files.layout import unwrapped
from replay.files.rows import Row
from replay.files.stamps.local_time import LocalTime, read_stamp
from replay.files.stamps.midnights import Midnights
from replay.files.stamps.repeated_hours import RepeatedHours
from replay.files.stamps.unread import not_a_time
from replay.files.values.cells import DECIMALS, Intake, Numbers, Scale, fitted, tail
from replay.files.values.samples import Readings, Sample
from replay.files.values.value_cells import column_meters

SPLIT = "DST_SPLIT"


class Slot(NamedTuple):
    """A value of a meter and the instants that it may be of; `out`: it was fed in."""

    meter: str
    times: tuple[int, ...]
    value: float
    out: bool = False
    codes: tuple[str, ...] = ()


class WideParser:
    """What both kinds share."""

    #: Minutes of a slot.
    _interval: int
    #: The columns that are needed, besides those with values.
    _needed: int

    def __init__(self, job: Job) -> None:
        self._job = job
        self._profile = job.profile
        self._layout = job.layout
        self._clocks = LocalTime(job.profile.zone or job.zone)
        self._intake = Intake(job)
        self._both_ways = Readings(job) if job.profile.negative == "generation" else None
        numbers = Numbers(job.profile.decimal_marks, job.layout.delimiter, job.profile.thousands)
        self._number = numbers.read
        self._nulls = job.profile.null_tokens | {""}
        self._split = job.profile.dst == "split"
        self._forms = job.profile.stamps

    def finish(self, block: list[Row]) -> None:
        """Nothing is held."""

    def _values(self, cells: list[str]) -> list[float | None]:
        """The values of a line, None where there is none."""
        if len(cells) != len(self._layout.headers):
            cells = fitted(cells, len(self._layout.headers), self._needed, self._layout.delimiter)
        headers, nulls, number = self._layout.headers, self._nulls, self._number
        return [
            None if (text := cells[at]) in nulls or text.strip() in nulls else number(headers[at], text)
            for at in self._layout.cells
        ]

    def _local(self, text: str) -> int:
        """A local time; BadCell where there is none, or one with an offset."""
        try:
            local, zone = read_stamp(unwrapped(text.strip()), self._forms)
        except ValueError as problem:
            raise not_a_time(text, problem) from problem
        return self._of_zone(text, local, zone)

    def _of_zone(self, text: str, local: int, zone: str) -> int:
        raise NotImplementedError

    def _put(self, rows: list[Row], slot: Slot, time: int, kwh: float, *codes: str) -> None:
        """Append a reading."""
        found = [*slot.codes, *codes]
        if self._both_ways is None:
            self._intake.take(rows, slot.meter, time, kwh, tail(self._interval, found))
        else:
            sample = Sample(time, slot.meter, kwh, 0, self._interval, codes=tuple(found), generation=slot.out)
            self._both_ways.take(sample, rows)

    def _halved(self, rows: list[Row], slot: Slot, kwh: float) -> None:
        half = round(kwh / 2, DECIMALS)
        for time, part in zip(slot.times, (half, round(kwh - half, DECIMALS)), strict=True):
            self._put(rows, slot, time, part, SPLIT)
        self._job.tally.split_hours += 1


class MeterColumnsParser(WideParser):
    """A line is one slot of all meters, a column each."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self._interval = job.profile.interval
        self._scale = Scale(job.profile.kwh_per_unit())
        self._time_at = self._needed = job.layout.columns["timestamp"]
        self._meters = column_meters(job.layout)
        self._shift = job.profile.shift
        self.hours = RepeatedHours(job.tally, job.selection)
        self._midnights, self._latest = Midnights(), ""

    def finish(self, block: list[Row]) -> None:
        """Nothing is held. BadCell where midnights stand under the wrong date."""
        self._midnights.end(self._latest)

    def __call__(self, cells: list[str], block: list[Row]) -> None:
        if not cells or cells == [""]:
            return
        values = self._values(cells)
        times = self._times(cells[self._time_at], values)
        if not times:
            self._job.tally.skipped_hours += len(values)
            return
        scale = self._scale
        rows: list[Row] = []
        for meter, value in zip(self._meters, values, strict=True):
            if value is None:
                self._job.tally.null_values += 1
            elif len(times) == 1 or not self._split:
                self._put(rows, Slot(meter, times, value), times[0], scale(value))
            else:
                self._halved(rows, Slot(meter, times, value), scale(value))
        if len(times) == 1:
            self.hours.saw(self._meters[0], times[0], block)
        elif not self._split:
            self._job.tally.ambiguous += 1
            time = self.hours.instant(
                self._meters[0], times[0], times[1], block, value=values, rows=len(rows)
            )
            rows = [(time, *row[1:]) for row in rows]
        block += rows

    def _of_zone(self, text: str, local: int, zone: str) -> int:
        if zone:
            raise BadCell("timestamp", text, "an offset, in a file of local times")
        return local

    def _times(self, text: str, values: list[float | None]) -> tuple[int, ...]:
        """The instant of a line, both of an hour that is repeated, none of a skipped one."""
        label = self._local(text)
        self._midnights.see(text, label, offset=False)
        self._latest = text
        local = label - self._shift
        times = self._clocks.instants(local)
        skipped = not times or (self._shift > 0 and not self._clocks.instants(label))
        if skipped and self._split and not any(values):
            return ()
        if not times:
            # A stamp of the end names the clock's next time, after the jump.
            times = tuple(end - self._shift for end in self._clocks.instants(label))
            if not self._shift or not times:
                raise self._clocks.skipped(label)
        return times
