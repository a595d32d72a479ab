"""The write buffer: rows that are not in RocksDB yet.

At full speed a meter's row changes several times in ten seconds, and RocksDB would sort each version into a
memtable, log it, flush and compact it. The buffer is written as one batch, with the changelog offset of its
last commit, so a database always has the state of one position. A crash loses the buffer; recovery reads its
rows from the changelog.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class FlushPolicy:
    """When a buffer is flushed: at the first commit `seconds` after its first one, or when all partitions
    together may hold `rows` rows (some 80 MB)."""

    seconds: float = 10.0
    rows: int = 1 << 18


class WriteBuffer:
    """The rows of one partition that are not in its database yet; None removes.

    now: monotonic time of the first commit, seconds.
    """

    def __init__(self, policy: FlushPolicy, now: float) -> None:
        self.rows: dict[bytes, bytes | None] = {}
        #: The changelog offset of the last commit in it.
        self.offset = -1
        self._policy = policy
        self._until = now + policy.seconds

    def add(self, rows: Iterable[tuple[bytes, bytes | None]], offset: int) -> None:
        """Add the rows of a commit."""
        self.rows.update(rows)
        self.offset = offset

    def is_due(self, now: float, partitions: int) -> bool:
        """Whether it is time to flush, with so many partitions sharing a worker's memory."""
        return len(self.rows) * partitions >= self._policy.rows or now >= self._until
