"""Partitioning: a meter lives in the partition that every Java client would choose for its id.

Kafka's default partitioner: murmur2 of the key's bytes with seed 0x9747b28c, sign bit cleared, modulo the
number of partitions. The algorithm is Austin Appleby's MurmurHash2 (public domain), 32 bits, as Kafka
uses it.
"""

from __future__ import annotations

from typing import Final

_M: Final = 0x5BD1E995
_MASK: Final = 0xFFFFFFFF
_SEED: Final = 0x9747B28C


def murmur2(key: bytes) -> int:
    """The 32-bit murmur2 hash of ``key``, unsigned."""
    length = len(key)
    h = _SEED ^ length
    whole = length & ~3
    for at in range(0, whole, 4):
        k = int.from_bytes(key[at : at + 4], "little") * _M & _MASK
        k = (k ^ (k >> 24)) * _M & _MASK
        h = (h * _M & _MASK) ^ k
    if whole != length:
        h = (h ^ int.from_bytes(key[whole:], "little")) * _M & _MASK
    h = (h ^ (h >> 13)) * _M & _MASK
    return h ^ (h >> 15)


def partition_of(meter_id: str, partitions: int) -> int:
    """The partition of a record keyed by ``meter_id`` in a topic of ``partitions`` partitions."""
    return (murmur2(meter_id.encode()) & 0x7FFFFFFF) % partitions
