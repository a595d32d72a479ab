"""Files with a day of one meter a line, a column an interval.

A day on which clocks change has more or fewer columns with values than others, or as many: a skipped hour
then holds zeros or nothing, which are left out, and a repeated hour that stands once is the sum of both and
is sent as two halves, flagged, where the profile says so.
"""

from __future__ import annotations

import re

from gridwatch.domain.policy import DAY, MINUTE
from replay.files.formats.wide_rows import Slot, WideParser
from replay.files.job import BadCell, Job
from replay.files.layout import unwrapped
from replay.files.profile import DAY_MINUTES
from replay.files.rows import Row
from replay.files.stamps.local_time import ZONE
from replay.files.values.cells import CONTROL, Scale, code, named_after_file
from replay.files.values.names import Names

_CLOCK = re.compile(r"(?<!\d)(\d{1,2}):([0-5]\d)(?:\s*([ap])\.?m)?", re.IGNORECASE)
_NUMBER = re.compile(r"(\d+)(?!\d*\s*[ap]\.?m)", re.IGNORECASE)
#: A header with the start and the end of its slot.
_SPAN = re.compile(r"\d{1,2}:[0-5]\d\D{1,5}\d{1,2}:[0-5]\d")
_ONCE = "days of {hours} hours with {columns} values: the repeated hour stands once, taken as the first"


