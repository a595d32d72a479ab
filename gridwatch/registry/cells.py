"""A cell of text as the value of a record, and the value as the text that COPY reads.

What cannot be converted is handed on as it is: the domain says what is wrong with it.
"""

from __future__ import annotations

import re
from typing import Any

from gridwatch.domain.instants import format_instant, parse_instant
from gridwatch.registry.entities import Column
from sinks.tables.copy_text import NULL, texts

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_BETWEEN_DATES = re.compile(r"[\s;,]+")
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def value_of(column: Column, cell: str) -> Any:
    """The value of a record; None for an empty cell."""
    text = cell.strip()
    if not text:
        return None
    if column.kind in ("number", "price"):
        return float(text) if _NUMBER.fullmatch(text) else text
    if column.kind == "integer":
        return int(text) if _WHOLE.fullmatch(text) else text
    if column.kind == "boolean":
        return _WORDS.get(text.lower(), text)
    if column.kind == "dates":
        return [part for part in _BETWEEN_DATES.split(text) if part]
    return text


def copy_text(column: Column, cell: str) -> str:
    """A valid cell as a field of COPY text."""
    text = cell.strip()
    if not text:
        return NULL
    if column.kind == "instant":
        return format_instant(parse_instant(text, "UTC")[0])
    if column.kind == "boolean":
        return "t" if _WORDS[text.lower()] else "f"
    if column.kind == "dates":
        return "{" + ",".join(part for part in _BETWEEN_DATES.split(text) if part) + "}"
    return texts([text])[0]
