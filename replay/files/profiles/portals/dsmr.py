"""Registers of Dutch and Belgian smart meters, by HomeWizard or DSMR-reader: energy is a difference.

`homewizard` reads the CSV of the HomeWizard app: `time,Import T1 kWh,Import T2 kWh,Export T1 kWh,Export T2
kWh,…` or `time,Import kWh,Export kWh`, in local time. `dsmr` reads exports of DSMR-reader's readings:
`read_at` or `timestamp`, `electricity_delivered_1`, `…_2`, `electricity_returned_1`, `…_2`. Tariffs are
added up; a file is a meter.
"""

from __future__ import annotations

from replay.files.formats.field_rows import FieldParser
from replay.files.layout import Start
from replay.files.profile import Profile, Series
from replay.files.reading.first_lines import header

_IMPORT, _EXPORT = Series(), Series("-export", generation=True)


def _homewizard(start: Start) -> str:
    cells = start.cells(0)
    named = cells[:1] == ["time"] and any(name in cells for name in ("import kwh", "import t1 kwh"))
    return "the header is time and Import kWh or Import T1 kWh" if named else ""


def _dsmr(start: Start) -> str:
    for stamp in ("read_at", "timestamp"):
        if header(start, (stamp, "electricity_delivered_1")):
            return f"the header has {stamp} and electricity_delivered_1"
    return ""


HOMEWIZARD = Profile(
    name="homewizard",
    meaning="HomeWizard: time, Import kWh and Export kWh, or T1 and T2 of both; registers",
    columns={"timestamp": ("time",)},
    parser=FieldParser,
    delimiters=(",", ";"),
    null_tokens=frozenset({"", "null"}),
    zone="Europe/Amsterdam",
    by_calendar=True,
    anchor="start",
    order="time",
    meter_from_file=True,
    values=((r"import( t\d)? kwh", _IMPORT), (r"export( t\d)? kwh", _EXPORT)),
    difference=True,
    beside=r"l[123] max w|gas.*|water.*",
    recognise=_homewizard,
)
DSMR = Profile(
    name="dsmr",
    meaning="DSMR-reader: read_at, electricity_delivered_1, …_2, electricity_returned_1, …_2; registers",
    columns={"timestamp": ("read_at", "timestamp")},
    parser=FieldParser,
    null_tokens=frozenset({"", "null", "NULL"}),
    zone="Europe/Amsterdam",
    by_calendar=True,
    anchor="start",
    order="time",
    meter_from_file=True,
    values=((r"electricity_delivered_\d", _IMPORT), (r"electricity_returned_\d", _EXPORT)),
    difference=True,
    beside=r"id|electricity_currently.*|phase_.*|extra_device.*|.*merged|processed",
    recognise=_dsmr,
)
