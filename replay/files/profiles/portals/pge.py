"""PG&E, "Download My Data" as CSV: quarter-hours, half-hours or hours of one service.

Read are the layouts `TYPE,DATE,START TIME,END TIME,USAGE,UNITS,COST,NOTES`, the one with `USAGE (kWh)`, and
that of homes with solar panels, `IMPORT (kWh),EXPORT (kWh)`; ComEd and other utilities write the first one
too, in their own zone (`--zone`). Rows of gas are left out. A usage below zero was fed in. A file is a
meter.
"""

from __future__ import annotations

from replay.files.formats.field_rows import FieldParser
from replay.files.layout import Start
from replay.files.profile import Profile, Series
from replay.files.reading.first_lines import header

_NEEDED = ("type", "date", "start time", "end time")


def _series(name: str) -> Series | None:
    return Series() if name.lower().startswith("electric usage") else None


def _recognise(start: Start) -> str:
    cells = header(start, _NEEDED, (",",))
    named = any(cell.startswith(("usage", "import")) for cell in cells)
    return "a header has TYPE, DATE, START TIME, END TIME and USAGE or IMPORT" if named else ""


PGE = Profile(
    name="pge",
    meaning="PG&E Download My Data: TYPE, DATE, START TIME, END TIME, USAGE or IMPORT and EXPORT",
    columns={"timestamp": ("DATE", "START TIME"), "series": ("TYPE",), "unit": ("UNITS",)},
    parser=FieldParser,
    delimiters=(",",),
    decimal_marks=(".",),
    null_tokens=frozenset({""}),
    zone="America/Los_Angeles",
    anchor="start",
    order="time",
    stamps=("%Y-%m-%d %H:%M", "%m/%d/%Y %H:%M", "%Y-%m-%d %H:%M:%S"),
    meter_from_file=True,
    optional=frozenset({"unit"}),
    find_header=True,
    join_stamps=True,
    values=(
        (r"usage( \(kwh\))?", Series()),
        (r"import( \(kwh\))?", Series()),
        (r"export( \(kwh\))?", Series("-export", generation=True)),
    ),
    series=_series,
    negative="generation",
    beside=r"end time|.*cost.*|notes",
    recognise=_recognise,
)
