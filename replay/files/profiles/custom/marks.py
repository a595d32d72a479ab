"""The keys of what stands between cells and within numbers: delimiter, decimal mark, marks of thousands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from replay.files.profiles.custom.keys import wrong

_THOUSANDS = (".", ",", "'", "’", " ")


def delimiters(path: Path, found: dict[str, Any]) -> tuple[str, ...]:
    """The delimiter, or those that are tried."""
    return (_one(path, found, "delimiter"),) if found.get("delimiter") else (",", ";", "\t", "|")


def decimal_marks(path: Path, found: dict[str, Any]) -> tuple[str, ...]:
    """The decimal mark, or those that are tried: what parts thousands is none."""
    if found.get("decimal"):
        return (_one(path, found, "decimal"),)
    return tuple(mark for mark in (".", ",") if mark != found.get("thousands"))


def thousands(path: Path, found: dict[str, Any]) -> str:
    """What parts thousands; empty where nothing does."""
    mark = str(found.get("thousands", ""))
    if mark and mark not in _THOUSANDS:
        raise wrong(path, "thousands", f"{mark!r}: one of {' '.join(map(repr, _THOUSANDS))}")
    if mark and mark == found.get("decimal"):
        raise wrong(path, "thousands", f"{mark!r} is the decimal mark, too")
    return mark


def _one(path: Path, found: dict[str, Any], key: str) -> str:
    text = str(found[key])
    allowed = (",", ".") if key == "decimal" else None
    if len(text) != 1 or (allowed and text not in allowed) or text in '\r\n"':
        raise wrong(path, key, f"{text!r}: one character" + (", . or ," if allowed else ""))
    return text
