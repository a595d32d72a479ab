"""Files with many readings a line: a day of one meter (a column a slot), or a slot of all (a column a meter).

Where such a file is in local time, it has one column or line for an hour that the clocks skip, and often
only one for an hour that they repeat. A skipped hour holds zeros, which are left out; anything else there
is an error. A repeated hour that stands once is the sum of both and is sent as two halves, flagged.
"""

from __future__ import annotations

from replay.cells import DECIMALS, Intake, Numbers, Scale, code, tail
from replay.local_time import Folds, LocalTime, local_micros
from replay.rows import BadCell, Job, Row

_MINUTE = 60_000_000
SPLIT = "DST_SPLIT"


class _WideParser:
    """What both kinds share."""

    #: Minutes of a slot.
    _interval: int

    def __init__(self, job: Job) -> None:
        self.previous: Row | None = None
        self._job = job
        self._profile = job.profile
        self._layout = job.layout
        self._clocks = LocalTime(job.profile.zone or job.zone)
        self._intake = Intake(job)
        self._number = Numbers(job.profile.decimal_marks, job.layout.delimiter).read
        self._nulls = job.profile.null_tokens | {""}
        self._split = job.profile.dst == "split"
        self._forms = job.profile.stamps

    def finish(self, block: list[Row]) -> None:
        """Nothing is held."""

    def _values(self, cells: list[str]) -> list[float | None]:
        """The values of a line, None where there is none."""
        if len(cells) != len(self._layout.headers):
            reason = f"{len(cells)} columns, the header has {len(self._layout.headers)}"
            raise BadCell("(row)", ",".join(cells)[:200], reason)
        headers, nulls, number = self._layout.headers, self._nulls, self._number
        return [
            None if (text := cells[at]) in nulls or text.strip() in nulls else number(headers[at], text)
            for at in self._layout.cells
        ]

    def _local(self, text: str) -> int:
        try:
            return local_micros(text.strip(), self._forms)
        except ValueError as problem:
            raise BadCell("timestamp", text, f"not a time: {problem}") from problem

    def _halved(self, rows: list[Row], meter: str, times: tuple[int, ...], kwh: float) -> None:
        half = round(kwh / 2, DECIMALS)
        for time, part in zip(times, (half, round(kwh - half, DECIMALS)), strict=True):
            self._intake.take(rows, meter, time, part, tail(self._interval, [SPLIT]))
        self._job.tally.split_hours += 1


class DayParser(_WideParser):
    """A line is one meter's day, its columns the slots in order from midnight."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        slots = len(job.layout.cells)
        if 1440 % slots:
            raise BadCell("(row)", str(slots), "the number of columns with values does not divide a day")
        self._interval = 1440 // slots
        self._forms = self._forms or ("%Y-%m-%d",)
        self._scale = Scale(job.profile.kwh_per_unit(self._interval))
        columns = job.layout.columns
        self._meter_at, self._day_at = columns["meter_id"], columns["timestamp"]
        self._series_at, self._quality_at = columns.get("series", -1), columns.get("quality", -1)
        self._days: tuple[str, list[tuple[int, ...]]] = ("", [])

    def __call__(self, cells: list[str], block: list[Row]) -> None:
        if not cells or cells == [""]:
            return
        values = self._values(cells)
        profile, tally = self._profile, self._job.tally
        meter, last = cells[self._meter_at].strip(), tail(self._interval)
        if self._series_at >= 0 and profile.series:
            series = profile.series(cells[self._series_at].strip())
            if series is None or not series.wanted(self._job.selection.flow):
                tally.other_series += len(values)
                return
            meter += series.suffix
        if self._quality_at >= 0 and profile.quality and (text := cells[self._quality_at].strip()):
            last = tail(self._interval, [code(profile.quality[1], text)])
        rows: list[Row] = []
        nulls = 0
        for times, value in zip(self._slots(cells[self._day_at]), values, strict=True):
            if value is None:
                nulls += 1
            elif len(times) == 1:
                self._intake.take(rows, meter, times[0], self._scale(value), last)
            elif not times:
                if value:
                    raise BadCell(
                        "timestamp", cells[self._day_at], "energy in an hour that the clocks skipped"
                    )
                tally.skipped_hours += 1
            elif self._split:
                self._halved(rows, meter, times, self._scale(value))
            else:
                tally.ambiguous += 1
                self._intake.take(rows, meter, times[0], self._scale(value), last)
        tally.null_values += nulls
        block += rows

    def _slots(self, text: str) -> list[tuple[int, ...]]:
        """The instants of each slot of a day."""
        if self._days[0] != text or not self._days[1]:
            day, step = self._local(text), self._interval * _MINUTE
            slots = [self._clocks.instants(day + slot * step) for slot in range(1440 // self._interval)]
            self._days = (text, slots)
        return self._days[1]


class MeterColumnsParser(_WideParser):
    """A line is one slot of all meters, a column each."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self._interval = job.profile.interval
        self._scale = Scale(job.profile.kwh_per_unit())
        self._time_at = job.layout.columns["timestamp"]
        self._meters = [job.layout.headers[at].strip() for at in job.layout.cells]
        self._shift = self._interval * _MINUTE if job.profile.anchor == "end" else 0
        self._folds = Folds()

    def __call__(self, cells: list[str], block: list[Row]) -> None:
        if not cells or cells == [""]:
            return
        values = self._values(cells)
        times = self._times(cells[self._time_at], values, block[-1] if block else self.previous)
        if not times:
            self._job.tally.skipped_hours += len(values)
            return
        take, scale, last = self._intake.take, self._scale, tail(self._interval)
        rows: list[Row] = []
        for meter, value in zip(self._meters, values, strict=True):
            if value is None:
                self._job.tally.null_values += 1
            elif len(times) == 1:
                take(rows, meter, times[0], scale(value), last)
            else:
                self._halved(rows, meter, times, scale(value))
        block += rows

    def _times(self, text: str, values: list[float | None], before: Row | None) -> tuple[int, ...]:
        """The instant of a line, both of an hour that stands once for two, none of a skipped one."""
        label = self._local(text)
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
        if len(times) > 1 and not self._split:
            self._job.tally.ambiguous += 1
            last = None if before is None else (before[0], "", 0.0, 0, "")
            return (self._folds.tell("", times[0], times[1], last),)
        return times
