"""Reads the origin of an output from the encoded record."""

from __future__ import annotations

from typing import Final

import msgspec


class _Origin(msgspec.Struct):
    offset: int
    index: int


_decode: Final = msgspec.json.Decoder(_Origin).decode


def origin_of(message: bytes) -> tuple[int, int]:
    """Offset and index of the reading of a validated message or a late event."""
    origin = _decode(message)
    return origin.offset, origin.index
