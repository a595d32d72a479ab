"""The Kafka release of a broker, by an ApiVersions request: client libraries do not expose it.

One ApiVersions request (version 3, allowed before authentication) is answered with the features that the
broker supports. The highest level of the feature `metadata.version` rises with every release; the table below
is that of Kafka's own MetadataVersion. A broker without KRaft does not have that feature.
"""

from __future__ import annotations

import socket
import struct
from bisect import bisect_left

from gridwatch.kafka.security import Security
from gridwatch.settings import Settings

_API_VERSIONS, _VERSION, _CORRELATION = 18, 3, 1
_SUPPORTED_FEATURES = 0
_NO_TAGS = b"\0"
#: Highest metadata.version level of each release.
_LEVELS = [
    (7, "3.3"),
    (8, "3.4"),
    (11, "3.5"),
    (14, "3.6"),
    (19, "3.7"),
    (20, "3.8"),
    (21, "3.9"),
    (25, "4.0"),
    (27, "4.1"),
]


def kafka_release(settings: Settings, seconds: float = 3.0) -> str:
    """The release of the first broker, such as `Kafka 4.1`; OSError when it does not answer."""
    features = _supported_features(settings, seconds)
    if "metadata.version" not in features:
        return "Kafka (release unknown)"
    return release_of(features["metadata.version"])


def release_of(level: int) -> str:
    """The release whose highest metadata.version is this one."""
    place = bisect_left(_LEVELS, (level, ""))
    return f"Kafka {_LEVELS[place][1]}" if place < len(_LEVELS) else f"Kafka later than {_LEVELS[-1][1]}"


def _supported_features(settings: Settings, seconds: float) -> dict[str, int]:
    host, _, port = settings.bootstrap.split(",")[0].rpartition(":")
    with socket.create_connection((host, int(port)), timeout=seconds) as plain:
        context = Security.of(settings).ssl_context()
        connection = plain if context is None else context.wrap_socket(plain, server_hostname=host)
        connection.sendall(_request())
        reader = connection.makefile("rb")
        (size,) = struct.unpack(">i", reader.read(4))
        return parse_features(reader.read(size))


def _request() -> bytes:
    client = b"gridwatch"
    compact = bytes([len(client) + 1]) + client
    head = struct.pack(">hhih", _API_VERSIONS, _VERSION, _CORRELATION, len(client)) + client + _NO_TAGS
    body = head + compact + compact + _NO_TAGS
    return struct.pack(">i", len(body)) + body


def parse_features(answer: bytes) -> dict[str, int]:
    """Highest supported level of each feature in the body of an ApiVersions answer (version 3)."""
    reader = _Reader(answer)
    reader.take(4 + 2)  # correlation id, error code
    for _ in range(reader.varint() - 1):
        reader.take(3 * 2)  # key, lowest and highest version of one request
        reader.skip_tags()
    reader.take(4)  # throttle time
    features = {}
    for _ in range(reader.varint()):
        tag, size = reader.varint(), reader.varint()
        content = _Reader(reader.take(size))
        if tag == _SUPPORTED_FEATURES:
            for _ in range(content.varint() - 1):
                name = content.take(content.varint() - 1).decode()
                _lowest, highest = struct.unpack(">hh", content.take(4))
                content.skip_tags()
                features[name] = highest
    return features


class _Reader:
    """Reads Kafka's flexible encoding. OSError when the data is truncated."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        if len(taken) < size:
            raise OSError("the broker's answer ends too soon")
        self._at += size
        return taken

    def varint(self) -> int:
        value = shift = 0
        while True:
            (byte,) = self.take(1)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def skip_tags(self) -> None:
        for _ in range(self.varint()):
            self.varint()
            self.take(self.varint())
