"""A profile from a TOML file, for files that none of the others fits.

shape = "long"                       # or "day" (a day a line) or "meters" (a column a meter)
skip_lines = 2                       # before the header
headers = ["meter", "time", "value"] # of a file that has none
delimiter = ";"
decimal = ","
unit = "kW"                          # kWh, Wh, MWh, kW or W
interval = "15m"
zone = "Europe/Lisbon"
anchor = "end"                       # or "start": what a stamp names
stamps = ["%d.%m.%Y %H:%M"]          # none: RFC 3339
nulls = ["", "NA"]
cells = "MT_.*"                      # wide shapes: the columns with values, a pattern
[columns]
timestamp = "time"                   # a header, or a list of them
meter_id = "meter"
consumption_kwh = "value"
series = "direction"                 # where one says what a value is
[series]                             # its texts; others are left out
Import = "consumption"
Export = "generation"                # a meter of its own, with -export behind its name
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gridwatch.durations import parse_duration
from gridwatch.errors import UsageProblem
from replay.long_rows import LongParser, SeriesParser
from replay.profile import OPTIONAL_FIELDS, REQUIRED_FIELDS, UNITS, Profile, Series
from replay.wide_rows import DayParser, MeterColumnsParser

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_PARSERS = {"long": LongParser, "day": DayParser, "meters": MeterColumnsParser}
_FLOWS = {"consumption": Series(), "generation": Series("-export", generation=True)}
_NEEDED = {
    "long": REQUIRED_FIELDS,
    "day": ("meter_id", "timestamp"),
    "meters": ("timestamp",),
}
_MOST_SKIPPED = 100
_CHOICES = {
    "shape": tuple(_PARSERS),
    "unit": tuple(UNITS),
    "anchor": ("start", "end", "unknown"),
    "dst": ("order", "split"),
    "order": ("time", "meter", "any"),
    "off_grid": ("send", "leave out"),
}
_TEXTS = ("delimiter", "decimal", "zone", "cells", "interval", "quality", "multiply", "meaning")
_LISTS = ("stamps", "nulls", "headers")


def load_custom(path: Path) -> Profile:
    """The profile in a TOML file. UsageProblem names the key that will not do and what is allowed."""
    try:
        with path.open("rb") as file:
            found = tomllib.load(file)
    except OSError as problem:
        raise UsageProblem(f"{path}: cannot be read: {problem.strerror}", "name a TOML file") from problem
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise UsageProblem(f"{path}: not TOML: {problem}", "mend the file") from problem
    return _profile(path, found)


def _profile(path: Path, found: dict[str, Any]) -> Profile:
    known = {*_CHOICES, *_TEXTS, *_LISTS, "columns", "meter_from_file", "skip_lines", "series"}
    for key in found:
        if key not in known:
            raise _wrong(path, key, f"no such key; known are {', '.join(sorted(known))}")
    for key, allowed in _CHOICES.items():
        if found.get(key, allowed[0]) not in allowed:
            raise _wrong(path, key, f"{found[key]!r} is none of {', '.join(allowed)}")
    for key in _TEXTS:
        if not isinstance(found.get(key, ""), str | int | float):
            raise _wrong(path, key, "not a text")
    shape = str(found.get("shape", "long"))
    from_file = bool(found.get("meter_from_file", False))
    columns = _columns(path, found, shape, from_file)
    profile = Profile(
        name="custom",
        meaning=str(found.get("meaning", path.name)),
        columns=columns,
        parser=SeriesParser if shape == "long" and "series" in columns else _PARSERS[shape],
        skip_lines=_lines(path, found),
        headers=tuple(_texts(path, found, "headers")),
        null_tokens=frozenset(_texts(path, found, "nulls")),
        unit=str(found.get("unit", "kWh")),
        multiply=_multiply(path, found),
        interval=_interval(path, found),
        zone=_zone(path, found),
        zone_known="zone" in found,
        stamps=tuple(_texts(path, found, "stamps")),
        anchor=found.get("anchor", "unknown"),
        dst=found.get("dst", "order"),
        order=found.get("order", "any"),
        off_grid=found.get("off_grid", "send"),
        quality=(str(found["quality"]), "CUSTOM") if found.get("quality") else None,
        cells=_cells(path, found, shape),
        meter_from_file=from_file,
        series=_series(path, found, columns),
        described=json.dumps(found, sort_keys=True, default=str),
    )
    if found.get("delimiter"):
        profile = replace(profile, delimiters=(_one(path, found, "delimiter"),))
    if found.get("decimal"):
        profile = replace(profile, decimal_marks=(_one(path, found, "decimal"),))
    if not profile.interval and shape != "day":
        for key, needs in (("unit", profile.unit in ("kW", "W")), ("anchor", profile.anchor == "end")):
            if needs or shape == "meters":
                raise _wrong(path, "interval", f"needed with {key} = {found.get(key, shape)!r}, such as 30m")
    return profile


def _columns(path: Path, found: dict[str, Any], shape: str, from_file: bool) -> dict[str, tuple[str, ...]]:
    given = found.get("columns", {})
    if not isinstance(given, dict):
        raise _wrong(path, "columns", "not a table of headers")
    columns: dict[str, tuple[str, ...]] = {}
    for name, headers in given.items():
        if name not in (*REQUIRED_FIELDS, *OPTIONAL_FIELDS, "series"):
            raise _wrong(path, f"columns.{name}", f"no field; {', '.join(REQUIRED_FIELDS + OPTIONAL_FIELDS)}")
        columns[name] = tuple(str(one) for one in (headers if isinstance(headers, list) else [headers]))
    needed = [name for name in _NEEDED[shape] if not (name == "meter_id" and from_file)]
    for name in needed:
        if not columns.get(name):
            raise _wrong(path, f"columns.{name}", f"missing; shape {shape} needs {', '.join(needed)}")
    return columns


def _series(
    path: Path, found: dict[str, Any], columns: dict[str, tuple[str, ...]]
) -> Callable[[str], Series | None] | None:
    given = found.get("series", {})
    if not isinstance(given, dict) or any(flow not in _FLOWS for flow in given.values()):
        raise _wrong(path, "series", f"not a table of texts and {' or '.join(_FLOWS)}")
    if bool(given) != ("series" in columns):
        raise _wrong(path, "series", "a table of its texts and a column of that name go together")
    series = {text: _FLOWS[flow] for text, flow in given.items()}
    return series.get if series else None


def _cells(path: Path, found: dict[str, Any], shape: str) -> str:
    pattern = str(found.get("cells", ""))
    if shape == "long":
        return ""
    if not pattern:
        raise _wrong(path, "cells", f"missing; shape {shape} needs a pattern for the columns with values")
    try:
        re.compile(pattern)
    except re.error as problem:
        raise _wrong(path, "cells", f"not a regular expression: {problem}") from problem
    return pattern


def _texts(path: Path, found: dict[str, Any], key: str) -> list[str]:
    texts = found.get(key, [])
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise _wrong(path, key, "not a list of texts")
    return texts


def _lines(path: Path, found: dict[str, Any]) -> int:
    lines = found.get("skip_lines", 0)
    if type(lines) is not int or not 0 <= lines <= _MOST_SKIPPED:
        raise _wrong(path, "skip_lines", f"not a number of lines from 0 to {_MOST_SKIPPED}")
    return lines


def _one(path: Path, found: dict[str, Any], key: str) -> str:
    text = str(found[key])
    allowed = (",", ".") if key == "decimal" else None
    if len(text) != 1 or (allowed and text not in allowed):
        raise _wrong(path, key, f"{text!r}: one character" + (", . or ," if allowed else ""))
    return text


def _interval(path: Path, found: dict[str, Any]) -> int:
    if "interval" not in found:
        return 0
    try:
        minutes = parse_duration(found["interval"]).total_seconds() / 60
    except ValueError as problem:
        raise _wrong(path, "interval", str(problem)) from problem
    if not (minutes.is_integer() and 1 <= minutes <= 1440):
        raise _wrong(path, "interval", "a whole number of minutes from 1m to 1d")
    return int(minutes)


def _multiply(path: Path, found: dict[str, Any]) -> Fraction:
    try:
        factor = Fraction(str(found.get("multiply", "1")))
    except (ValueError, ZeroDivisionError) as problem:
        raise _wrong(path, "multiply", "not a number such as 40 or 0.001") from problem
    if not factor:
        raise _wrong(path, "multiply", "0 would lose all energy")
    return factor


def _zone(path: Path, found: dict[str, Any]) -> str | None:
    if "zone" not in found:
        return None
    try:
        return ZoneInfo(str(found["zone"])).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as problem:
        raise _wrong(path, "zone", f"{found['zone']!r} is no zone such as Europe/London") from problem


def _wrong(path: Path, key: str, why: str) -> UsageProblem:
    return UsageProblem(f"{path}: {key}: {why}", "mend the key")
