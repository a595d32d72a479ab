"""NEM12 (Australia): records 100, 200, 300, 400, 900; a 300 record is a day of one channel.

The records are read by `nemreader`'s own functions, one at a time: its file reader holds the whole file, and
skips a day of the wrong length without a word. Reported here instead: no 100 record (an error), an interval
in the 200 record that its days do not have (corrected), no 900 record (noted). Last columns may be missing.
Times are market time, standard time without summer. Channels E are taken from the grid, B are fed in.

Of a value that comes twice the one with the later UpdateDateTime stands, whatever the order of records and
files; where that is the same, or not given, an actual value before a final substitute, a substitute and an
estimate. The serial number of the 200 record tells devices apart (see `replay.files.versions`).
"""

from __future__ import annotations

import re
from datetime import datetime
from math import isfinite
from types import ModuleType
from typing import Any

from gridwatch.domain.policy import MINUTE
from gridwatch.errors import GridwatchError
from replay.files.job import BadCell, Job
from replay.files.layout import Layout, Start
from replay.files.profile import Profile, Series
from replay.files.reading.opening import plain
from replay.files.rows import Row
from replay.files.stamps.local_time import LocalTime, local_micros
from replay.files.values.cells import Intake, Scale, code, tail
from replay.files.versions import marked

_QUALITY = re.compile(r"[AEFNSV]\d{0,2}")
_COLUMNS_AFTER_VALUES = 6
_INTERVALS = tuple(minutes for minutes in range(1, 61) if 60 % minutes == 0)
_UNITS = {"kwh": "kWh", "wh": "Wh", "mwh": "MWh"}
#: Which value stands if both were updated at one time.
_RANKS = {"A": 4, "F": 3, "S": 2, "E": 1}
_RANK_BITS = 3
_FIRST_UPDATE = datetime(1970, 1, 1)
_ACCEPTED = ("record", "what belongs to it")


def _nemreader() -> ModuleType:
    try:
        from nemreader import nem_reader
    except ImportError as problem:
        raise GridwatchError(
            f"NEM12 files are read by nemreader, which is missing ({problem})",
            "pip install 'gridwatch[datasets]'",
        ) from problem
    found: ModuleType = nem_reader
    return found


