"""The readiness of a broker: it answers a metadata request and lists itself among the live brokers.

An open port is not enough: the kernel accepts connections for a broker that is still loading its log. The
request is encoded here, so that a start does not depend on a client library's back-off.
"""

from __future__ import annotations

import socket
import struct

from gridwatch.embedded.ports import LOOPBACK

_METADATA, _VERSION, _CORRELATION = 3, 1, 1
_NO_TOPICS = 0


def broker_is_ready(port: int, *, seconds: float = 2.0) -> bool:
    """Whether the broker on this loopback port answers, and names at least one live broker (itself)."""
    client = b"gridwatch"
    head = struct.pack(">hhih", _METADATA, _VERSION, _CORRELATION, len(client))
    body = head + client + struct.pack(">i", _NO_TOPICS)
    try:
        with socket.create_connection((LOOPBACK, port), timeout=seconds) as connection:
            connection.sendall(struct.pack(">i", len(body)) + body)
            (size,) = struct.unpack(">i", _read(connection, 4))
            correlation, brokers = struct.unpack_from(">ii", _read(connection, size))
    except (OSError, struct.error):
        return False
    return bool(correlation == _CORRELATION and brokers > 0)


def _read(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        block = connection.recv(size - len(data))
        if not block:
            raise ConnectionResetError("the broker closed the connection")
        data += block
    return data
