"""Columns of values as the text that PostgreSQL's COPY reads.

A column is encoded as a whole, because nearly all columns need no escapes: one scan over all of its
characters finds that out. A value is escaped where it holds a backslash or a control character; `\\N` is
NULL. Values that are invalid for any database (a timestamp such as "now", a lone surrogate) raise ValueError.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import cast

import msgspec

NULL = "\\N"

_ESCAPES = str.maketrans(
    {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\b": "\\b", "\f": "\\f", "\v": "\\v"}
)
#: PostgreSQL also reads words as times, and "now" gives another value on each retry.
_NOT_IN_AN_INSTANT = re.compile(r"[^0-9TZ:.+-]")
#: Lists of flags seen before, as array literals. There are few; the bound is against foreign records.
_ARRAYS: dict[tuple[str, ...], str] = {(): "{}"}
_MOST_ARRAYS = 1000


def texts(values: list[str]) -> list[str]:
    """Text that is never NULL."""
    together = "".join(values)
    if together.isprintable() and "\\" not in together:
        return values
    return [value.translate(_ESCAPES) for value in values]


def optional_texts(values: list[str | None]) -> list[str]:
    """Text that may be NULL."""
    missing = values.count(None)
    if missing == len(values):
        return [NULL] * missing
    if not missing:
        return texts(cast("list[str]", values))
    return [NULL if value is None else value.translate(_ESCAPES) for value in values]


def instants(values: list[str]) -> list[str]:
    """RFC 3339 instants, parsed by the database; ValueError for words."""
    if wrong := _NOT_IN_AN_INSTANT.search("".join(values)):
        culprit = next(value for value in values if _NOT_IN_AN_INSTANT.search(value))
        raise ValueError(f"{culprit[:64]!r} is not an RFC 3339 instant: {wrong[0]!r} is not part of one")
    return values


def optional_instants(values: list[str | None]) -> list[str]:
    """RFC 3339 instants that may be NULL."""
    instants([value for value in values if value is not None])
    return [NULL if value is None else value for value in values]


def numbers(values: Iterable[float]) -> list[str]:
    """Numbers, in the shortest text that reads back as the same number."""
    return list(map(repr, values))


def optional_numbers(values: list[float | None]) -> list[str]:
    """Numbers that may be NULL."""
    if values.count(None) == len(values):
        return [NULL] * len(values)
    return [NULL if value is None else repr(value) for value in values]


def booleans(values: Iterable[bool]) -> list[str]:
    """true and false."""
    return ["t" if value else "f" for value in values]


def arrays(values: Iterable[Sequence[str]]) -> list[str]:
    """Lists of texts as array literals."""
    return [_ARRAYS.get(key := tuple(value)) or _array(key) for value in values]


def documents(values: Iterable[object]) -> list[str]:
    """JSON values, for jsonb columns."""
    encode = msgspec.json.encode
    return texts([encode(value).decode() for value in values])


def rows(columns: Iterable[list[str]]) -> bytes:
    """Columns of equal length as lines of COPY text. UnicodeEncodeError for lone surrogates."""
    lines = list(map("\t".join, zip(*columns, strict=True)))
    return ("\n".join(lines) + "\n").encode() if lines else b""


def _array(items: tuple[str, ...]) -> str:
    quoted = (item.replace("\\", "\\\\").replace('"', '\\"') for item in items)
    literal = ("{" + ",".join(f'"{item}"' for item in quoted) + "}").translate(_ESCAPES)
    if len(_ARRAYS) < _MOST_ARRAYS:
        _ARRAYS[items] = literal
    return literal
