"""Enedis (France), load curve of one meter: mean power whose steps vary, stamps name the end.

Read is the file of the customer's account: a line of names, one with the PRM, the unit (W, kW or Wh) and
whether it is consumption or production, then `Horodate;Valeur`; and the edition whose header is `horodate
ISO fin de pas; puissance moyenne (W)`. A value counts over the time since the stamp before it, also where
that one is empty. A value of `Energie` in Wh is the energy of that time. Files of registers (`Index`) and
daily sums are not read: which day a stamp names they do not say.
"""

from __future__ import annotations

import re

from gridwatch.domain.policy import HOUR
from gridwatch.errors import GridwatchError
from replay.files.formats.field_rows import FieldParser
from replay.files.job import Job
from replay.files.layout import Start
from replay.files.profile import POWER, UNITS, Profile, Series
from replay.files.reading.first_lines import header
from replay.files.reading.opening import sniff
from replay.files.stamps.local_time import read_stamp

_STAMP = ("Horodate", "horodate ISO fin de pas")
_VALUE = ("Valeur", "puissance moyenne (W)")
_PRM = re.compile(r"\d{14}")
_LOAD_CURVE, _ENERGY = "courbe", ("energie", "énergie")
#: From this step on values are sums of days.
_DAILY = 12 * HOUR


class _Parser(FieldParser):
    """Takes meter, direction and unit from the lines above the header."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        start = sniff(job.source)
        above = start.lines[: max(0, job.layout.header_lines - start.blank - 1)]
        words = [cell.strip() for line in above for cell in line.split(";")]
        titles, cells = (line.split(";") for line in above[:2]) if len(above) > 1 else ([], [])
        named = dict(zip(titles, cells, strict=False))
        meter = next((word for word in words if _PRM.fullmatch(word)), self._file_meter)
        export = any(word.lower() in ("production", "injection") for word in words)
        self._file_meter = meter
        self._cells.groups = [
            (Series("-export" if export else "", generation=export), self._cells.groups[0][1])
        ]
        unit = named.get("Unite", named.get("Unité", "W")).strip() or "W"
        if unit not in UNITS:
            raise GridwatchError(
                f"{job.layout.file}, line {start.blank + 2}, column Unite: {unit!r} is no unit of energy or "
                "power",
                "give a file of active energy, in W or Wh",
            )
        self._cells.unit = unit
        data = named.get("Type de donnees", named.get("Type de données", "")).strip()
        if data and _LOAD_CURVE not in data.lower():
            _check_energy(job, start, data, unit)


def _check_energy(job: Job, start: Start, data: str, unit: str) -> None:
    """GridwatchError unless values are the energy of intervals, in a unit of energy."""
    where = f"{job.layout.file}, line {start.blank + 2}"
    remedy = "give the file of the load curve (Courbe de charge); registers and daily sums are not read"
    if not data.lower().startswith(_ENERGY):
        raise GridwatchError(f"{where}, column Type de donnees: {data!r} is not a load curve", remedy)
    if unit in POWER:
        raise GridwatchError(
            f"{where}, column Unite: {unit!r} is a power, and the type of the data is {data!r}: it is not "
            "clear which the values are",
            remedy,
        )
    step = _first_step(start.lines[job.layout.header_lines - start.blank :])
    if step >= _DAILY:
        raise GridwatchError(
            f"{job.layout.file}, line {job.layout.header_lines + 2}, column Horodate: values {step / HOUR:g} "
            "hours apart: sums of days",
            remedy,
        )


def _first_step(rows: list[str]) -> int:
    """The time (µs) between the stamps of the first two rows; 0 where that is not known."""
    stamps = [row.split(";")[0].strip() for row in rows[:2]]
    try:
        times = [read_stamp(stamp, ())[0] for stamp in stamps]
    except (ValueError, OverflowError):
        return 0
    return abs(times[1] - times[0]) if len(times) == 2 else 0


def _recognise(start: Start) -> str:
    for stamp, value in zip(_STAMP, _VALUE, strict=True):
        if header(start, (stamp.lower(), value.lower()), (";",)):
            return f"a header is {stamp}; {value}"
    return ""


ENEDIS = Profile(
    name="enedis",
    meaning="Enedis load curve: PRM and unit above, then Horodate; Valeur in W, steps vary",
    columns={"timestamp": _STAMP, "consumption_kwh": _VALUE},
    parser=_Parser,
    delimiters=(";",),
    null_tokens=frozenset({""}),
    unit="W",
    zone="Europe/Paris",
    zone_known=True,
    anchor="end",
    order="time",
    meter_from_file=True,
    find_header=True,
    steps="stamps",
    beside=r"nature|pas|indice de vraisemblance|etat complementaire",
    recognise=_recognise,
)
