"""Files with one reading a line: each line has a meter, a stamp and a value."""

from __future__ import annotations

from itertools import compress, repeat
from math import isfinite
from typing import cast

from replay.files.job import Job
from replay.files.profile import OPTIONAL_FIELDS
from replay.files.rows import Row
from replay.files.stamps.repeated_hours import RepeatedHours
from replay.files.stamps.stamps import Stamps
from replay.files.values.cells import Meters, Numbers, Scale, codes, fitted, flagged, given, named_after_file
from replay.files.values.members import optional_members


class LongParser:
    """A line → at most one row."""

    def __init__(self, job: Job) -> None:
        layout, profile = job.layout, job.profile
        columns = layout.columns
        self._layout = layout
        self._profile = profile
        self._width = len(layout.headers)
        self._time_at, self._kwh_at = columns["timestamp"], columns["consumption_kwh"]
        self._meter_at = columns.get("meter_id", -1)
        self._file_meter = named_after_file(job) if self._meter_at < 0 else ""
        self._optional = [(name, columns[name]) for name in OPTIONAL_FIELDS if name in columns]
        self._quality_at = columns.get("quality")
        shift = profile.shift
        self._stamps = Stamps(
            profile.zone or job.zone,
            job.tally,
            profile.stamps,
            shift,
            midnight_ends=profile.midnight == "end",
            of_days=job.of_days,
        )
        self._clocks = self._stamps.clocks
        self._later = self._stamps.folds
        self.hours = RepeatedHours(job.tally, job.selection, ends=shift > 0)
        self._needed = max(self._time_at, self._kwh_at, self._meter_at)
        self._meters = Meters(job.selection.meters)
        self._start = job.selection.start if job.selection.start is not None else -(1 << 63)
        self._end = job.selection.end if job.selection.end is not None else 1 << 63
        self._scale = Scale(profile.kwh_per_unit())
        self._numbers = Numbers(profile.decimal_marks, layout.delimiter, profile.thousands)
        self._number = self._numbers.read
        self._nulls = profile.null_tokens
        self._given = (given(profile.interval), profile.interval)
        self._plain = self._scale.is_one and not self._optional and self._quality_at is None
        self._grid = profile.step if profile.off_grid == "leave out" else 0
        self._tally = job.tally
        #: The stamp of the line that was read last.
        self._latest = ""

    def together(self, lot: list[list[str]]) -> list[Row] | None:
        """The rows of some lines; None, and nothing counted, where they must be taken one by one.

        By columns this takes a third of the time. Whatever is out of the ordinary (a bad cell, a blank line,
        a repeated hour, a decimal comma) is left to `__call__`, which says what and where.
        """
        if not (self._plain and self._numbers.pointed) or self._grid or set(map(len, lot)) != {self._width}:
            return None
        columns = list(zip(*lot, strict=True))
        names = columns[self._meter_at] if self._meter_at >= 0 else (self._file_meter,) * len(lot)
        stamps, texts = columns[self._time_at], columns[self._kwh_at]
        nulls = self._nulls
        try:
            meters = list(map(self._meters.__getitem__, names))
            if nulls and not all(there := [text.strip() not in nulls for text in texts]):
                if self._twofold(stamps, there):
                    return None
                meters = list(compress(meters, there))
                stamps, texts = tuple(compress(stamps, there)), tuple(compress(texts, there))
            times = list(map(self._stamps.__getitem__, stamps))
            kwhs = list(map(float, texts))
        except ValueError:
            return None
        # A sum is finite only where all of its parts are.
        if not isfinite(sum(kwhs)) or "_" in "".join(texts):
            return None
        if self._later and not self._later.keys().isdisjoint(times):
            return None
        self._latest = columns[self._time_at][-1]
        self._tally.null_values += len(lot) - len(times)
        self._tally.rows += len(times)
        return self._chosen(times, meters, kwhs) if times else []

    def _twofold(self, stamps: tuple[str, ...], there: list[bool]) -> bool:
        """Whether one of the rows that have no value is of the hour that the clocks repeat."""
        return any(self._stamps.twofold(stamp) for stamp, has in zip(stamps, there, strict=True) if not has)

    def _chosen(self, times: list[int], meters: list[str | None], kwhs: list[float]) -> list[Row]:
        """The rows that are wanted, of one at least."""
        extras, interval = self._given
        found = zip(times, meters, kwhs, repeat(interval), repeat(extras), strict=False)
        first, last = min(times), max(times)
        if not self._stamps.offsets and self._clocks.goes_back_within(first, last):
            self.hours.saw_many(times, meters)
        if None not in meters and first >= self._start and last < self._end:
            return cast("list[Row]", list(found))
        rows = [row for row in found if row[1] is not None and self._start <= row[0] < self._end]
        self._tally.left_out += len(times) - len(rows)
        return cast("list[Row]", rows)

    def __call__(self, cells: list[str], block: list[Row]) -> None:
        if len(cells) != self._width:
            if not cells or cells == [""]:
                return
            cells = fitted(cells, self._width, self._needed, self._layout.delimiter)
        tally = self._tally
        meter = self._meters[cells[self._meter_at] if self._meter_at >= 0 else self._file_meter]
        text = cells[self._kwh_at]
        if self._nulls and text.strip() in self._nulls:
            tally.null_values += 1
            if meter is not None:
                self._pass_by(cells[self._time_at], meter, block)
            return
        self._latest = cells[self._time_at]
        time = self._stamps[self._latest]
        kwh = self._number("consumption_kwh", text)
        extras, interval = self._given if self._plain else self._extras(cells)
        tally.rows += 1
        if self._grid and time % self._grid:
            tally.off_grid += 1
            return
        waits = False
        if meter is not None and not self._stamps.offsets:
            if self._later and time in self._later:
                waiting = self.hours.waiting
                time = self.hours.instant(meter, time, self._later[time], block, value=kwh)
                waits = self.hours.waiting > waiting
            else:
                self.hours.saw(meter, time, block, kwh)
        if not waits and (meter is None or not self._start <= time < self._end):
            tally.left_out += 1
            return
        block.append((time, cast("str", meter), kwh if self._plain else self._scale(kwh), interval, extras))

    def _pass_by(self, stamp: str, meter: str, block: list[Row]) -> None:
        """A row without a value is one of the two of its stamp, too, in the hour that the clocks repeat."""
        two = self._stamps.twofold(stamp)
        if two is not None and not self._stamps.offsets:
            self.hours.instant(meter, *two, block, rows=0)

    def finish(self, block: list[Row]) -> None:
        """Nothing is held. BadCell where midnights stand under the wrong date."""
        self._stamps.check_end(self._latest)

    def _extras(self, cells: list[str]) -> tuple[str, int]:
        """The further members of the record of a line, and its interval (minutes, or 0)."""
        members, interval = optional_members(cells, self._optional, self._numbers, interval_too=True)
        if not interval and self._profile.interval:
            interval = self._profile.interval
            members = given(interval) + members
        quality = self._profile.quality
        if quality and self._quality_at is not None and (text := cells[self._quality_at].strip()):
            members += flagged(codes(quality[1], text))
        return members, interval
