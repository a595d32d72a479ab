"""Measures how long a position that should move has been stalled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

#: A partition, by its number or by (topic, number).
Place = TypeVar("Place", int, tuple[str, int])


class Progress:
    """Remembers since when each partition has had records waiting at an unchanged committed position."""

    def __init__(self) -> None:
        self._seen: dict[Any, tuple[int, float]] = {}

    def observe(self, now: float, positions: Mapping[Place, tuple[int, int]]) -> dict[Place, float]:
        """Record the (committed, end) offsets of each partition; return the seconds each has been stalled.

        A partition with nothing waiting, or seen for the first time, has been stalled for 0 seconds.
        """
        stalled = {}
        for partition, (committed, end) in positions.items():
            before = self._seen.get(partition)
            if before is None or before[0] != committed or committed >= end:
                before = (committed, now)
            self._seen[partition] = before
            stalled[partition] = now - before[1]
        for revoked in self._seen.keys() - positions.keys():
            del self._seen[revoked]
        return stalled
