"""Parses a request: HTML or JSON, and its query parameters, each validated first.

A browser gets HTML; `Accept: application/json` or `?format=json` gets JSON. A parameter that is unknown,
given twice or out of range is answered with 400 and the reason: a typing error must not look like an empty
result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gridwatch.http.reply import Problem

#: Longest text accepted as a meter id or a part of one, characters.
MAX_TEXT = 1024
MAX_LIMIT = 1000


def wants_json(query: Mapping[str, str], accept: str) -> bool:
    """Whether the answer should be JSON; Problem 400 for an unknown `format`."""
    asked = query.get("format")
    if asked is None:
        weights = _weights(accept)
        json = weights.get("application/json", 0.0)
        return json > 0 and json >= weights.get("text/html", 0.0)
    if asked not in ("json", "html"):
        raise Problem(400, f"format: {asked!r} is not json or html")
    return asked == "json"


def _weights(accept: str) -> dict[str, float]:
    """Media types of an Accept header with their weights; a malformed weight is 0."""
    weights = {}
    for part in accept.split(","):
        kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                try:
                    weight = float(value)
                except ValueError:
                    weight = 0.0
        weights[kind] = weight
    return weights


def parameters(query: Any, allowed: Mapping[str, Callable[[str, str], Any]]) -> dict[str, Any]:
    """The parameters of a query by name, parsed with `allowed`; those not given are left out.

    Args:
        query: a multi-dict as aiohttp gives it, or any mapping.
        allowed: for each parameter a function of (name, text) that returns its value or raises Problem.
    """
    read = {}
    for name in query:
        if name == "format":
            continue
        if name not in allowed:
            known = ", ".join(sorted([*allowed, "format"]))
            raise Problem(400, f"unknown parameter {name!r}; known here: {known}")
        values = query.getall(name) if hasattr(query, "getall") else [query[name]]
        if len(values) > 1:
            raise Problem(400, f"{name}: given {len(values)} times")
        if values[0] != "":  # an empty field of a form is one left out
            read[name] = allowed[name](name, values[0])
    return read


def text(name: str, value: str) -> str:
    """Any text of at most MAX_TEXT characters without control characters."""
    if len(value) > MAX_TEXT:
        raise Problem(400, f"{name}: longer than {MAX_TEXT} characters")
    if not value.isprintable() and any(ord(character) < 32 or ord(character) == 127 for character in value):
        raise Problem(400, f"{name}: control characters are not allowed")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Problem(400, f"{name}: not UTF-8") from None
    return value


def whole(low: int, high: int) -> Callable[[str, str], int]:
    """A whole number from low to high."""

    def read(name: str, value: str) -> int:
        if not (value.isascii() and value.isdigit() and len(value) < 19 and low <= int(value) <= high):
            raise Problem(400, f"{name}: {value!r} is not a whole number from {low} to {high}")
        return int(value)

    return read


def one_of(values: Iterable[str]) -> Callable[[str, str], str]:
    """One of a few words."""
    known = tuple(values)

    def read(name: str, value: str) -> str:
        if value not in known:
            raise Problem(400, f"{name}: {value!r} is not one of {', '.join(known)}")
        return value

    return read
