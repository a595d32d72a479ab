"""Produce requests encoded without intermediate copies.

aiokafka encodes a request field by field, and copies the result so far at each level: each byte seven times
before it reaches the socket, which takes as long as packing it. Here the pieces of a request are joined once,
when its connection has added the header and the size.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from aiokafka.protocol.produce import ProduceRequest
from aiokafka.protocol.types import Array, Bytes, Int32, Schema

_SIZE_BYTES: Final = 4


class Frame:
    """An encoded request body, to which its connection prepends the header, then the size of both."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    def __len__(self) -> int:
        return sum(map(len, self._pieces))

    def __radd__(self, before: bytes) -> Frame | bytes:
        pieces = [before, *self._pieces]
        return b"".join(pieces) if len(before) == _SIZE_BYTES else Frame(pieces)


class _Framed:
    """A version of a request that is encoded as a `Frame`."""

    def encode(self: Any) -> Frame:
        """The body, after the header."""
        return Frame(_pieces(self.SCHEMA, [getattr(self, name) for name in self.SCHEMA.names]))


class _Joined(ProduceRequest):  # type: ignore[misc, unused-ignore]
    """A produce request whose messages may be lists of bytes."""


_Joined._CLASSES = tuple(type(one.__name__, (_Framed, one), {}) for one in ProduceRequest._CLASSES)


def join_once(producer: Any) -> None:
    """Make a producer encode its produce requests as frames; their messages may be lists of bytes."""
    send: Callable[..., Any] = producer.client.send

    def send_joined(node: Any, request: Any, **options: Any) -> Any:
        if isinstance(request, ProduceRequest):
            asked = request._transactional_id, request._required_acks, request._timeout, request._topics
            request = _Joined(*asked)
        return send(node, request, **options)

    producer.client.send = send_joined


def _pieces(field: Any, value: Any) -> list[bytes]:
    """A value encoded as a field of the protocol, in pieces."""
    if isinstance(field, Schema):
        return [piece for one, part in zip(field.fields, value, strict=True) for piece in _pieces(one, part)]
    if isinstance(field, Array):
        parts = [piece for part in value for piece in _pieces(field.array_of, part)]
        return [Int32.encode(len(value)), *parts]
    if field is Bytes and isinstance(value, list):
        return [Int32.encode(sum(map(len, value))), *value]
    return [field.encode(value)]
