"""Rows kept in memory in a fifth of their size, so that a file need not be read twice."""

from __future__ import annotations

import marshal
from collections.abc import Iterator

from replay.files.rows import Row


class Packed:
    """Lots of rows in the order they were added; beyond `most` bytes it gives up and forgets them all."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._bytes = 0
        self._lots: list[bytes] = []
        #: Whether it has all rows that were added.
        self.complete = True
        self.rows = 0

    def add(self, rows: list[Row]) -> None:
        """Keep a lot of rows."""
        self.rows += len(rows)
        if not self.complete or not rows:
            return
        lot = marshal.dumps(rows)
        self._bytes += len(lot)
        self._lots.append(lot)
        if self._bytes > self._most:
            self.complete = False
            self._lots.clear()

    def take(self) -> Iterator[list[Row]]:
        """The lots, which are forgotten as they are handed out."""
        self._lots.reverse()
        while self._lots:
            rows: list[Row] = marshal.loads(self._lots.pop())  # noqa: S302 - our own rows
            yield rows