class DayParser(WideParser):
    """A line is one meter's day, its columns the slots in order from midnight.

    A file may have columns for a day of 25 hours, which are empty on others: at the end, so that slots count
    in order (1 to 23, 24 or 25 hours), or after the hour that is repeated, so that they go by the clock.
    """

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self._interval = _interval(len(job.layout.cells), job.profile.interval)
        self._nominal = 1440 // self._interval
        _check_headers([job.layout.headers[at] for at in job.layout.cells], self._nominal, job.profile.anchor)
        self._forms = self._forms or ("%Y-%m-%d",)
        self._scale = Scale(job.profile.kwh_per_unit(self._interval))
        columns = job.layout.columns
        self._meter_at, self._day_at = columns.get("meter_id", -1), columns["timestamp"]
        self._file_meter = named_after_file(job) if self._meter_at < 0 else ""
        self._series_at, self._quality_at = columns.get("series", -1), columns.get("quality", -1)
        self._needed = max(self._meter_at, self._day_at, self._series_at)
        self._names = Names(job.tally)
        self._days: tuple[str, int, list[tuple[int, ...]]] = ("", 0, [])

    def __call__(self, cells: list[str], block: list[Row]) -> None:
        if not cells or cells == [""]:
            return
        given, values = len(cells), self._values(cells)
        who = self._who(cells)
        if who is None:
            self._job.tally.other_series += len(values)
            return
        meter, out = who
        codes = self._codes(cells, given)
        rows: list[Row] = []
        times = self._slots(cells[self._day_at])
        if given < len(self._layout.headers):
            self._whole(cells, given)
        for at, value in self._placed(cells[self._day_at], values):
            if value is None:
                self._job.tally.null_values += 1
                continue
            meant = at if isinstance(at, tuple) else times[at]
            self._take(rows, Slot(meter, meant, value, out, codes), cells[self._day_at])
        block += rows

    def _who(self, cells: list[str]) -> tuple[str, bool] | None:
        """The meter of a line, and whether it fed in; None for a series that is not wanted."""
        profile = self._profile
        meter = unwrapped((cells[self._meter_at] if self._meter_at >= 0 else self._file_meter).strip())
        if not meter:
            raise BadCell("meter_id", "", "empty")
        if self._series_at < 0 or not profile.series:
            return self._names.of(meter, ""), False
        text = cells[self._series_at].strip()
        if CONTROL.search(text):
            raise BadCell("series", text, "has control characters, or is not in the encoding of the profile")
        series = profile.series(text)
        if series is None:
            self._job.tally.notes[f"series left out: {text[:60]!r}"] += 1
        if series is None or not (series.wanted(self._job.selection.flow) or self._both_ways):
            return None
        return self._names.of(meter, series.suffix), series.generation

    def _codes(self, cells: list[str], given: int) -> tuple[str, ...]:
        """The quality code of a line of so many cells."""
        quality = self._profile.quality
        text = cells[self._quality_at].strip() if 0 <= self._quality_at < given else ""
        return (code(quality[1], text),) if quality and text else ()

    def _take(self, rows: list[Row], slot: Slot, day: str) -> None:
        """Append the reading of a slot, or both of one that stands for two hours."""
        tally, kwh = self._job.tally, self._scale(slot.value)
        if not slot.times:
            if slot.value:
                raise BadCell("timestamp", day, "energy in an hour that the clocks skipped", ZONE)
            tally.skipped_hours += 1
        elif len(slot.times) > 1 and self._split:
            self._halved(rows, slot, kwh)
        else:
            if len(slot.times) > 1:
                tally.ambiguous += 1
                hours = f"{self._days[1] * self._interval / 60:g}"
                tally.notes[_ONCE.format(hours=hours, columns=self._nominal)] += 1
            self._put(rows, slot, slot.times[0], kwh)

    def _of_zone(self, text: str, local: int, zone: str) -> int:
        if zone or local % DAY:
            raise BadCell("timestamp", text, "not a day: a line is a local day, from midnight on")
        return local

    def _placed(
        self, text: str, values: list[float | None]
    ) -> list[tuple[int | tuple[int, ...], float | None]]:
        """Each value with the slot it stands for by the clock, or with its instant."""
        slots, nominal, columns = self._days[1], self._nominal, len(values)
        beyond = any(value is not None for value in values[slots:])
        by_clock = list(enumerate(self._days[2]))
        if columns > nominal and (beyond or slots > columns):
            extra = self._extra()
            if slots > nominal and slots <= columns:
                return self._in_order(values)
            if slots > nominal or any(values[at] is not None for at in extra):
                raise BadCell(
                    "(row)",
                    str(columns),
                    f"values in more columns than the {slots} slots of this day ({text.strip()})",
                )
            kept = [value for at, value in enumerate(values) if at not in extra]
            return [(at, value) for (at, _), value in zip(by_clock, kept, strict=True)]
        if slots == nominal or (columns > nominal or columns < nominal):
            if slots > columns:
                raise BadCell("(row)", str(columns), f"{columns} values of a day that has {slots} slots")
            return self._in_order(values[:slots])
        skipped = [at for at, times in by_clock if not times]
        in_them = [values[at] for at in skipped]
        if slots < nominal and not beyond and any(one is not None for one in in_them):
            return self._in_order(values[:slots])
        return [(at, value) for (at, _), value in zip(by_clock, values, strict=True)]

    def _in_order(self, values: list[float | None]) -> list[tuple[int | tuple[int, ...], float | None]]:
        start, step = self._clocks.midnight(self._local(self._days[0])), self._interval * MINUTE
        return [((start + at * step,), value) for at, value in enumerate(values)]

    def _extra(self) -> range:
        """The columns of the second pass of a repeated hour; those at the end where there is none."""
        slots_an_hour = len(self._layout.cells) - self._nominal
        local = self._local(self._days[0])
        year = local - local % DAY
        for day in range(-366, 367):
            at = year + day * DAY
            start, end = self._clocks.day(at)
            if end - start > DAY:
                step = self._interval * MINUTE
                twice = [n for n in range(self._nominal) if len(self._clocks.instants(at + n * step)) > 1]
                if twice:
                    return range(twice[-1] + 1, twice[-1] + 1 + slots_an_hour)
        return range(self._nominal, self._nominal + slots_an_hour)

    def _whole(self, cells: list[str], given: int) -> None:
        """BadCell where values were left away that the day has."""
        has = sum(at < given for at in self._layout.cells)
        if has < self._days[1] and has < len(self._layout.cells):
            reason = (
                f"{given} columns, the header has {len(self._layout.headers)}: {has} values of a day that "
            )
            raise BadCell("(row)", ",".join(cells)[:200], reason + f"has {self._days[1]}")

    def _slots(self, text: str) -> list[tuple[int, ...]]:
        """The instants of each slot of a day by the clock."""
        if self._days[0] != text or not self._days[2]:
            day, step = self._local(text), self._interval * MINUTE
            start, end = self._clocks.day(day)
            slots = [self._clocks.instants(day + slot * step) for slot in range(self._nominal)]
            self._days = (text, (end - start) // step, slots)
        return self._days[2]


def _interval(columns: int, given: int) -> int:
    """The minutes of a slot of a day that has so many columns. BadCell where they do not make a day."""
    for nominal in (1440 // given,) if given else (24, 48, 72, 96, 144, 288, columns):
        hour = nominal / 24
        if columns in (nominal, nominal + hour, nominal - hour) and 1440 % nominal == 0:
            return 1440 // nominal
    wanted = f" of {given} minutes, as the profile says" if given else ""
    raise BadCell("(row)", str(columns), f"the number of columns with values does not make a day{wanted}")


def _check_headers(headers: list[str], nominal: int, anchor: str) -> None:
    """BadCell where the columns' names are times or numbers that do not run from midnight to midnight.

    The second pass of a repeated hour may stand between or after them. Other names say nothing.
    """
    clocks = [_CLOCK.search(header) for header in headers]
    named = clocks if all(clocks) else [_NUMBER.search(header) for header in _apart(headers)]
    places = [_place(found) for found in named if found]
    if len(places) != len(headers):
        return
    if places[-1] == 0:
        places[-1] = max(DAY_MINUTES, *places)
    back = [at for at in range(1, len(places)) if places[at] < places[at - 1]]
    if len(back) > (len(headers) > nominal):
        name, before = headers[back[0]], headers[back[0] - 1]
        raise BadCell(name, name, f"a column out of the day's order, after {before!r}: put them in order")
    if all(_SPAN.search(header) for header in headers):
        if places[0]:
            raise BadCell(headers[0], headers[0], "the first column of a day does not start at midnight")
        return
    starts = all(clocks) and places[0] == 0 and max(places) < DAY_MINUTES
    ends = all(clocks) and places[0] > 0 and max(places) == DAY_MINUTES
    if (starts and anchor == "end") or (ends and anchor == "start"):
        raise BadCell(
            headers[0],
            headers[0],
            f"the columns run to {headers[-1]!r}, so they name the {'start' if starts else 'end'} of their "
            f'intervals, and the profile says anchor = "{anchor}"',
        )


def _place(found: re.Match[str]) -> int:
    """The minute of the day that a header names, or its number."""
    if found.re is _NUMBER:
        return int(found[1])
    hour, half = int(found[1]), (found[3] or "").lower()
    if half:
        hour = hour % 12 + 12 * (half == "p")
    return hour * 60 + int(found[2])


def _apart(headers: list[str]) -> list[str]:
    """The headers without what all of them begin with, up to its last digit."""
    same = [one == other for one, other in zip(min(headers), max(headers), strict=False)]
    common = min(headers)[: [*same, False].index(False)].rstrip("0123456789")
    return [header[len(common) :] for header in headers]
