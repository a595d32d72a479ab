"""Origins: how far the outputs of each partition of an earlier stage have been taken.

A partition upstream writes its outputs in the order of their origins: offset, then index within the record.
After a crash it writes some of them again, and a stalled former owner may write late what its successor has
written already; both begin at or before what was last written. So an output whose origin is not after the
highest one taken of its partition has been taken before, and nothing is ever left out between two.
"""

from __future__ import annotations

from collections.abc import Iterable


class Origins:
    """The highest origin taken, by partition upstream."""

    def __init__(self, highest: Iterable[tuple[int, tuple[int, int]]] = ()) -> None:
        self._highest: dict[int, tuple[int, int]] = dict(highest)

    def take(self, partition: int, offset: int, index: int) -> bool:
        """Whether an output is a new one; it is taken with that."""
        origin = (offset, index)
        highest = self._highest.get(partition)
        if highest is not None and origin <= highest:
            return False
        self._highest[partition] = origin
        return True

    def highest(self) -> tuple[tuple[int, tuple[int, int]], ...]:
        """What was taken, in order of the partitions."""
        return tuple(sorted(self._highest.items()))
