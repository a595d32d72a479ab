"""Files with one reading a line: each line has a meter, a stamp and a value."""

from __future__ import annotations

import json
from itertools import compress, repeat
from math import isfinite
from typing import cast

from replay.cells import CONTROL, Meters, Numbers, Scale, codes, flagged, given
from replay.local_time import Folds, Stamps
from replay.profile import OPTIONAL_FIELDS, TEXT_FIELDS
from replay.rows import BadCell, Job, Row

_MINUTE = 60_000_000


class LongParser:
    """A line → at most one row."""

    def __init__(self, job: Job) -> None:
        layout, profile = job.layout, job.profile
        columns = layout.columns
        self.previous: Row | None = None
        self._layout = layout
        self._profile = profile
        self._width = len(layout.headers)
        self._time_at, self._kwh_at = columns["timestamp"], columns["consumption_kwh"]
        self._meter_at = columns.get("meter_id", -1)
        self._file_meter = job.source.stem
        if self._meter_at < 0:
            other = job.tally.named_after.setdefault(self._file_meter, layout.file)
            if other != layout.file:
                note = f"{other} and {layout.file} have the same name: taken as one meter"
                job.tally.notes[note] += 1
        self._optional = [(name, columns[name]) for name in OPTIONAL_FIELDS if name in columns]
        self._quality_at = columns.get("quality")
        shift = profile.interval * _MINUTE if profile.anchor == "end" else 0
        self._stamps = Stamps(profile.zone or job.zone, job.tally, profile.stamps, shift)
        self._later = self._stamps.folds
        self._folds = Folds()
        self._meters = Meters(job.selection.meters)
        self._start = job.selection.start if job.selection.start is not None else -(1 << 63)
        self._end = job.selection.end if job.selection.end is not None else 1 << 63
        self._scale = Scale(profile.kwh_per_unit())
        self._numbers = Numbers(profile.decimal_marks, layout.delimiter)
        self._number = self._numbers.read
        self._nulls = profile.null_tokens
        self._given = (given(profile.interval), profile.interval)
        self._plain = self._scale.is_one and not self._optional and self._quality_at is None
        self._grid = profile.interval * _MINUTE if profile.off_grid == "leave out" else 0
        self._tally = job.tally

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
                meters = list(compress(meters, there))
                stamps, texts = tuple(compress(stamps, there)), tuple(compress(texts, there))
            times = list(map(self._stamps.__getitem__, stamps))
            kwhs = list(map(float, texts))
        except ValueError:
            return None
        if not all(map(isfinite, kwhs)) or "_" in "".join(texts) or not self._later.keys().isdisjoint(times):
            return None
        self._tally.null_values += len(lot) - len(times)
        self._tally.rows += len(times)
        extras, interval = self._given
        found = zip(times, meters, kwhs, repeat(interval), repeat(extras), strict=False)
        if times and None not in meters and min(times) >= self._start and max(times) < self._end:
            return cast("list[Row]", list(found))
        rows = [row for row in found if row[1] is not None and self._start <= row[0] < self._end]
        self._tally.left_out += len(times) - len(rows)
        return cast("list[Row]", rows)

    def __call__(self, cells: list[str], block: list[Row]) -> None:
        if len(cells) != self._width:
            if not cells or cells == [""]:
                return
            raise BadCell("(row)", ",".join(cells), self._wrong_width(cells))
        tally = self._tally
        meter = self._meters[cells[self._meter_at] if self._meter_at >= 0 else self._file_meter]
        text = cells[self._kwh_at]
        if self._nulls and text.strip() in self._nulls:
            tally.null_values += 1
            return
        time = self._stamps[cells[self._time_at]]
        kwh = self._number("consumption_kwh", text)
        extras, interval = self._given if self._plain else self._extras(cells)
        tally.rows += 1
        if self._later and time in self._later and meter is not None:
            before = block[-1] if block else self.previous
            time = self._folds.tell(meter, time, self._later[time], before)
        if self._grid and time % self._grid:
            tally.off_grid += 1
            return
        if meter is None or not self._start <= time < self._end:
            tally.left_out += 1
            return
        block.append((time, meter, kwh if self._plain else self._scale(kwh), interval, extras))

    def finish(self, block: list[Row]) -> None:
        """Nothing is held."""

    def _wrong_width(self, cells: list[str]) -> str:
        reason = f"{len(cells)} columns, the header has {self._width}"
        if self._layout.delimiter == "," and len(cells) == self._width + 1:
            reason += " (is it a decimal comma?)"
        return reason

    def _extras(self, cells: list[str]) -> tuple[str, int]:
        members = []
        interval = 0
        for name, index in self._optional:
            text = cells[index].strip()
            if not text:
                continue
            if name in TEXT_FIELDS:
                if CONTROL.search(text):
                    raise BadCell(name, text, "has control characters or bytes that are not UTF-8")
                members.append(f',"{name}":{json.dumps(text, ensure_ascii=False)}')
                continue
            number = self._number(name, text)
            if name == "interval_minutes":
                if not (number.is_integer() and 1 <= number <= 1440):
                    raise BadCell(name, text, "not a whole number of minutes from 1 to 1440")
                interval = int(number)
                members.append(given(interval))
            else:
                members.append(f',"{name}":{number!r}')
        if not interval and self._profile.interval:
            interval = self._profile.interval
            members.insert(0, given(interval))
        quality = self._profile.quality
        if quality and self._quality_at is not None and (text := cells[self._quality_at].strip()):
            members.append(flagged(codes(quality[1], text)))
        return "".join(members), interval


class SeriesParser(LongParser):
    """A line → at most one row of one of several series, which a column names."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self._series_at = job.layout.columns["series"]
        self._flow = job.selection.flow
        self._known: dict[str, tuple[str, Scale] | None] = {}
        self._plain = False

    def __call__(self, cells: list[str], block: list[Row]) -> None:
        if len(cells) == self._width:
            name = cells[self._series_at]
            if name not in self._known:
                self._known[name] = self._meaning(name)
            series = self._known[name]
            if series is None:
                self._tally.other_series += 1
                return
            cells[self._meter_at] = cells[self._meter_at].strip() + series[0]
            self._scale = series[1]
        super().__call__(cells, block)

    def _meaning(self, name: str) -> tuple[str, Scale] | None:
        profile = self._profile
        series = profile.series(name.strip()) if profile.series else None
        if series is None or not series.wanted(self._flow):
            return None
        return series.suffix, Scale(profile.kwh_per_unit(unit=series.unit))
