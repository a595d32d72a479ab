"""SimBench load and generation profiles: a column each, every 15 minutes of a year, German dates.

Values are parts of a rated power, taken here as parts of 1 kW. Clock changes are in the file as they
happen: an hour is missing in March, one comes twice in October. Reactive power (`_qload`) is left out.
"""

from __future__ import annotations

import re

from replay.files.formats.wide_rows import MeterColumnsParser
from replay.files.layout import Start
from replay.files.profile import Profile

#: What profiles of load and of generators are called, such as `H0-A_pload` and `PV3`.
_NAME = re.compile(r".*_[pq]load|(?:bm|hydro|pv|wp)\d+", re.IGNORECASE)


def _recognise(start: Start) -> str:
    headers, row = start.cells(0, ";"), start.cells(1, ";")
    dated = headers[:1] == ["time"] and bool(row) and row[0][2:3] == "."
    named = [header for header in headers[1:] if _NAME.fullmatch(header)]
    return (
        f"the header begins with time, dates have points, and a column is {named[0]}"
        if dated and named
        else ""
    )


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
