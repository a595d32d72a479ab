"""Datadis (Spain) and its distributors: hours of one or more supply points, numbered by their end.

Read are `cups;fecha;hora;consumo_kWh;metodoObtencion;energiaVertida_kWh` as Datadis has it, with an hour
from 01:00 to 24:00; the same with numbers, 1 to 23, 24 or 25; `CUPS;Fecha;Hora;AE_kWh;AS_kWh;REAL/ESTIMADO`
of e-distribución and i-DE; and files that have date and hour in one column. Hours are counted in order on
days of 23 and 25, or by the clock where 3 comes twice. Energy that was fed in is a meter of its own. The
zone is that of the mainland.
"""

from __future__ import annotations

from dataclasses import replace

from replay.files.formats.field_rows import FieldParser
from replay.files.layout import Layout, Start
from replay.files.profile import Profile, Series
from replay.files.reading.first_lines import header
from replay.files.reading.headers import by_header

_QUALITIES = ("metodoobtencion", "metodo_obtencion", "real/estimado")
_CONSUMPTION = ("consumo_kwh", "ae_kwh", "consumo_kwh*")
_DELIMITERS = (";", ",", "\t")


def _header(start: Start) -> list[str]:
    return header(start, ("cups", "fecha"), _DELIMITERS)


def _inspect(start: Start, profile: Profile) -> Layout:
    cells = _header(start)
    quality = next((name for name in _QUALITIES if name in cells), _QUALITIES[0])
    columns = dict(profile.columns)
    if "hora" not in cells:
        columns["slot"] = columns["timestamp"]
    return by_header(start, replace(profile, columns=columns, quality=(quality, "DATADIS")))


def _recognise(start: Start) -> str:
    named = any(name in _header(start) for name in _CONSUMPTION)
    return "the header has CUPS, Fecha and consumo_kWh or AE_kWh" if named else ""


DATADIS = Profile(
    name="datadis",
    meaning="Datadis and Spanish distributors: CUPS, fecha, hora, consumo_kWh",
    columns={"meter_id": ("CUPS",), "timestamp": ("fecha",), "slot": ("hora",)},
    parser=FieldParser,
    delimiters=_DELIMITERS,
    null_tokens=frozenset({"", "NULL", "null", "-"}),
    interval=60,
    zone="Europe/Madrid",
    anchor="end",
    order="meter",
    stamps=("%Y/%m/%d", "%d/%m/%Y", "%Y-%m-%d"),
    quality=("metodoObtencion", "DATADIS"),
    find_header=True,
    values=(
        (r"consumo_kwh\*?|ae_kwh", Series()),
        (r"energiavertida_kwh|as_kwh", Series("-export", generation=True)),
    ),
    inspect=_inspect,
    beside=r"energiagenerada_kwh|energiaautoconsumida_kwh|ae_autocons_kwh",
    recognise=_recognise,
)
