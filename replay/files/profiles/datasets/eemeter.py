"""Samples of the Python package eemeter: a file a meter, the start of each hour or day, and a value.

The last line has no value: it says where the interval before it ends. What a value is a count of is not
stated; it is taken as kWh.
"""

from __future__ import annotations

from replay.files.formats.long_rows import LongParser
from replay.files.layout import Start
from replay.files.profile import Profile


def _recognise(start: Start) -> str:
    return "the header is start, value" if start.cells(0) == ["start", "value"] else ""


EEMETER = Profile(
    name="eemeter",
    meaning="eemeter samples: a file a meter, start, value",
    columns={"timestamp": ("start",), "consumption_kwh": ("value",)},
    parser=LongParser,
    delimiters=(",",),
    null_tokens=frozenset({"", "nan"}),
    anchor="start",
    order="time",
    meter_from_file=True,
    recognise=_recognise,
)
