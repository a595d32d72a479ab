"""Asking a decoder as a rule does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gridwatch.bridge.formats import FORMATS
from gridwatch.bridge.formats.measured import Asked, Kind, Malformed, Measured
from gridwatch.domain.instants import parse_instant


def decoded(
    name: str,
    payload: Any,
    topic: str = "homelab/energy/device",
    kind: Kind = "energy",
    field: str | None = None,
    zone: str = "UTC",
) -> list[Measured]:
    """What a format makes of a payload: bytes, text, or what is written as JSON."""
    if not isinstance(payload, bytes):
        payload = (payload if isinstance(payload, str) else json.dumps(payload)).encode()
    return FORMATS[name](payload, Asked(kind, tuple(topic.split("/")), field, zone))


def one(*args: Any, **options: Any) -> Measured:
    """The only measurement of a message."""
    [measured] = decoded(*args, **options)
    return measured


def refused(*args: Any, **options: Any) -> Malformed:
    """Why a message is malformed."""
    with pytest.raises(Malformed) as caught:
        decoded(*args, **options)
    assert str(caught.value) == caught.value.message
    assert ": " in caught.value.message or caught.value.reasons == (), "a message has a remedy"
    return caught.value


def at(text: str) -> int:
    """The instant of an RFC 3339 text, µs."""
    return parse_instant(text)[0]
