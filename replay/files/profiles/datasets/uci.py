"""UCI ElectricityLoadDiagrams20112014: 370 clients in Portugal, a column each, every 15 minutes, in kW.

Local time with 96 lines on every day: where the clocks skip an hour its lines are zero, where they repeat
one its lines hold both hours. The first stamp is 00:15 and the last one midnight: stamps name the end.
"""

from __future__ import annotations

from replay.files.formats.wide_rows import MeterColumnsParser
from replay.files.layout import Start
from replay.files.profile import Profile


def _recognise(start: Start) -> str:
    headers = start.cells(0, ";")
    named = len(headers) > 1 and headers[0] == "" and headers[1].startswith("mt_")
    return "the header is an empty cell and MT_… columns between semicolons" if named else ""


UCI = Profile(
    name="uci",
    meaning="ElectricityLoadDiagrams20112014: a column a client, kW each 15 minutes, decimal commas",
    columns={"timestamp": ("", "time", "timestamp", "date")},
    parser=MeterColumnsParser,
    delimiters=(";",),
    unit="kW",
    interval=15,
    zone="Europe/Lisbon",
    zone_known=True,
    anchor="end",
    dst="split",
    order="time",
    cells=r"MT_\d+",
    recognise=_recognise,
)
