"""Produce requests, joined once.

aiokafka encodes a request field by field, and copies what it has got so far at each level: seven times each
byte before it reaches the socket, which takes as long as packing it. Here all pieces of a request wait until
its connection has put the header and the size before them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from aiokafka.protocol.produce import ProduceRequest
from aiokafka.protocol.types import Array, Bytes, Int32, Schema

_SIZE_BYTES: Final = 4


class Frame:
    """An encoded request without what its connection puts before it: the header, then the size of both."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    def __len__(self) -> int:
        return sum(map(len, self._pieces))

    def __radd__(self, before: bytes) -> Frame | bytes:
        pieces = [before, *self._pieces]
        return b"".join(pieces) if len(before) == _SIZE_BYTES else Frame(pieces)


class _Framed:
    """A version of a request that is encoded as a frame."""

    def encode(self: Any) -> Frame:
        """What follows the header."""
        return Frame(_pieces(self.SCHEMA, [getattr(self, name) for name in self.SCHEMA.names]))


class _Joined(ProduceRequest):  # type: ignore[misc, unused-ignore]
    """A produce request whose messages may be lists of bytes."""


_Joined._CLASSES = tuple(type(one.__name__, (_Framed, one), {}) for one in ProduceRequest._CLASSES)


def join_once(producer: Any) -> None:
    """Let a producer encode its produce requests so. Their messages may be lists of bytes there."""
    send: Callable[..., Any] = producer.client.send

    def send_joined(node: Any, request: Any, **options: Any) -> Any:
        if isinstance(request, ProduceRequest):
            asked = request._transactional_id, request._required_acks, request._timeout, request._topics
            request = _Joined(*asked)
        return send(node, request, **options)

    producer.client.send = send_joined


def _pieces(field: Any, value: Any) -> list[bytes]:
    """What a value is as a field of the protocol, piece by piece."""
    if isinstance(field, Schema):
        return [piece for one, part in zip(field.fields, value, strict=True) for piece in _pieces(one, part)]
    if isinstance(field, Array):
        parts = [piece for part in value for piece in _pieces(field.array_of, part)]
        return [Int32.encode(len(value)), *parts]
    if field is Bytes and isinstance(value, list):
        return [Int32.encode(sum(map(len, value))), *value]
    return [field.encode(value)]
