"""A profile from a TOML file, for files that none of the others fits.

shape = "long"                       # or "day" (a day a line) or "meters" (a column a meter)
skip_lines = 2                       # before the header; without it the header is looked for
headers = ["meter", "time", "value"] # of a file that has none
encoding = "cp1252"                  # none: UTF-8, or UTF-16 with its mark
delimiter = ";"
decimal = ","
thousands = "."                      # or , ' or a blank
unit = "kW"                          # kWh, Wh, MWh, kW or W
interval = "15m"                     # from 1s on; 1d, 1mo: days, months of the zone (24h: always 24 hours)
                                     # or "stamps": a value covers the time between two stamps of its meter
zone = "Europe/Lisbon"
anchor = "end"                       # or "start": what a stamp names
midnight = "end"                     # 00:00 ends the day of its date, as 24:00 does
stamps = ["%d.%m.%Y %H:%M"]          # none: RFC 3339; 24:00, %z and %Z (CEST) are read
span = " - "                         # between the two stamps of a cell
first_slot = 0                       # where intervals are numbered from 0 on
nulls = ["", "NA"]
cells = "MT_.*"                      # wide shapes: the columns with values, a pattern
negative = "generation"              # a value below zero was fed in: a meter of its own, with -export
difference = true                    # values are those of a register
digits = 6                           # before its decimal point: where it rolls over
max_kw = 40                          # the most that it can count
[columns]
timestamp = "time"                   # a header, or several whose cells make one stamp: ["Date", "Time"]
until = "to"                         # the end of the interval
slot = "hour"                        # the number of the interval in its day, beside a date
meter_id = "meter"                   # or several that it may have: the file has one of them
consumption_kwh = "value"
unit = "unit"                        # where a column has it
device = "serial"                    # what counted: of a meter replaced within a day both parts are taken
series = "direction"                 # where one says what a value is
[series]                             # its texts; others are left out
Import = "consumption"
Export = "generation"                # a meter of its own, with -export behind its name
Night = "consumption night"          # a meter of its own, with -night; without a word they are added up
[values]                             # several columns of values in a line, and what they are
"Import T1" = "consumption"
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from gridwatch.domain.policy import MINUTE, SECOND
from replay.files.formats.day_rows import DayParser
from replay.files.formats.field_rows import FieldParser
from replay.files.formats.long_rows import LongParser
from replay.files.formats.tariff_rows import TariffParser
from replay.files.formats.wide_rows import MeterColumnsParser
from replay.files.profile import POWER, RFC_3339, Profile, has_hour
from replay.files.profiles.custom import keys, marks
from replay.files.profiles.custom.rules import check
from replay.files.profiles.custom.units import kwh_headers


def load_custom(path: Path) -> Profile:
    """The profile in a TOML file. UsageProblem names the key that will not do and what is allowed."""
    found = keys.toml(path)
    keys.known(path, found)
    shape = str(found.get("shape", "long"))
    columns = keys.columns(path, found)
    values = keys.values(path, found)
    series = keys.series(path, found)
    spacing, by_stamps = keys.interval(path, found)
    stamps = keys.stamps(path, found)
    minutes, odd = divmod(spacing.length, MINUTE)
    profile = Profile(
        name="custom",
        meaning=str(found.get("meaning", path.name)),
        columns=columns,
        parser=LongParser,
        delimiters=marks.delimiters(path, found),
        decimal_marks=marks.decimal_marks(path, found),
        thousands=marks.thousands(path, found),
        skip_lines=keys.lines(path, found),
        headers=tuple(keys.texts(path, found, "headers")),
        null_tokens=frozenset(keys.texts(path, found, "nulls")),
        unit=str(found.get("unit", "kWh")),
        multiply=keys.multiply(path, found),
        interval=0 if odd else minutes,
        seconds=spacing.length // SECOND if odd else 0,
        by_calendar=bool(spacing.unit) or (not spacing.length and "zone" in found and _are_local(stamps)),
        steps="stamps" if by_stamps else "fixed",
        zone=keys.zone(path, found),
        zone_known="zone" in found,
        stamps=stamps,
        anchor=found.get("anchor", "unknown"),
        midnight=found.get("midnight", "start"),
        dst=found.get("dst", "order"),
        order=found.get("order", "any"),
        off_grid=found.get("off_grid", "send"),
        quality=(str(found["quality"]), "CUSTOM") if found.get("quality") else None,
        series=(lambda text: series.get(keys.folded(text))) if series else None,
        cells=keys.cells(path, found),
        meter_from_file=keys.truth(path, found, "meter_from_file"),
        encoding=keys.encoding(path, found),
        find_header="skip_lines" not in found and "headers" not in found,
        join_stamps=_joins(shape, found) and "slot" not in columns,
        span=str(found.get("span", "")),
        first_slot=keys.whole(path, found, "first_slot", 1, (0, 1)),
        values=values,
        difference=keys.truth(path, found, "difference"),
        digits=keys.whole(path, found, "digits", 0, (1, 12)),
        max_kw=keys.number(path, found, "max_kw"),
        negative=found.get("negative", "send"),
        add_up=len({one.suffix for one in series.values()}) < len(series),
        strict_headers=True,
        inspect=None if "multiply" in found or "unit" in found or "unit" in columns else kwh_headers,
        described=json.dumps(found, sort_keys=True, default=str),
    )
    check(path, found, profile)
    return replace(profile, parser=_parser(shape, profile))


def _are_local(stamps: tuple[str, ...]) -> bool:
    """Whether no stamp has an offset: days from stamp to stamp are then those of the zone."""
    return bool(stamps) and not any(form == RFC_3339 or "%z" in form.lower() for form in stamps)


def _joins(shape: str, found: dict[str, Any]) -> bool:
    """Whether stamps may be in several columns."""
    return shape == "long" or (shape == "meters" and found.get("dst") != "split")


def _parser(shape: str, profile: Profile) -> Any:
    if shape == "day":
        return DayParser
    if shape == "meters":
        return MeterColumnsParser if profile.dst == "split" else FieldParser
    if profile.add_up:
        return TariffParser
    further = {"series", "until", "slot", "unit", "device"} & profile.columns.keys()
    several = any(len(headers) > 1 for name, headers in profile.columns.items() if name == "timestamp")
    plain = (
        profile.steps == "fixed"
        and not (further or several or profile.values or profile.difference or profile.span)
        and profile.unit not in POWER
        and (profile.negative, profile.dst) == ("send", "order")
        and all(has_hour(form) for form in profile.stamps)
    )
    return LongParser if plain else FieldParser


__all__ = ["load_custom"]
