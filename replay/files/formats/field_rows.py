"""Files with one line a time whose cells need more than reading a number.

Stamps in parts or numbered intervals, several series in columns or lines, registers, power in varying
steps, units in a column.

A line is taken apart into samples. They wait in a list while the time of one of them is not certain, and
then go through the stages of `replay.files.values.stages`.
"""

from __future__ import annotations

from typing import Any

from gridwatch.domain.policy import DAY, HOUR, MINUTE
from replay.files.formats.wide_rows import SPLIT
from replay.files.job import BadCell, Job, Selection
from replay.files.layout import unwrapped
from replay.files.profile import DAY_MINUTES, MONTH_MINUTES, OPTIONAL_FIELDS, POWER, Series
from replay.files.rows import Row
from replay.files.spacing import MONTH, MONTHLY, Spacing
from replay.files.stamps.day_slots import DaySlots
from replay.files.stamps.local_time import LocalTime, SkippedHour, read_stamp
from replay.files.stamps.moments import Moment, Moments
from replay.files.stamps.repeated_hours import RepeatedHours
from replay.files.stamps.unread import not_a_time
from replay.files.values.cells import DECIMALS, Numbers, codes, fitted, named_after_file
from replay.files.values.members import optional_members
from replay.files.values.names import Names
from replay.files.values.samples import Sample
from replay.files.values.stages import BETWEEN, may_be_power, stage_of
from replay.files.values.value_cells import Value, ValueCells
from replay.files.versions import Marked

#: Samples that wait at most, and how many times that where days are not over by then.
_MOST_WAITING = 300_000
_ONCE_MORE = 4


