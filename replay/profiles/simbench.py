"""SimBench load and generation profiles: a column each, every 15 minutes of a year, German dates.

Values are parts of a rated power, taken here as parts of 1 kW. Clock changes are in the file as they
happen: an hour is missing in March, one comes twice in October. Reactive power (`_qload`) is left out.
"""

from __future__ import annotations

from replay.layout import Start
from replay.profile import Profile
from replay.wide_rows import MeterColumnsParser


def _recognise(start: Start) -> str:
    headers, row = start.cells(0, ";"), start.cells(1, ";")
    named = headers[:1] == ["time"] and len(headers) > 1 and bool(row) and row[0][2:3] == "."
    return "the header begins with time between semicolons, and dates have points" if named else ""


SIMBENCH = Profile(
    name="simbench",
    meaning="SimBench profiles: a column each, parts of a rated power each 15 minutes",
    columns={"timestamp": ("time",)},
    parser=MeterColumnsParser,
    delimiters=(";",),
    unit="kW",
    interval=15,
    zone="Europe/Berlin",
    anchor="start",
    order="time",
    stamps=("%d.%m.%Y %H:%M",),
    cells=r"(?!.*_qload$).+",
    recognise=_recognise,
)
