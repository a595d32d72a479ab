"""Packs rows into Kafka record batches, format 2: https://kafka.apache.org/documentation/#recordbatch

aiokafka's builder adds records one by one and computes the CRC by table look-up when the batch is sent. Here
rows are encoded as soon as they are made, while they are still in the CPU's cache, and the CPU's CRC-32C
instruction computes the checksum.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

import google_crc32c

Row = tuple[bytes | None, bytes | None]
"""Key and value."""

#: Target size of output batches: small enough to replicate smoothly, large enough to be few.
OUTPUT_BATCH_BYTES: Final = 1_000_000

# Base offset, length of the rest, leader epoch, format, CRC of what follows.
_HEAD: Final = struct.Struct(">qiibI")
# Attributes, last offset, first and last time, producer's id and epoch, first sequence number, records.
_CHECKED: Final = struct.Struct(">hiqqqhii")
_HEADER_BYTES: Final = _HEAD.size + _CHECKED.size
_BEFORE_LENGTH_ENDS: Final = 12
_FORMAT: Final = 2


def _varint(number: int) -> bytes:
    """A number as a variable-length zigzag integer of Protocol Buffers."""
    rest = number << 1 if number >= 0 else -(number << 1) - 1
    digits = bytearray()
    while rest > 0x7F:
        digits.append(rest & 0x7F | 0x80)
        rest >>= 7
    digits.append(rest)
    return bytes(digits)


#: So many numbers are precomputed; larger ones are encoded each time.
_KNOWN: Final = 8192
_NUMBERS: Final = [_varint(number) for number in range(_KNOWN)]
_ABSENT: Final = _varint(-1)
#: A record's attributes, its time as that of the batch, and its number in the batch.
_PLACES: Final = [b"\0\0" + number for number in _NUMBERS]
_NO_HEADERS: Final = b"\0"


def _length(size: int) -> bytes:
    return _NUMBERS[size] if size < _KNOWN else _varint(size)


class Packed:
    """Encoded rows of one record batch, all with one timestamp."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self.count = 0
        """Records."""
        self.size = _HEADER_BYTES
        """Bytes of the whole batch."""

    def add(self, rows: Sequence[Row], start: int = 0, most_bytes: int = OUTPUT_BATCH_BYTES) -> int:
        """Add rows from ``start`` on while the batch stays within ``most_bytes``; the first row of a batch is
        added whatever its size. Returns the index of the first row not added."""
        pieces: list[bytes] = []
        count, size = self.count, self.size
        end = start
        for some_key, some_value in rows if start == 0 else rows[start:]:
            key, value = some_key or b"", some_value or b""
            key_length = _ABSENT if some_key is None else _length(len(key))
            value_length = _ABSENT if some_value is None else _length(len(value))
            place = _PLACES[count] if count < _KNOWN else b"\0\0" + _varint(count)
            weight = len(place) + len(key_length) + len(key) + len(value_length) + len(value) + 1
            length = _length(weight)
            weight += len(length)
            if count and size + weight > most_bytes:
                break
            pieces += (length, place, key_length, key, value_length, value, _NO_HEADERS)
            size += weight
            count += 1
            end += 1
        self._chunks.append(b"".join(pieces))
        self.count, self.size = count, size
        return end

    def pieces(self, timestamp: int, producer: tuple[int, int, int]) -> list[bytes]:
        """The encoded batch, in pieces; ``producer`` is its id, epoch and first sequence number."""
        checked = _CHECKED.pack(0, self.count - 1, timestamp, timestamp, *producer, self.count)
        crc = google_crc32c.value(checked)
        for chunk in self._chunks:
            crc = google_crc32c.extend(crc, chunk)
        head = _HEAD.pack(0, self.size - _BEFORE_LENGTH_ENDS, -1, _FORMAT, crc)
        return [head, checked, *self._chunks]


def pack(
    rows: Sequence[Row], onto: list[Packed] | None = None, most_bytes: int = OUTPUT_BATCH_BYTES
) -> list[Packed]:
    """Pack rows into batches of at most ``most_bytes``, filling up the last one of ``onto`` first."""
    batches = [] if onto is None else onto
    done = batches[-1].add(rows, 0, most_bytes) if batches else 0
    while done < len(rows):
        batches.append(Packed())
        done = batches[-1].add(rows, done, most_bytes)
    return batches


class Sending:
    """One attempt to send a batch: the interface of aiokafka's ``BatchBuilder``.

    Its bytes are in pieces, as ``requests.py`` expects them.
    """

    def __init__(self, packed: Packed, timestamp: int) -> None:
        self._packed = packed
        self._timestamp = timestamp
        self._producer = (-1, -1, -1)
        self._built: list[bytes] | None = None

    def _set_producer_state(self, producer_id: int, producer_epoch: int, base_sequence: int) -> None:
        self._producer = (producer_id, producer_epoch, base_sequence)

    def _build(self) -> list[bytes]:
        if self._built is None:
            self._built = self._packed.pieces(self._timestamp, self._producer)
        return self._built

    def record_count(self) -> int:
        """How many sequence numbers the batch uses."""
        return self._packed.count

    def closed(self) -> bool:
        """True: nothing is added to it, so it need not linger."""
        return True

    def close(self) -> None:
        """Nothing to do: it is closed already."""
