"""London, Low Carbon London trial: half-hours of some 5 500 households, 2011 to 2014.

The publisher's edition has a stamp with seven decimals, padded values, a trailing blank in the header, and
`Null` in rows off the half-hour grid; another one has days first and Acorn groups. Kaggle's has shorter
headers, or one day a line. Neither the zone nor the end of the interval that a stamp names is stated.
"""

from __future__ import annotations

from dataclasses import replace

from replay.files.formats.day_rows import DayParser
from replay.files.formats.long_rows import LongParser
from replay.files.job import Job
from replay.files.layout import Layout, Start
from replay.files.profile import RFC_3339, Profile
from replay.files.reading.opening import by_header
from replay.files.rows import LineParser

_NULLS = frozenset({"Null", "NULL", "null", ""})
_ENERGY = ("kwh/hh (per half hour)", "kwh/hh")


def _london(start: Start) -> str:
    headers = start.cells(0)
    named = "lclid" in headers and any(name in headers for name in _ENERGY)
    return "the header has LCLid and KWH/hh" if named else ""


def _wide(start: Start) -> bool:
    return {"lclid", "day", "hh_0"} <= set(start.cells(0))


def _kaggle(start: Start) -> str:
    if _wide(start):
        return "the header has LCLid, day and hh_0"
    named = {"lclid", "tstp", "energy(kwh/hh)"} <= set(start.cells(0))
    return "the header has LCLid, tstp and energy(kWh/hh)" if named else ""


def _kaggle_inspect(start: Start, profile: Profile) -> Layout:
    if not _wide(start):
        return by_header(start, profile)
    columns = {name: profile.columns[name] for name in ("meter_id", "timestamp")}
    return by_header(start, replace(profile, columns=columns, cells=r"hh_\d+"))


def _kaggle_parser(job: Job) -> LineParser:
    return DayParser(job) if job.layout.cells else LongParser(job)


LONDON = Profile(
    name="london",
    meaning="Low Carbon London: LCLid, DateTime, KWH/hh, half-hours with Null values",
    columns={"meter_id": ("LCLid",), "timestamp": ("DateTime", "tstp"), "consumption_kwh": _ENERGY},
    parser=LongParser,
    delimiters=(",",),
    null_tokens=_NULLS,
    interval=30,
    order="meter",
    stamps=(RFC_3339, "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M"),
    recognise=_london,
)
LONDON_KAGGLE = Profile(
    name="london-kaggle",
    meaning="Low Carbon London as on Kaggle: LCLid, tstp, energy(kWh/hh), or LCLid, day, hh_0 … hh_47",
    columns={
        "meter_id": ("LCLid",),
        "timestamp": ("tstp", "day"),
        "consumption_kwh": ("energy(kWh/hh)",),
    },
    parser=_kaggle_parser,
    delimiters=(",",),
    null_tokens=_NULLS,
    interval=30,
    order="meter",
    inspect=_kaggle_inspect,
    recognise=_kaggle,
)
