"""Southern California Edison, Green Button as CSV: quarter-hours or hours, by their start and end.

Read are the older layout, one section a day with its own header `Energy consumption time period,Usage(Real
energy in kilowatt-hours),Reading quality` and cells such as `2013-05-01 00:00:00 to 2013-05-01 01:00:00`,
also with sections of energy delivered and received; and the newer one, `Date,Energy Consumption time Period
Start,Energy Consumption time Period End,Delivered,Received`. Received is what the customer fed in. A file
is a meter.
"""

from __future__ import annotations

from dataclasses import replace

from replay.files.formats.field_rows import FieldParser
from replay.files.job import Job
from replay.files.layout import Layout, Start
from replay.files.profile import Profile, Series
from replay.files.reading.first_lines import header
from replay.files.reading.headers import by_header
from replay.files.rows import LineParser, Row

_PERIODS = tuple(
    f"energy {flow} time period" for flow in ("consumption", "delivered", "received", "generation")
)
_FED_IN = _PERIODS[2:]
_USAGE = "usage(real energy in kilowatt-hours)"
_START = "energy consumption time period start"


class _Sections(FieldParser):
    """The older layout: headers and titles between the rows say which way the energy flowed."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        first = job.layout.headers[job.layout.columns["timestamp"]].lower()
        self._begin(first)

    def __call__(self, cells: list[str], block: list[Row]) -> None:
        first = " ".join(cells[0].split()).lower() if cells else ""
        if first in _PERIODS:
            self._begin(first)
        elif len([cell for cell in cells if cell.strip()]) > 1 or " to " in first:
            super().__call__(cells, block)

    def _begin(self, title: str) -> None:
        export = title in _FED_IN
        self._cells.groups = [
            (Series("-export", generation=True) if export else Series(), self._cells.groups[0][1])
        ]


def _parser(job: Job) -> LineParser:
    if job.layout.values:
        return FieldParser(job)
    return _Sections(replace(job, profile=replace(job.profile, span=" to ")))


def _inspect(start: Start, profile: Profile) -> Layout:
    if _newer(start):
        return by_header(start, profile)
    columns = {"timestamp": _PERIODS, "consumption_kwh": (_USAGE,)}
    return by_header(start, replace(profile, columns=columns, values=()))


def _newer(start: Start) -> list[str]:
    return header(start, (_START, "delivered"), (",",))


def _recognise(start: Start) -> str:
    older = any(header(start, (period, _USAGE), (",",)) for period in _PERIODS)
    if older:
        return "a header has Energy … time period and Usage(Real energy in kilowatt-hours)"
    return "a header has Energy Consumption time Period Start and Delivered" if _newer(start) else ""


SCE = Profile(
    name="sce",
    meaning="Southern California Edison: Energy … time period and Usage, or Start, End, Delivered, Received",
    columns={"timestamp": (_START,), "until": ("energy consumption time period end",)},
    parser=_parser,
    delimiters=(",",),
    decimal_marks=(".",),
    null_tokens=frozenset({""}),
    zone="America/Los_Angeles",
    by_calendar=True,
    zone_known=True,
    anchor="start",
    order="time",
    stamps=("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%m/%d/%Y %I:%M%p", "%m/%d/%Y %I:%M %p", "%m/%d/%Y %H:%M"),
    meter_from_file=True,
    find_header=True,
    values=((r"delivered", Series()), (r"received", Series("-export", generation=True))),
    negative="generation",
    inspect=_inspect,
    beside=r"date|reading quality",
    recognise=_recognise,
)
