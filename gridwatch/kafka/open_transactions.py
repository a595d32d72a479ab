"""Detects open transactions that block the records after them.

Only committed records are read. So nothing beyond the first record of an open transaction is fetched, ticks
included, until its producer commits or aborts, or the broker aborts it after `transaction.timeout.ms`. A
producer that died inside a transaction looks like a silent partition, so health names the transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

#: After so many seconds health mentions an open transaction; the service is not ready only after
#: GRIDWATCH_STALLED_AFTER.
MENTIONED_AFTER: Final = 5.0

TopicPartition = tuple[str, int]


@dataclass(frozen=True)
class OpenTransaction:
    """The oldest open transaction of a partition: its first offset, and how many offsets it blocks."""

    offset: int
    offsets: int
    seconds: float


class OpenTransactions:
    """Since when the last stable offset of each partition has been behind its end offset."""

    def __init__(self) -> None:
        self._since: dict[TopicPartition, tuple[int, float]] = {}

    def observe(
        self, now: float, stable: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
    ) -> dict[TopicPartition, OpenTransaction]:
        """Observe the offsets of partitions; returns their open transactions. `now`: monotonic, seconds."""
        found = {}
        for partition, offset in stable.items():
            end = ends.get(partition, offset)
            if offset >= end:
                self._since.pop(partition, None)
                continue
            known = self._since.get(partition)
            if known is None or known[0] != offset:
                known = self._since[partition] = (offset, now)
            found[partition] = OpenTransaction(offset, end - offset, now - known[1])
        return found
