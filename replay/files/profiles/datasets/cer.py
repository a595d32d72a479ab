"""CER (Ireland): `1392 19503 0.14` is meter, day and half-hour, kWh; no header; day 1 is 2009-01-01.

Half-hours are numbered 1 to 48 in local time. On the day on which the clocks go back they run on to 50, in
the order of time. On the day on which they go forward 2 and 3 are missing in the published files; a file
that runs from 1 to 46 instead is understood as well, so that day is held until the file has ended.
"""

from __future__ import annotations

import re

from gridwatch.domain.policy import DAY, MINUTE
from replay.files.job import BadCell, Job
from replay.files.layout import Layout, Start
from replay.files.profile import Profile
from replay.files.reading.opening import plain
from replay.files.rows import Row
from replay.files.stamps.local_time import LocalTime, local_micros
from replay.files.values.cells import Intake, Numbers, Scale, tail

_SLOT = 30 * MINUTE
_TAIL = tail(30)
_FIRST = local_micros("2009-01-01T00:00", ())
_LINE = re.compile(r"\s*\d+[ \t]+\d{5}[ \t]+-?\d*\.?\d+\s*")
_ACCEPTED = ("meter_id", "timestamp", "consumption_kwh")


class _Parser:
    """Lines of three numbers."""

    def __init__(self, job: Job) -> None:
        self._intake = Intake(job)
        self._number = Numbers((".",), " ").read
        self._scale = Scale(job.profile.kwh_per_unit())
        self._clocks = LocalTime(job.profile.zone or job.zone)
        self._days: dict[int, tuple[int, int]] = {}
        #: Rows of the short day, by meter and day.
        self._held: dict[tuple[str, int], list[tuple[int, float]]] = {}
        #: Such rows once the file has ended: meter, day, half-hour, kWh, whether numbered by the clock.
        self._pending: list[tuple[str, int, int, float, bool]] = []

    def __call__(self, cells: list[str], block: list[Row]) -> None:
        cells = [cell for cell in cells if cell]
        if not cells:
            return
        if len(cells) != 3:
            raise BadCell(
                "(row)", " ".join(cells), f"{len(cells)} columns, not meter, day and half-hour, kWh"
            )
        meter, stamp, value = cells
        if not (len(stamp) == 5 and stamp.isdigit()):
            raise BadCell("timestamp", stamp, "not a day (three digits) and half-hour (two)")
        day, slot = int(stamp[:3]), int(stamp[3:])
        kwh = self._scale(self._number("consumption_kwh", value))
        start, slots = self._day(day)
        if not 1 <= slot <= max(slots, 48) or day < 1:
            raise BadCell("timestamp", stamp, f"half-hour {slot} of a day that has {slots}")
        if slots < 48:
            self._held.setdefault((meter, day), []).append((slot, kwh))
        else:
            self._intake.take(block, meter, start + (slot - 1) * _SLOT, kwh, _TAIL)

    def finish(self, block: list[Row]) -> None:
        """The short days: by the clock if their numbers go beyond what the day has, else in order."""
        if self._held:
            for (meter, day), rows in self._held.items():
                by_clock = max(slot for slot, _ in rows) > self._day(day)[1]
                self._pending += [(meter, day, slot, kwh, by_clock) for slot, kwh in rows]
            self._held.clear()
            self._pending.reverse()  # taken from its end, in the order of the file
        while self._pending:
            meter, day, slot, kwh, by_clock = self._pending.pop()
            time = self._day(day)[0] + (slot - 1) * _SLOT
            if by_clock:
                ends = self._clocks.instants(_FIRST + (day - 1) * DAY + slot * _SLOT)
                if not ends:
                    raise BadCell("timestamp", f"{day:03d}{slot:02d}", "a half-hour that the clocks skipped")
                time = ends[0] - _SLOT
            self._intake.take(block, meter, time, kwh, _TAIL)

    def _day(self, day: int) -> tuple[int, int]:
        """When a local day begins, and how many half-hours it has."""
        if day not in self._days:
            local = _FIRST + (day - 1) * DAY
            start, end = (self._clocks.midnight(at) for at in (local, local + DAY))
            self._days[day] = (start, (end - start) // _SLOT)
        return self._days[day]


def _inspect(start: Start, profile: Profile) -> Layout:
    delimiter = "\t" if "\t" in start.lines[0] else " "
    return plain(start, delimiter, _ACCEPTED)


def _recognise(start: Start) -> str:
    lines = [line for line in start.lines[:20] if line.strip()][: max(1, len(start.lines) - 1)]
    fits = bool(lines) and all(_LINE.fullmatch(line) for line in lines)
    return "no header, and three numbers between blanks, the second one of five digits" if fits else ""


CER = Profile(
    name="cer",
    meaning="CER smart metering trial: meter, day and half-hour, kWh between blanks, no header",
    columns={},
    parser=_Parser,
    delimiters=(" ",),
    decimal_marks=(".",),
    interval=30,
    zone="Europe/Dublin",
    zone_known=True,
    anchor="start",
    order="meter",
    inspect=_inspect,
    recognise=_recognise,
)