class FieldParser:
    """A line → the samples of its series."""

    def __init__(self, job: Job) -> None:
        layout, profile = job.layout, job.profile
        columns = layout.columns
        #: The line of the file that is taken next.
        self.line = 0
        self._job = job
        self._profile, self._tally = profile, job.tally
        self._width = len(layout.headers)
        self._meter_at = columns.get("meter_id", -1)
        #: A column a meter: the headers are their names.
        self._meters_across = bool(layout.cells)
        self._file_meter = "" if self._meters_across or self._meter_at >= 0 else named_after_file(job)
        self._slot_at, self._quality_at = columns.get("slot", -1), columns.get("quality", -1)
        #: Rows of profiles that know devices are all marked, also those of files without that column.
        self._marked, self._device_at = "device" in profile.columns, columns.get("device", -1)
        self._optional = [(name, columns[name]) for name in OPTIONAL_FIELDS if name in columns]
        self._names = Names(job.tally)
        self._moments = Moments(job)
        self._numbers = Numbers(profile.decimal_marks, layout.delimiter, profile.thousands)
        self._cells = ValueCells(job, self._numbers)
        self._needed = max(self._meter_at, self._slot_at, self._cells.needed, self._moments.needed)
        self._stage = stage_of(job, self._moments.clocks, power=may_be_power(profile))
        self._apart = profile.add_up and (profile.difference or profile.steps == "stamps")
        self._grid = profile.step if profile.off_grid == "leave out" else 0
        self._split = profile.dst == "split"
        ends = profile.anchor == "end" and not profile.difference
        self._hours = RepeatedHours(job.tally, Selection(), ends=ends)
        #: Of each meter whose rows say their end: the time of its last one, and how far from the one before.
        self._before: dict[str, tuple[int, int]] = {}
        self._slots = self._day_slots()
        self._waiting: list[Any] = []
        self._checked = False
        self._most = _MOST_WAITING

    def __call__(self, cells: list[str], block: list[Row]) -> None:
        if not cells or cells == [""]:
            return
        if len(cells) != self._width:
            cells = fitted(cells, self._width, self._needed, self._job.layout.delimiter)
        meter = unwrapped((cells[self._meter_at] if self._meter_at >= 0 else self._file_meter).strip())
        if not meter and not self._meters_across:
            raise BadCell("meter_id", "", "empty")
        text = self._cells.text(cells)
        values = self._cells.read(cells)
        if not values:
            return
        if self._profile.steps != "stamps" and all(value is None for _, _, value in values):
            self._tally.null_values += len(values)
            self._pass_by(cells, meter, text, [series for series, _, _ in values])
            return
        moment = self._moment(cells, meter + text, values)
        if moment is not None or self._slot_at >= 0:
            self._take(cells, meter, text, values, moment)
            self._drain(block)

    def _pass_by(self, cells: list[str], meter: str, text: str, series: list[Series]) -> None:
        """A line without a value is one of the two of its stamp, too, in the hour that the clocks repeat."""
        two = None if self._slot_at >= 0 or self._split else self._moments.twofold(cells)
        if two is None:
            return
        for one in series:
            key = meter + one.suffix + (BETWEEN + text if self._apart else "") + BETWEEN + text
            self._hours.instant(key, *two, self._waiting, rows=0)

    def _moment(self, cells: list[str], meter: str, values: list[Value]) -> Moment | None:
        """When a line was; None where its interval is numbered, or it has nothing in a skipped hour."""
        if self._slot_at >= 0:
            return None
        try:
            return self._moments.read(cells, meter)
        except SkippedHour:
            if not self._split or any(value for _, _, value in values):
                raise
            self._tally.skipped_hours += len(values)
            return None

    def _take(
        self,
        cells: list[str],
        meter: str,
        text: str,
        values: list[Value],
        moment: Moment | None,
    ) -> None:
        """Put the samples of a line into the list of those that wait."""
        members, interval = optional_members(cells, self._optional, self._numbers)
        interval = interval or self._profile.interval
        quality = self._quality(cells)
        if self._marked:
            device = cells[self._device_at].strip() if self._device_at >= 0 else ""
            members = Marked(members, 0, unwrapped(device))
        given = interval != self._profile.interval
        if moment is not None and moment.interval:
            interval, given = moment.interval, True
        for series, unit, value in values:
            power = unit in POWER
            kwh = value
            if value is not None and power and (given or interval >= DAY_MINUTES):
                kwh, power = round(value * self._length(moment, interval), DECIMALS), False
            name = self._names.of(meter, series.suffix) + (BETWEEN + text if self._apart else "")
            rest = (self.line, interval, power, members, quality, text, series.generation)
            if moment is not None and moment.later is not None and self._split:
                self._halve(moment, moment.later, Sample(0, name, kwh, *rest))
                continue
            time = self._time(name + BETWEEN + text, moment, kwh, cells)
            if time is not None:
                self._waiting.append(Sample(time, name, kwh, *rest))

    def finish(self, block: list[Row]) -> None:
        """Decide what waits, and hand out what the stages hold."""
        if not self._checked:
            self._checked = True
            self._moments.check()
        self._settle()
        self._drain(block)
        self._stage.finish(block)

    def _relieve(self) -> None:
        """Too many samples wait: decide of those whose day is over, and if that is not enough of all."""
        if self._slots is not None and self._most == _MOST_WAITING:
            self._slots.relieve(self._waiting)
            self._most *= _ONCE_MORE
        else:
            self._settle()
            self._most = _MOST_WAITING

    def _settle(self) -> None:
        """Decide what waits by what is known."""
        self._hours.settle(self._waiting)
        if self._slots is not None:
            self._slots.settle(self._waiting)

    def _halve(self, moment: Moment, later: int, sample: Sample) -> None:
        """Both halves of a value that stands once for the two hours of one name."""
        half = None if sample.value is None else round(sample.value / 2, DECIMALS)
        rest = None if sample.value is None else round(sample.value - (half or 0.0), DECIMALS)
        for time, part in ((moment.time, half), (later, rest)):
            self._waiting.append(sample._replace(time=time, value=part, codes=(*sample.codes, SPLIT)))
        self._tally.split_hours += 1

    def _time(self, key: str, moment: Moment | None, value: float | None, cells: list[str]) -> int | None:
        """The time of the next sample of the list, which may wait for it; None for a row off the grid."""
        if moment is None:
            return self._numbered(key, cells)
        time = moment.time
        if self._grid and time % self._grid:
            self._tally.off_grid += 1
            return None
        if moment.later is None:
            if not self._moments.certain:
                self._hours.saw(key, time, self._waiting, value)
        elif moment.meant is None:
            time = self._hours.instant(key, time, moment.later, self._waiting, value=value)
        else:
            time = self._in_sequence(key, moment, moment.meant) if moment.likely else moment.meant
            self._hours.knows(key, moment.time, moment.later, time, self._waiting)
        if moment.interval:
            before, _ = self._before.get(key, (time, 0))
            self._before[key] = (time, time - before)
        return time

    def _length(self, moment: Moment | None, interval: int) -> float:
        """The hours of an interval; a local day may have 23 or 25."""
        clocks = self._moments.clocks
        if interval == MONTH_MINUTES and moment is not None and (zone := self._job.zone_of_days):
            month = Spacing(MONTH, MONTHLY, zone)
            start = month.at(moment.time - 1 if self._profile.anchor == "end" else moment.time)
            return (month.after(start) - start) / HOUR
        if interval == DAY_MINUTES and moment is not None:
            start, end = clocks.day(clocks.local(moment.time))
            if start == moment.time:
                return (end - start) / HOUR
        return interval / 60

    def _in_sequence(self, key: str, moment: Moment, meant: int) -> int:
        """The instant of a row that is likely the second of two, from how the rows before it went."""
        before, step = self._before.get(key, (0, 0))
        first, second = moment.time, moment.later or moment.time
        hour, span = second - first, moment.interval * MINUTE
        if before in (first, second):
            return first if before == second else second
        for way in (step,) if step else (span, -span):
            if abs(way) == span and before + way in (first, second):
                return before + way
        # Both passes of each stamp, one after the other.
        if step == hour and before - hour + span == first:
            return first
        return meant

    def _numbered(self, key: str, cells: list[str]) -> int | None:
        if self._slots is None:
            raise BadCell("slot", "", "numbered intervals need an interval in the profile")
        at = self._job.layout.columns["timestamp"]
        text, number = unwrapped(cells[at].strip()), cells[self._slot_at].strip()
        if at == self._slot_at:
            text, _, number = text.rpartition(" ")
        try:
            day, zone = read_stamp(text.strip(), self._profile.stamps or ("%Y-%m-%d",))
        except ValueError as problem:
            raise not_a_time(text, problem, what="day") from problem
        if zone or day % DAY:
            raise BadCell(
                "timestamp", text, "not a day: numbered intervals stand beside a date without a time"
            )
        place = self._slots.number(unwrapped(number), self._profile.anchor == "end")
        return self._slots.take(key, day, place, self._waiting, self.line)

    def _drain(self, block: list[Row]) -> None:
        """Hand the samples whose times are certain to the stages."""
        if self._hours.waiting or (self._slots is not None and self._slots.waiting):
            if len(self._waiting) < self._most:
                return
            self._relieve()
            if self._hours.waiting or (self._slots is not None and self._slots.waiting):
                return
        self._most = _MOST_WAITING
        waiting, self._waiting = self._waiting, []
        for at, sample in enumerate(waiting):
            if sample is None:
                continue
            try:
                self._stage.take(sample if type(sample) is Sample else Sample._make(sample), block)
            except BadCell as problem:
                self._waiting = waiting[at + 1 :]
                problem.line = problem.line or sample[3]
                raise

    def _day_slots(self) -> DaySlots | None:
        profile = self._profile
        if self._slot_at < 0 or not profile.interval:
            return None
        clocks = LocalTime(profile.zone or self._job.zone)
        return DaySlots(clocks, self._tally, profile.interval, profile.first_slot)

    def _quality(self, cells: list[str]) -> tuple[str, ...]:
        """The quality codes of a line."""
        quality = self._profile.quality
        text = cells[self._quality_at].strip() if quality and self._quality_at >= 0 else ""
        return tuple(codes(quality[1], text)) if quality and text else ()
