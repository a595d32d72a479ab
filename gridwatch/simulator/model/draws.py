"""Numbers from a hash: the same for the same seed, name, who and when, in any order of asking.

The mixer is the finaliser of splitmix64 (Steele, Lea, Flood 2014), over arrays; names enter by BLAKE2b.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Keys = NDArray[np.uint64]

_MASK = (1 << 64) - 1
_STRIDE = 0x9E3779B97F4A7C15
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def keys(seed: int, name: str, who: Ints) -> Keys:
    """A key for each of `who`, apart from those of any other seed or name."""
    start = int.from_bytes(blake2b(f"{seed}/{name}".encode(), digest_size=8).digest(), "little")
    return _mixed(who.astype(np.uint64) * np.uint64(_STRIDE) ^ np.uint64(start))


def draw(key: Keys, when: int | Ints, below: int | Ints) -> Ints:
    """A number from 0 up to, and without, `below` for each key at `when`; arrays are broadcast."""
    if isinstance(when, int):
        moved = key + np.uint64(when * _STRIDE & _MASK)
    else:
        moved = key + when.astype(np.uint64) * np.uint64(_STRIDE)
    # 31 of its bits times a bound below 2^32 stay within 63 bits.
    bits = (_mixed(moved) >> np.uint64(33)).astype(np.int64)
    return bits * below >> 31


def between(key: Keys, when: Ints, apart: int, below: int) -> Ints:
    """At `when`, on the straight line between numbers that are drawn every `apart`."""
    node, rest = when // apart, when % apart
    line: Ints = (draw(key, node, below) * (apart - rest) + draw(key, node + 1, below) * rest) // apart
    return line


def _mixed(value: Keys) -> Keys:
    value = (value ^ (value >> np.uint64(30))) * _FIRST
    value = (value ^ (value >> np.uint64(27))) * _SECOND
    mixed: Keys = value ^ (value >> np.uint64(31))
    return mixed
