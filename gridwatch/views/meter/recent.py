"""Keeps what was read of a meter for a few seconds, so that requests for one meter share a read."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

#: How long it is kept, seconds; and of how many meters.
CACHE_SECONDS = 4.0
CACHED_METERS = 32

T = TypeVar("T")


class Recent(Generic[T]):
    """What `read` returns of a meter and its partition."""

    def __init__(self, read: Callable[[str, int], Awaitable[T]]) -> None:
        self._read = read
        self._known: dict[str, tuple[float, T]] = {}

    async def of(self, meter_id: str, partition: int) -> T:
        """Read it, or take what was read a moment ago."""
        kept = self._known.pop(meter_id, None)
        if kept is None or time.monotonic() - kept[0] > CACHE_SECONDS:
            known = await self._read(meter_id, partition)
            kept = time.monotonic(), known
        self._known[meter_id] = kept
        while len(self._known) > CACHED_METERS:
            del self._known[next(iter(self._known))]
        return kept[1]
