"""The raw topic's segments on the embedded broker's disk: the appended batches, and their corruption.

A broker decompresses every produced batch, with CreateTime and LogAppendTime alike. It refuses one with
a wrong codec, record count or framing, even if the CRC is valid. So an undecodable batch cannot be produced;
here a stored one is changed in place, and gets a valid CRC. Brokers serve fetches from the file as it is.

Format: https://kafka.apache.org/documentation/#recordbatch
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import google_crc32c

from gridwatch.embedded import EmbeddedKafka
from gridwatch.topics import RAW
from tests.foreign.producers import CODECS

# First offset, length of the rest, leader epoch, format, CRC of what follows, attributes, last offset delta.
_HEAD = struct.Struct(">qiibIhi")
_BEFORE_LENGTH_ENDS = 12
_BEFORE_CRC = 17
_BEFORE_ATTRIBUTES = 21
_CODEC_BITS, _TRANSACTIONAL, _CONTROL = 0x07, 0x10, 0x20


class StoredBatch(NamedTuple):
    """A batch on disk, with its offsets [first, end)."""

    file: Path
    position: int
    size: int
    first: int
    end: int
    codec: str
    transactional: bool
    control: bool


def stored_batches(broker: EmbeddedKafka, partition: int) -> list[StoredBatch]:
    """The batches of a raw partition, in order of offsets."""
    folder = broker.folder / "data" / f"{RAW.name}-{partition}"
    return [batch for file in sorted(folder.glob("*.log")) for batch in _batches_in(file)]


def _batches_in(file: Path) -> Iterator[StoredBatch]:
    content = file.read_bytes()
    position = 0
    while position + _HEAD.size <= len(content):
        first, length, _, _, _, attributes, last = _HEAD.unpack_from(content, position)
        size = _BEFORE_LENGTH_ENDS + length
        if position + size > len(content):
            return  # the broker is just writing it
        codec = (attributes & _CODEC_BITS) % 8
        yield StoredBatch(
            file,
            position,
            size,
            first,
            first + last + 1,
            CODECS[codec] if codec < len(CODECS) else f"codec {codec}",
            bool(attributes & _TRANSACTIONAL),
            bool(attributes & _CONTROL),
        )
        position += size


def relabel(batch: StoredBatch, codec: int) -> None:
    """Change an uncompressed batch to claim a codec, by its number: it cannot be decoded any more."""
    assert batch.codec == "none", batch
    with batch.file.open("r+b") as stored:
        stored.seek(batch.position)
        content = bytearray(stored.read(batch.size))
        content[_BEFORE_ATTRIBUTES + 1] |= codec
        struct.pack_into(">I", content, _BEFORE_CRC, google_crc32c.value(bytes(content[_BEFORE_ATTRIBUTES:])))
        stored.seek(batch.position)
        stored.write(content)
