"""Deduplicates the outputs of an upstream stage by their origin.

An upstream partition writes its outputs in the order of their origins: offset, then index within the record.
After a crash it writes some of them again, and a stalled former owner may write what its successor has
written already. Both start at or before the last origin written, and never skip one. So an output whose
origin is not after the highest one seen from its partition is a duplicate.
"""

from __future__ import annotations

from collections.abc import Iterable


class Origins:
    """The highest origin processed, by upstream partition."""

    def __init__(self, highest: Iterable[tuple[int, tuple[int, int]]] = ()) -> None:
        self._highest: dict[int, tuple[int, int]] = dict(highest)

    def advance(self, partition: int, offset: int, index: int) -> bool:
        """Raise the highest origin to this one. False if the output is a duplicate."""
        origin = (offset, index)
        highest = self._highest.get(partition)
        if highest is not None and origin <= highest:
            return False
        self._highest[partition] = origin
        return True

    def highest(self) -> tuple[tuple[int, tuple[int, int]], ...]:
        """The highest origins, in order of the partitions."""
        return tuple(sorted(self._highest.items()))
