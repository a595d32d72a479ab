"""State rows as bytes: a version byte, then msgpack of the state's plain tuple.

A row is read by the version that wrote it or a newer one. A row of a newer version is refused with a
clear word: to guess at it could lose what it knows.
"""

from __future__ import annotations

import struct
from typing import Any, Final

import msgspec

from gridwatch.domain.meter import MeterState
from gridwatch.domain.partition import PartitionState
from gridwatch.errors import GridwatchError

VERSION = 2
#: Later versions go up to here: no text begins with such a byte, so no foreign record looks like one.
_LAST_VERSION: Final = 31
_VERSION_BYTE = bytes([VERSION])
#: In the first version a meter's remembered readings were an array of numbers.
_READABLE: Final = range(1, VERSION + 1)

#: Key of the partition row. No meter id can begin so: control characters are refused.
PARTITION_KEY = b"\x00partition"
#: Key of the row that a new writer puts into the changelog before anything else. It says nothing.
FENCE_KEY = b"\x00fence"

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode
#: Walks through a value without making anything of it.
_walk = msgspec.msgpack.Decoder(msgspec.Raw).decode

#: How every meter row begins: the version, a msgpack array of that many elements.
_METER: Final = b"\xdc" + struct.pack(">H", len(MeterState(0, 1).to_row()))
_METER_HEADS: Final = tuple(bytes([version]) + _METER for version in _READABLE)
#: The same where the due time is an unsigned integer of eight bytes, as it is since 1970.
_DUE_FIRST: Final = _VERSION_BYTE + _METER + b"\xcf"
_DUE: Final = struct.Struct(">Q")


def meter_key(meter_id: str) -> bytes:
    """Key of a meter's row."""
    return meter_id.encode()


def is_meter(key: bytes) -> bool:
    """Whether a row is a meter's."""
    return not key.startswith(b"\x00")


def is_ours(key: bytes | None, row: bytes | None) -> bool:
    """Whether a record of the changelog can be a row that a gridwatch wrote, this version or a newer one.

    A removal of any meter can; what else there is under a key of ours is not taken for a row unless it is
    whole.
    """
    if not key:
        return False
    if row is None:
        return key not in (PARTITION_KEY, FENCE_KEY)
    if key == FENCE_KEY:
        return row == b""
    if row and VERSION < row[0] <= _LAST_VERSION:
        return True
    if key == PARTITION_KEY:
        return bool(row) and row[0] in _READABLE and _is_whole(row)
    return is_meter(key) and _is_text(key) and row.startswith(_METER_HEADS) and _is_whole(row)


def _is_text(key: bytes) -> bool:
    try:
        return key.isascii() or bool(key.decode())
    except UnicodeDecodeError:
        return False


def _is_whole(row: bytes) -> bool:
    try:
        _walk(row[1:])
    except msgspec.MsgspecError:
        return False
    return True


def encode_meter(state: MeterState) -> bytes:
    """A meter's row."""
    return _VERSION_BYTE + _encode(state.to_row())


def decode_meter(row: bytes) -> MeterState:
    """The state in a meter's row; GridwatchError if a newer version wrote it."""
    return MeterState.from_row(_payload(row))


def due_of(row: bytes) -> int:
    """When a meter's earliest deadline falls due: all that the deadline index needs of a row.

    A worker that takes over a million meters asks this a million times, so the rest is left undecoded.
    """
    if row.startswith(_DUE_FIRST):
        return int(_DUE.unpack_from(row, len(_DUE_FIRST))[0])
    return int(_payload(row)[0])


def encode_partition(state: PartitionState, generation: int) -> bytes:
    """A partition's row, with the consumer-group generation of its writer."""
    return _VERSION_BYTE + _encode((generation, state.to_row()))


def decode_partition(row: bytes) -> tuple[PartitionState, int]:
    """The state in a partition's row, and the generation of its writer."""
    generation, state = _payload(row)
    return PartitionState.from_row(state), generation


def body_of(row: bytes) -> bytes:
    """The msgpack of a row; GridwatchError if a newer version wrote it."""
    if row[0] not in _READABLE:
        raise GridwatchError(
            f"a state row has version {row[0]}, this gridwatch reads up to {VERSION}",
            "start the newer gridwatch that wrote it",
        )
    return row[1:]


def _payload(row: bytes) -> Any:
    return _decode(body_of(row))
