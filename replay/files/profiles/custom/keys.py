"""The keys of a profile of one's own, each read by itself. UsageProblem names file, key and remedy."""

from __future__ import annotations

import codecs
import re
import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gridwatch.domain.policy import DAY, SECOND
from gridwatch.domain.spans import interval_named
from gridwatch.errors import UsageProblem
from replay.files.profile import OPTIONAL_FIELDS, REQUIRED_FIELDS, RFC_3339, UNITS, Series
from replay.files.spacing import Spacing

SHAPES = ("long", "day", "meters")
_FIELDS = (*REQUIRED_FIELDS, "series", "slot", "until", "unit", "device", *OPTIONAL_FIELDS)
_FLOWS = ("consumption", "generation")
_MOST_SKIPPED = 100
_CHOICES = {
    "shape": SHAPES,
    "unit": tuple(UNITS),
    "anchor": ("start", "end", "unknown"),
    "midnight": ("start", "end"),
    "dst": ("order", "split"),
    "order": ("time", "meter", "any"),
    "off_grid": ("send", "leave out"),
    "negative": ("send", "generation"),
}
_TEXTS = (
    "delimiter", "decimal", "thousands", "zone", "cells", "interval", "quality", "multiply", "meaning",
    "encoding", "span",
)  # fmt: skip
_LISTS = ("stamps", "nulls", "headers")
_TRUTHS = ("meter_from_file", "difference")
_NUMBERS = ("skip_lines", "first_slot", "digits", "max_kw")
_YEAR = re.compile(r"%[-#]?[YyGcx]")


def toml(path: Path) -> dict[str, Any]:
    """What is in the file."""
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as problem:
        raise UsageProblem(f"{path}: cannot be read: {problem.strerror}", "name a TOML file") from problem
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise UsageProblem(f"{path}: not TOML: {problem}", "fix the file") from problem


def wrong(path: Path, key: str, why: str) -> UsageProblem:
    """What to say of a key that will not do."""
    return UsageProblem(f"{path}: {key}: {why}", "fix the key")


def known(path: Path, found: dict[str, Any]) -> None:
    """UsageProblem for a key that there is not, or whose value is none of those allowed."""
    names = {*_CHOICES, *_TEXTS, *_LISTS, *_TRUTHS, *_NUMBERS, "columns", "series", "values"}
    for key in found:
        if key not in names:
            raise wrong(path, key, f"no such key; known are {', '.join(sorted(names))}")
    for key, allowed in _CHOICES.items():
        if found.get(key, allowed[0]) not in allowed:
            raise wrong(path, key, f"{found[key]!r} is none of {', '.join(allowed)}")
    for key in _TEXTS:
        if not isinstance(found.get(key, ""), str | int | float) or isinstance(found.get(key), bool):
            raise wrong(path, key, "not a text")