class _Parser:
    """Records, one a line. A day waits for the 400 records that say more about it."""

    def __init__(self, job: Job) -> None:
        self._nem = _nemreader()
        self._job = job
        self._intake = Intake(job)
        self._clocks = LocalTime(job.profile.zone or job.zone)
        self._line = 0
        self._ended = False
        self._channel: Any = None
        self._unit = ""
        self._day: list[Any] = []
        self._updated = 0

    def __call__(self, cells: list[str], block: list[Row]) -> None:
        if not cells or cells == [""]:
            return
        self._line += 1
        record = cells[0].strip()
        if self._line == 1 and record != "100":
            problem = BadCell("(row)", ",".join(cells), "the first record is not a 100 record")
            self._job.reject(problem, self._job.layout.header_lines + 1, "")
        if record != "400":
            self._hand_out(block)
        if record == "100":
            if len(cells) < 2 or cells[1].strip().upper() != "NEM12":
                raise BadCell("(row)", ",".join(cells), "not NEM12: only interval data can be replayed")
        elif record == "200":
            self._begin(cells)
        elif record == "300":
            self._take_day(cells)
        elif record == "400":
            self._take_event(cells)
        elif record == "900":
            self._ended = True
        elif record != "500":
            raise BadCell("record", record, "none of 100, 200, 300, 400, 500, 900")

    def finish(self, block: list[Row]) -> None:
        """The last day; a file without a 900 record may have been cut."""
        self._hand_out(block)
        if not self._ended:
            note = f"{self._job.layout.file}: no 900 record at the end: is the file whole?"
            self._job.tally.notes[note] += 1

    def _begin(self, cells: list[str]) -> None:
        self._channel = None
        if len(cells) < 9:
            raise BadCell("(row)", ",".join(cells), f"{len(cells)} columns, a 200 record has at least 9")
        try:
            self._channel = self._nem.parse_200_row(cells)
        except ValueError as problem:
            raise BadCell("IntervalLength", cells[8], "not a number of minutes") from problem
        if self._channel.interval_length not in _INTERVALS:
            length, self._channel = str(self._channel.interval_length), None
            raise BadCell("IntervalLength", length, "an interval is 5, 15 or 30 minutes, or divides an hour")
        self._unit = _UNITS.get(self._channel.uom.strip().lower(), "")

    def _take_day(self, cells: list[str]) -> None:
        channel = self._channel
        if channel is None:
            raise BadCell("(row)", ",".join(cells)[:80], "a 300 record without a good 200 record before it")
        interval, values = channel.interval_length, _values(cells)
        if not any(text.strip() for text in cells[2 : 2 + values]):
            self._job.tally.null_values += 1440 // interval  # a day that nothing is known of
            return
        if values != 1440 // interval:
            if values not in (48, 96, 288):
                reason = f"{values} values, {interval} minutes make {1440 // interval}"
                raise BadCell("(row)", ",".join(cells)[:80], reason)
            corrected = f"interval of {channel.nmi} {channel.nmi_suffix}: {interval} in the 200 record"
            interval = 1440 // values
            self._job.tally.notes[f"{corrected}, its days have {values} values: taken as {interval}"] += 1
        wanted = Series(generation=channel.nmi_suffix[:1].upper() == "B").wanted(self._job.selection.flow)
        if not self._unit or not wanted:
            self._job.tally.other_series += values
            if not self._unit:
                self._job.tally.notes[f"channels in {channel.uom.strip()[:16]} are no energy: left out"] += 1
            return
        whole = cells + [""] * max(0, values + _COLUMNS_AFTER_VALUES - len(cells))
        if self._nem.parse_datetime(cells[1]) is None:
            raise BadCell("IntervalDate", cells[1], "not a date like 20240131")
        day = self._nem.parse_300_row(whole, interval, channel.uom, channel.meter_serial_number)
        for at, reading in enumerate(day.interval_values, 2):
            energy = reading.read_value
            if (whole[at].strip() != "") if energy is None else not isfinite(energy):
                raise BadCell("IntervalValue", whole[at], "not a number")
        self._day = day.interval_values
        self._updated = _seconds(day.update_datetime)

    def _take_event(self, cells: list[str]) -> None:
        if not self._day:
            return  # of a day that was not wanted, or could not be read
        try:
            event = self._nem.parse_400_row(cells + [""] * max(0, 6 - len(cells)), int(1440 / len(self._day)))
            self._day = self._nem.update_reading_events(self._day, event)
        except (ValueError, IndexError) as problem:
            raise BadCell("(row)", ",".join(cells), f"not a 400 record of this day: {problem}") from problem

    def _hand_out(self, block: list[Row]) -> None:
        day, self._day = self._day, []
        if not day:
            return
        interval = 1440 // len(day)
        scale = Scale(self._job.profile.kwh_per_unit(unit=self._unit))
        meter = f"{self._channel.nmi.strip()}-{self._channel.nmi_suffix.strip()}"
        device = self._channel.meter_serial_number.strip()
        start = self._clocks.midnight(local_micros(day[0].t_start.isoformat(), ()))
        for slot, reading in enumerate(day):
            quality = (reading.quality_method or "").strip()
            if reading.read_value is None or quality[:1] == "N":
                self._job.tally.null_values += 1
                continue
            version = self._updated << _RANK_BITS | _RANKS.get(quality[:1].upper(), 0)
            last = marked(tail(interval, [code("NEM12", quality)] if quality else []), version, device)
            time = start + slot * interval * MINUTE
            self._intake.take(block, meter, time, scale(reading.read_value), last)


def _seconds(updated: datetime | None) -> int:
    """When a day was updated, as a number that rises with it; 0 where that is not given."""
    return 0 if updated is None else max(0, int((updated - _FIRST_UPDATE).total_seconds()))


def _values(cells: list[str]) -> int:
    """How many values a 300 record has: up to its quality method, or to its end if that is missing."""
    quality = next((at for at, text in enumerate(cells[2:]) if _QUALITY.fullmatch(text.strip())), -1)
    if quality >= 0:
        return quality
    fits = [count for count in (288, 96, 48) if count + 2 <= len(cells)]
    return fits[0] if fits else len(cells) - 2


def _inspect(start: Start, profile: Profile) -> Layout:
    return plain(start, ",", _ACCEPTED)


def _recognise(start: Start) -> str:
    cells = start.cells(0)
    if cells[:2] == ["100", "nem12"]:
        return "the first record is 100,NEM12"
    return "the first record is a 200 of NEM12" if cells[:1] == ["200"] and len(cells) >= 9 else ""


NEM12 = Profile(
    name="nem12",
    meaning="AEMO NEM12: 100, 200, 300, 400, 900 records of 5, 15 or 30 minutes",
    columns={},
    parser=_Parser,
    delimiters=(",",),
    zone="Etc/GMT-10",
    zone_known=True,
    anchor="start",
    order="meter",
    inspect=_inspect,
    recognise=_recognise,
)
