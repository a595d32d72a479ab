"""Fluvius (Flanders): quarter-hours of digital meters, from and until in two columns each, a register a line.

Read are the portal's files in English (`From (date);From (time);Until (date);…;EAN
code;…;Register;Volume;Unit;…`), Dutch and French. Registers of offtake and injection, by day and by night,
are one series each way; those of gas, water and reactive energy are left out. The meter is the EAN, of
which spreadsheets get `="541…"`; its devices have parts of the day in which one replaces the other.
"""

from __future__ import annotations

from dataclasses import replace

from replay.files.formats.tariff_rows import TariffParser
from replay.files.layout import Layout, Start
from replay.files.profile import Profile, Series
from replay.files.reading.first_lines import header
from replay.files.reading.headers import by_header

_FROM = ("From (date)", "From (time)", "Van (datum)", "Van (tijdstip)", "De (date)", "De (heure)")
_UNTIL = ("Until (date)", "Until (time)", "Tot (datum)", "Tot (tijdstip)", "À (date)", "À (heure)")
_EAN = ("EAN code", "EAN-code", "EAN", "Code EAN")
_QUALITIES = ("validation status", "validatiestatus", "statut de validation")
_OFFTAKE = ("offtake", "afname", "prélèvement")
_INJECTION = ("injection", "injectie")


def _series(name: str) -> Series | None:
    text = name.lower()
    if "reacti" in text or "réacti" in text:
        return None
    if text.startswith(_OFFTAKE):
        return Series()
    return Series("-export", generation=True) if text.startswith(_INJECTION) else None


def _cells(start: Start) -> list[str]:
    tries = (header(start, (name.lower(), "volume"), (";", ",")) for name in (_FROM[0], _FROM[2], _FROM[4]))
    return next((cells for cells in tries if cells), [])


def _inspect(start: Start, profile: Profile) -> Layout:
    cells = _cells(start)
    quality = next((name for name in _QUALITIES if name in cells), _QUALITIES[0])
    return by_header(start, replace(profile, quality=(quality, "FLUVIUS")))


def _recognise(start: Start) -> str:
    named = any(name.lower() in _cells(start) for name in _EAN)
    return "the header has From (date), EAN code and Volume" if named else ""


FLUVIUS = Profile(
    name="fluvius",
    meaning="Fluvius: From (date), From (time), Until …, EAN code, Register, Volume",
    columns={
        "meter_id": _EAN,
        "timestamp": _FROM,
        "until": _UNTIL,
        "consumption_kwh": ("Volume",),
        "series": ("Register", "Registre"),
        "unit": ("Unit", "Eenheid", "Unité"),
        "device": ("Meter", "Compteur"),
    },
    optional=frozenset({"device"}),
    parser=TariffParser,
    delimiters=(";", ","),
    null_tokens=frozenset({""}),
    zone="Europe/Brussels",
    by_calendar=True,
    zone_known=True,
    anchor="start",
    order="meter",
    stamps=("%d/%m/%Y %H:%M:%S", "%d-%m-%Y %H:%M:%S", "%d/%m/%Y %H:%M"),
    quality=("Validation status", "FLUVIUS"),
    find_header=True,
    join_stamps=True,
    add_up=True,
    series=_series,
    inspect=_inspect,
    beside=r"meter ?type|type de compteur|description|omschrijving",
    recognise=_recognise,
)
