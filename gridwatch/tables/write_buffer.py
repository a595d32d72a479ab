"""The write buffer: rows on their way to RocksDB.

At full speed a meter's row changes several times in ten seconds, and RocksDB need not see each: it sorts
every row into a memtable, logs it, flushes and compacts it. What is collected here is written as one batch,
with the changelog offset that it reaches to, so a database is always the state of one position. A crash loses
what was not written yet; recovery reads that from the changelog.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class FlushPolicy:
    """When a buffer is written: `seconds` after its first commit, with whatever comes next, or when all
    partitions together may hold `rows` rows (some 80 MB)."""

    seconds: float = 10.0
    rows: int = 1 << 18


class WriteBuffer:
    """The rows of one partition that its database has not got yet; None removes.

    now: monotonic time of the first commit, seconds.
    """

    def __init__(self, policy: FlushPolicy, now: float) -> None:
        self.rows: dict[bytes, bytes | None] = {}
        #: The changelog offset that they reach to.
        self.offset = -1
        self._policy = policy
        self._until = now + policy.seconds

    def add(self, rows: Iterable[tuple[bytes, bytes | None]], offset: int) -> None:
        """Add the rows of a commit."""
        self.rows.update(rows)
        self.offset = offset

    def is_due(self, now: float, partitions: int) -> bool:
        """Whether it is time to write, where so many partitions share a worker's memory."""
        return len(self.rows) * partitions >= self._policy.rows or now >= self._until
