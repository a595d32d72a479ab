"""Ausgrid solar home electricity data: 300 customers around Sydney, a day of one channel a line.

Channels: GC general consumption, CL controlled load, GG gross generation. Columns name the end of their
half-hour, the last one (0:00) the end of the day. There is a title line above the header, and the form of
the date differs by year, day first always. Each day has 48 columns, also those on which the clocks change:
taken as standard time.
"""

from __future__ import annotations

from replay.files.formats.day_rows import DayParser
from replay.files.layout import Layout, Start
from replay.files.profile import Profile, Series
from replay.files.reading.opening import by_header

_CHANNELS = {
    "GC": Series("-GC"),
    "CL": Series("-CL"),
    "GG": Series("-GG", generation=True),
}


def _header_line(start: Start) -> int:
    found = (line for line in range(3) if "consumption category" in start.cells(line))
    return next(found, -1)


def _inspect(start: Start, profile: Profile) -> Layout:
    return by_header(start, profile, max(0, _header_line(start)))


def _recognise(start: Start) -> str:
    return "a header has Consumption Category" if _header_line(start) >= 0 else ""


AUSGRID = Profile(
    name="ausgrid",
    meaning="Ausgrid solar homes: Customer, Consumption Category, date, 0:30 … 0:00",
    columns={"meter_id": ("Customer",), "series": ("Consumption Category",), "timestamp": ("date",)},
    parser=DayParser,
    delimiters=(",",),
    interval=30,
    zone="Etc/GMT-10",
    anchor="end",
    order="meter",
    stamps=("%d-%b-%y", "%d/%m/%Y", "%d/%m/%y", "%d-%b-%Y"),
    quality=("Row Quality", "AUSGRID"),
    cells=r"\d{1,2}:[03]0",
    series=lambda name: _CHANNELS.get(name.upper()),
    inspect=_inspect,
    recognise=_recognise,
)
