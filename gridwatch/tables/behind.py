"""Rows on their way to RocksDB.

At full speed a meter's row changes several times in ten seconds, and RocksDB need not see each: it sorts
every row into a memtable, logs it, flushes and compacts it. What is collected here is written as one batch,
with the changelog offset that it reaches to, so a database is always the state of one position. A crash loses
what it had not written yet; recovery reads that from the changelog.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Final

#: So long rows are collected at most, seconds; what comes of a partition later takes them along.
SECONDS: Final = 10.0
#: So many rows of all partitions are: some 80 MB.
ROWS: Final = 1 << 18


class Behind:
    """The rows of one partition that its database has not got yet; None removes."""

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes | None] = {}
        self.offset = -1
        """The changelog offset that they reach to."""
        self._until = time.monotonic() + SECONDS

    def add(self, rows: Iterable[tuple[bytes, bytes | None]], offset: int) -> None:
        """Add the rows of a commit."""
        self.rows.update(rows)
        self.offset = offset

    def is_due(self, partitions: int) -> bool:
        """Whether it is time to write, where so many partitions share a worker's memory."""
        return len(self.rows) * partitions >= ROWS or time.monotonic() >= self._until
