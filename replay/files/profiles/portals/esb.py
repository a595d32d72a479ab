"""ESB Networks HDF (Ireland): half-hours of one or more meters, newest first, stamps name the end.

The column Read Type says direction and unit: `Active Import Interval (kW)` is a mean power, `(kWh)` the
energy itself. Registers, which some editions hold as well, are no energy of an interval. The serial number
tells devices apart: those of a day in which the meter was replaced are parts of it.
"""

from __future__ import annotations

from replay.files.formats.field_rows import FieldParser
from replay.files.layout import Start
from replay.files.profile import Profile, Series


def _series(name: str) -> Series | None:
    text = name.lower()
    unit = "kWh" if "(kwh)" in text else "kW" if "(kw)" in text else ""
    if "interval" not in text or "reactive" in text or not unit:
        return None
    export = "export" in text
    return Series("-export" if export else "", export, unit)


def _recognise(start: Start) -> str:
    named = {"mprn", "read value", "read type"} <= set(start.cells(0))
    return "the header has MPRN, Read Value and Read Type" if named else ""


ESB = Profile(
    name="esb",
    meaning="ESB Networks HDF: MPRN, Read Value, Read Type, Read Date and End Time",
    columns={
        "meter_id": ("MPRN",),
        "timestamp": ("Read Date and End Time",),
        "consumption_kwh": ("Read Value",),
        "series": ("Read Type",),
        "device": ("Meter Serial Number",),
    },
    optional=frozenset({"device"}),
    parser=FieldParser,
    delimiters=(",",),
    interval=30,
    unit="kW",
    zone="Europe/Dublin",
    zone_known=True,
    anchor="end",
    order="meter",
    stamps=("%d-%m-%Y %H:%M", "%d/%m/%Y %H:%M", "%Y-%m-%d %H:%M:%S"),
    series=_series,
    recognise=_recognise,
)