def columns(path: Path, found: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """The headers of each field."""
    given = found.get("columns", {})
    if not isinstance(given, dict):
        raise wrong(path, "columns", "not a table of headers")
    read: dict[str, tuple[str, ...]] = {}
    for name, headers in given.items():
        if name not in _FIELDS:
            raise wrong(path, f"columns.{name}", f"no field; {', '.join(_FIELDS)}")
        listed = headers if isinstance(headers, list) else [headers]
        if not listed or not all(isinstance(one, str | int | float) for one in listed):
            raise wrong(path, f"columns.{name}", "neither a header nor a list of them")
        read[name] = tuple(str(one) for one in listed)
    return read


def series(path: Path, found: dict[str, Any]) -> dict[str, Series]:
    """The texts of a column that names the series, and what they mean."""
    given = found.get("series", {})
    if not isinstance(given, dict):
        raise wrong(path, "series", f"not a table of texts and {' or '.join(_FLOWS)}")
    meanings: dict[str, Series] = {}
    for text, flow in given.items():
        meaning = _meaning(path, "series", text, flow)
        if meanings.setdefault(folded(str(text)), meaning) != meaning:
            raise wrong(path, "series", f"{text!r} stands there twice, with other capitals, for other series")
    return meanings


def folded(text: str) -> str:
    """A text of a series as it is compared: capitals and blanks tell none apart."""
    return " ".join(text.split()).casefold()


def values(path: Path, found: dict[str, Any]) -> tuple[tuple[str, Series], ...]:
    """The columns of values of a line, and what they mean."""
    given = found.get("values", {})
    if not isinstance(given, dict):
        raise wrong(path, "values", f"not a table of headers and {' or '.join(_FLOWS)}")
    return tuple(
        (re.escape(" ".join(str(header).split())), _meaning(path, "values", header, flow))
        for header, flow in given.items()
    )


def _meaning(path: Path, key: str, text: str, flow: Any) -> Series:
    way, _, name = str(flow).strip().partition(" ")
    if way not in _FLOWS:
        raise wrong(
            path,
            key,
            f"not a table of texts and {' or '.join(_FLOWS)}, maybe with a word behind: {text} = {flow!r}",
        )
    suffix = "-export" if way == "generation" else ""
    return Series(suffix + (f"-{name.strip()}" if name.strip() else ""), way == "generation")


def cells(path: Path, found: dict[str, Any]) -> str:
    """The pattern of the columns with values."""
    pattern = str(found.get("cells", ""))
    try:
        re.compile(pattern)
    except re.error as problem:
        raise wrong(path, "cells", f"not a regular expression: {problem}") from problem
    return pattern


def texts(path: Path, found: dict[str, Any], key: str) -> list[str]:
    """A list of texts."""
    given = found.get(key, [])
    if not isinstance(given, list) or not all(isinstance(text, str) for text in given):
        raise wrong(path, key, "not a list of texts")
    return given


def stamps(path: Path, found: dict[str, Any]) -> tuple[str, ...]:
    """The forms of stamps."""
    forms = tuple(texts(path, found, "stamps"))
    for form in forms:
        if form != RFC_3339 and not _YEAR.search(form):
            raise wrong(path, "stamps", f"{form!r} has no year")
        if "%Z" in form and not form.endswith("%Z"):
            raise wrong(path, "stamps", f"{form!r}: %Z, the name of an offset, stands at the end")
        if "%z" in form and "%Z" in form:
            raise wrong(path, "stamps", f"{form!r}: %z or %Z, not both")
    return forms


def lines(path: Path, found: dict[str, Any]) -> int:
    """How many lines stand before the header."""
    count = found.get("skip_lines", 0)
    if type(count) is not int or not 0 <= count <= _MOST_SKIPPED:
        raise wrong(path, "skip_lines", f"not a number of lines from 0 to {_MOST_SKIPPED}")
    return count


def whole(path: Path, found: dict[str, Any], key: str, default: int, bounds: tuple[int, int]) -> int:
    """A whole number within bounds."""
    count, (least, most) = found.get(key, default), bounds
    if key in found and (type(count) is not int or not least <= count <= most):
        raise wrong(path, key, f"not a whole number from {least} to {most}")
    return int(count)


def number(path: Path, found: dict[str, Any], key: str) -> float:
    """A number greater than 0; 0 where the key is not there."""
    value = found.get(key, 0)
    good = type(value) in (int, float) and 0 < value < 1e9
    if key in found and not good:
        raise wrong(path, key, "not a number greater than 0")
    return float(value)


def truth(path: Path, found: dict[str, Any], key: str) -> bool:
    """true or false."""
    value = found.get(key, False)
    if not isinstance(value, bool):
        raise wrong(path, key, "neither true nor false")
    return value


def interval(path: Path, found: dict[str, Any]) -> tuple[Spacing, bool]:
    """The interval, of length 0 where none is given; and whether stamps say how long each value is."""
    if "interval" not in found:
        return Spacing(0), False
    text = str(found["interval"]).strip()
    if text == "stamps":
        return Spacing(0), True
    try:
        length, calendar = interval_named(text, "UTC", SECOND, DAY)
    except (ValueError, OverflowError) as problem:
        allowed = "write a whole number of seconds from 1s to 24h, 1d or 1mo (of the zone), or stamps"
        raise wrong(path, "interval", allowed) from problem
    return Spacing(length, calendar.unit if calendar else ""), False


def multiply(path: Path, found: dict[str, Any]) -> Fraction:
    """What values are multiplied by."""
    try:
        factor = Fraction(str(found.get("multiply", "1")))
    except (ValueError, ZeroDivisionError) as problem:
        raise wrong(path, "multiply", "not a number such as 40 or 0.001") from problem
    if not factor:
        raise wrong(path, "multiply", "0 would lose all energy")
    return factor


def zone(path: Path, found: dict[str, Any]) -> str | None:
    """The zone of stamps without offset."""
    if "zone" not in found:
        return None
    try:
        return ZoneInfo(str(found["zone"])).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as problem:
        raise wrong(path, "zone", f"{found['zone']!r} is no zone such as Europe/London") from problem


def encoding(path: Path, found: dict[str, Any]) -> str:
    """What texts are written in; empty where that is found out."""
    name = str(found.get("encoding", ""))
    try:
        if name and not codecs.lookup(name)._is_text_encoding:
            raise LookupError
        "".encode(name or "utf-8")
    except (LookupError, UnicodeError, ValueError) as problem:
        raise wrong(path, "encoding", f"{name!r} is no encoding such as cp1252 or utf-16-le") from problem
    return name
