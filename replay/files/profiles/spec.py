"""The plain form: one reading a line, a header, energy in kWh; what `gridwatch export` writes."""

from __future__ import annotations

from replay.files.formats.long_rows import LongParser
from replay.files.layout import Start
from replay.files.profile import Profile

_METER = ("meter_id", "meterId", "id")
_ENERGY = ("consumption_kwh", "consumption", "kwh")


def _recognise(start: Start) -> str:
    for delimiter in SPEC.delimiters:
        headers = start.cells(0, delimiter)
        if (
            any(name.lower() in headers for name in _METER)
            and "timestamp" in headers
            and any(name in headers for name in _ENERGY)
        ):
            return "the header has a meter, timestamp and consumption"
    return ""


SPEC = Profile(
    name="spec",
    meaning="meter_id, timestamp, consumption_kwh: one reading a row",
    columns={"meter_id": _METER, "timestamp": ("timestamp",), "consumption_kwh": _ENERGY},
    parser=LongParser,
    quality=("flags", ""),
    recognise=_recognise,
)
