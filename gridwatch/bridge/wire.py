"""The bytes of a connection to an MQTT broker: a socket for `paho-mqtt` that decodes PUBLISH by itself.

Two packets come by the thousand, PUBLISH and its PUBACK. `paho` reads a packet in several calls of recv and
sends each PUBACK by one of send, which costs more than all that becomes of the message. Here bytes are read
and written in large pieces, PUBLISH is decoded, and every other packet is left to `paho`, in its order.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

_CONNACK: Final = 0x20
_PUBLISH: Final = 0x30
_PUBACK: Final = b"\x40\x02"
_PIECE_BYTES: Final = 256 * 1024
#: Pieces read before others get their turn.
_READ_AT_ONCE: Final = 8
_WOULD_BLOCK: Final = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class ProtocolError(Exception):
    """The broker sends what is not MQTT, or what was not asked for."""


class Published(NamedTuple):
    """A PUBLISH packet; `packet` is its id, 0 for QoS 0."""

    topic: str
    payload: bytes
    qos: int
    retained: bool
    redelivered: bool
    packet: int


class Wire:
    """Wraps a connected socket; `newer`: MQTT 5, whose packets have properties."""

    def __init__(self, connected: socket.socket, *, newer: bool) -> None:
        self._socket = connected
        self._newer = newer
        self._received = bytearray()
        self._others = bytearray()
        self._to_send = bytearray()
        self._ended = False
        self._lost: Callable[[OSError], None] | None = None
        self._flush_due = False

    # -- as `paho` uses it

    def fileno(self) -> int:
        """The descriptor of the socket."""
        return self._socket.fileno()

    def setblocking(self, blocking: bool) -> None:
        """As that of a socket."""
        self._socket.setblocking(blocking)

    def recv(self, most: int) -> bytes:
        """Bytes of packets that are not PUBLISH; BlockingIOError when there are none."""
        if not self._others:
            if self._ended:
                return b""
            raise BlockingIOError
        found = bytes(self._others[:most])
        del self._others[:most]
        return found

    def send(self, content: bytes | bytearray) -> int:
        """Put it into the queue."""
        self._to_send += content
        self._flush_soon()
        return len(content)

    def close(self) -> None:
        """Close the socket, after a last attempt to send what is queued."""
        self.detach()
        with contextlib.suppress(OSError, ValueError):
            self._send_queued()
        self._socket.close()

    # -- as the session uses it

    def attach(self, readable: Callable[[], None], lost: Callable[[OSError], None]) -> None:
        """Let the event loop call `readable` when there is something to read, and send what is queued."""
        self._lost = lost
        asyncio.get_running_loop().add_reader(self.fileno(), readable)
        self._flush_soon()

    def detach(self) -> None:
        """Take it from the event loop."""
        if self._lost is not None:
            self._lost = None
            loop = asyncio.get_running_loop()
            loop.remove_reader(self.fileno())
            loop.remove_writer(self.fileno())

    def acknowledge(self, packet: int) -> None:
        """Put a PUBACK into the queue."""
        self._to_send += _PUBACK + packet.to_bytes(2, "big")
        self._flush_soon()

    def _flush_soon(self) -> None:
        if self._lost is not None and not self._flush_due:
            self._flush_due = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_due = False
        if self._lost is None:
            return
        loop = asyncio.get_running_loop()
        try:
            self._send_queued()
        except OSError as error:
            self._lost(error)
            return
        if self._to_send:
            loop.add_writer(self.fileno(), self._flush)
        else:
            loop.remove_writer(self.fileno())

    def _send_queued(self) -> None:
        """Send what the socket takes."""
        with contextlib.suppress(*_WOULD_BLOCK):
            while self._to_send:
                del self._to_send[: self._socket.send(self._to_send)]

    def read(self) -> bool:
        """Read what there is; whether there may be more."""
        try:
            for _ in range(_READ_AT_ONCE):
                piece = self._socket.recv(_PIECE_BYTES)
                if not piece:
                    self._ended = True
                    return False
                self._received += piece
        except _WOULD_BLOCK:
            return False
        except OSError:
            self._ended = True
            return False
        return True

    def packets(self) -> Iterator[Published | None]:
        """What was read, packet by packet; None: `recv` has one more, or the end of the connection."""
        received, at = self._received, 0
        try:
            while (edges := _edges(received, at)) is not None:
                start, stop = edges
                head = received[at]
                if head < _CONNACK:
                    raise ProtocolError(f"no broker sends a packet that begins with {head:#x}")
                if head & 0xF0 == _PUBLISH:
                    one = _published(head, bytes(received[start:stop]), newer=self._newer)
                    at = stop
                    yield one
                else:
                    self._others += received[at:stop]
                    at = stop
                    yield None
        finally:
            del received[:at]
        if self._ended:
            yield None


def _edges(received: bytearray, at: int) -> tuple[int, int] | None:
    """Where the content of the packet at this place starts and stops; None while it is not complete."""
    length = shift = 0
    for place in range(at + 1, min(at + 5, len(received))):
        byte = received[place]
        length |= (byte & 0x7F) << shift
        if byte < 0x80:
            stop = place + 1 + length
            return (place + 1, stop) if stop <= len(received) else None
        shift += 7
    if len(received) >= at + 5:
        raise ProtocolError("a length has more than four bytes")
    return None


def _published(head: int, content: bytes, *, newer: bool) -> Published:
    qos = head >> 1 & 3
    if qos > 1:
        raise ProtocolError(f"a message has QoS {qos}, and at most 1 was subscribed to")
    at = 2 + int.from_bytes(content[:2], "big")
    name = content[2:at]
    packet = 0
    if qos:
        packet = int.from_bytes(content[at : at + 2], "big")
        at += 2
    if newer and at < len(content) and content[at]:  # properties: none of them is of interest
        at = _after_properties(content, at)
    elif newer:
        at += 1
    if at > len(content) or (qos and not packet):
        raise ProtocolError("a PUBLISH packet is incomplete")
    try:
        topic = name.decode()
    except UnicodeDecodeError:
        topic = "\N{REPLACEMENT CHARACTER}"
    return Published(topic, content[at:], qos, bool(head & 1), bool(head & 8), packet)


def _after_properties(content: bytes, at: int) -> int:
    length: Any = _edges(bytearray(content), at - 1)
    if length is None:
        raise ProtocolError("the properties of a PUBLISH packet are incomplete")
    return int(length[1])
