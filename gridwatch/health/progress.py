"""Since when something that should move has been standing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

#: A partition, however it is named.
Place = TypeVar("Place", int, tuple[str, int])


class Progress:
    """Since when a partition has readings waiting without its committed position moving."""

    def __init__(self) -> None:
        self._seen: dict[Any, tuple[int, float]] = {}

    def observe(self, now: float, positions: Mapping[Place, tuple[int, int]]) -> dict[Place, float]:
        """Take note of (committed, end) of each partition; returns the seconds each has been standing.

        A partition with nothing waiting, or seen for the first time, stands for 0 seconds.
        """
        standing = {}
        for partition, (committed, end) in positions.items():
            before = self._seen.get(partition)
            if before is None or before[0] != committed or committed >= end:
                before = (committed, now)
            self._seen[partition] = before
            standing[partition] = now - before[1]
        for gone in self._seen.keys() - positions.keys():
            del self._seen[gone]
        return standing
