"""British half-hours as customers download them: n3rgy, and Octopus Energy. A file is a meter.

`n3rgy` reads `timestamp (UTC),energyConsumption (kWh)`; whether a stamp names start or end is not stated,
so it is sent as it stands. `octopus` reads `Consumption (kWh), Estimated Cost Inc. Tax (p), Standing Charge
Inc. Tax (p), Start, End` and the edition without costs; stamps have an offset.
"""

from __future__ import annotations

from replay.files.formats.field_rows import FieldParser
from replay.files.formats.long_rows import LongParser
from replay.files.layout import Start
from replay.files.profile import RFC_3339, Profile
from replay.files.reading.first_lines import header

_N3RGY = ("timestamp (utc)", "energyconsumption (kwh)")
_OCTOPUS = ("consumption (kwh)", "start", "end")


def _n3rgy(start: Start) -> str:
    return "the header has timestamp (UTC) and energyConsumption (kWh)" if header(start, _N3RGY) else ""


def _octopus(start: Start) -> str:
    return "the header has Consumption (kWh), Start and End" if header(start, _OCTOPUS) else ""


N3RGY = Profile(
    name="n3rgy",
    meaning="n3rgy: timestamp (UTC), energyConsumption (kWh)",
    columns={"timestamp": (_N3RGY[0],), "consumption_kwh": (_N3RGY[1],)},
    parser=LongParser,
    delimiters=(",",),
    null_tokens=frozenset({""}),
    interval=30,
    zone="UTC",
    zone_known=True,
    order="time",
    stamps=(RFC_3339, "%d/%m/%Y %H:%M"),
    meter_from_file=True,
    recognise=_n3rgy,
)
OCTOPUS = Profile(
    name="octopus",
    meaning="Octopus Energy: Consumption (kWh), Start, End",
    columns={"timestamp": ("Start",), "until": ("End",), "consumption_kwh": ("Consumption (kWh)",)},
    parser=FieldParser,
    delimiters=(",",),
    null_tokens=frozenset({""}),
    zone="Europe/London",
    anchor="start",
    order="time",
    meter_from_file=True,
    beside=r"(estimated cost|standing charge|unit rate).*",
    recognise=_octopus,
)
