"""Transactions that hold back what is behind them.

Only committed records are read, so nothing beyond the first record of an open transaction arrives, ticks
included, until its producer commits or aborts, or the broker aborts it after `transaction.timeout.ms`. A
producer that died in the middle of one looks like silence from here; so whoever waits says what for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

#: From here on an open transaction is mentioned; it is a reason only after GRIDWATCH_STALLED_AFTER. Seconds.
MENTIONED_AFTER: Final = 5.0

Place = tuple[str, int]


@dataclass(frozen=True)
class Held:
    """What one partition's oldest open transaction holds back: from its first offset on, so many offsets."""

    offset: int
    offsets: int
    seconds: float


class OpenTransactions:
    """Since when the last stable offset of each partition has been standing before its end."""

    def __init__(self) -> None:
        self._since: dict[Place, tuple[int, float]] = {}

    def observe(
        self, now: float, stable: Mapping[Place, int], ends: Mapping[Place, int]
    ) -> dict[Place, Held]:
        """Take note of where partitions stand; `now`: monotonic, seconds."""
        held = {}
        for place, offset in stable.items():
            end = ends.get(place, offset)
            if offset >= end:
                self._since.pop(place, None)
                continue
            known = self._since.get(place)
            if known is None or known[0] != offset:
                known = self._since[place] = (offset, now)
            held[place] = Held(offset, end - offset, now - known[1])
        return held
