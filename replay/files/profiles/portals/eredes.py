"""E-REDES (Portugal), load diagram of one delivery point: quarter-hours of mean power, stamps name the end.

Read is the portal's workbook (`pip install 'gridwatch[xlsx]'`), or its sheet as CSV: lines about the
customer, then `Data`, `Hora` (00:15 … 24:00, or 00:00 of the next day), `Consumo registado (kW)` or
`Consumo medido …, Ativa (kW)`, and `Injeção na rede … (kW)`, which is a meter of its own. Reactive power is
left out. A file is a meter.
"""

from __future__ import annotations

import re

from replay.files.formats.field_rows import FieldParser
from replay.files.layout import Start
from replay.files.profile import Profile, Series
from replay.files.reading.first_lines import header

_CONSUMPTION = r"consumo (registado|medido)\b.*\(kw\).*"
_INJECTION = r"inje[cç][aã]o\b.*\(kw\).*"


def _recognise(start: Start) -> str:
    cells = header(start, ("data", "hora"), (";", ",", "\t"))
    named = any(re.fullmatch(_CONSUMPTION, cell) for cell in cells)
    return "a header has Data, Hora and Consumo … (kW)" if named else ""


EREDES = Profile(
    name="e-redes",
    meaning="E-REDES: Data, Hora, Consumo registado (kW), Injeção na rede (kW)",
    columns={"timestamp": ("Data", "Hora")},
    parser=FieldParser,
    delimiters=(";", ",", "\t"),
    null_tokens=frozenset({"", "-"}),
    unit="kW",
    interval=15,
    zone="Europe/Lisbon",
    zone_known=True,
    anchor="end",
    order="time",
    stamps=("%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M", "%d/%m/%Y %H:%M", "%d-%m-%Y %H:%M", "%Y-%m-%d %H:%M:%S"),
    meter_from_file=True,
    find_header=True,
    join_stamps=True,
    values=((_CONSUMPTION, Series()), (_INJECTION, Series("-export", generation=True))),
    beside=r".*\(kvar\).*|.*\(kva\).*|estado",
    recognise=_recognise,
)
