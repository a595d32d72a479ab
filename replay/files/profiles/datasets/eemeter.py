"""Samples of the Python package eemeter: a file a meter, the start of each hour or day, and a value.

The last line has no value: it says where the interval before it ends. What a value is a count of is not
stated; it is taken as kWh. A header that says so little is that of other files too: `--profile auto` takes
one only where all the rest is as in the samples.
"""

from __future__ import annotations

from replay.files.formats.long_rows import LongParser
from replay.files.layout import Start
from replay.files.profile import Profile
from replay.files.stamps.local_time import INSTANT, read_stamp

#: Rows that are looked at.
_ROWS = 50


def _recognise(start: Start) -> str:
    return "the header is start, value" if start.cells(0) == ["start", "value"] else ""


def _misfit(start: Start) -> str:
    header, *rows = start.lines[: _ROWS + 1]
    if header.strip() != "start,value":
        return f"its header is {header.strip()!r}, not 'start,value'"
    stamps = (row.split(",")[0].strip() for row in rows[:-1] if row.strip())
    local = next((stamp for stamp in stamps if not _is_instant(stamp)), "")
    return f"its stamps have no offset, such as {local!r}" if local else ""


def _is_instant(stamp: str) -> bool:
    """Whether a stamp has an offset; one that cannot be read is for the reader to report."""
    try:
        return read_stamp(stamp, ())[1] == INSTANT
    except (ValueError, OverflowError):
        return True


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
    misfit=_misfit,
)
