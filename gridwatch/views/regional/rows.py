"""The load of every region over the last day, from the end of its topic.

The topic has the rows of all regions whatever worker wrote them, so every worker's page is whole by itself.
A window has several revisions: the newest one stands. How many rows are kept is bounded: with many regions
they are of less than a day, and `complete_from` says since when, so that what was not read is never mistaken
for a quarter without readings.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import msgspec

from gridwatch.domain.instants import parse_instant
from gridwatch.domain.policy import MINUTE
from gridwatch.models.regional_aggregate import RegionalAggregate
from gridwatch.views.log_tail import Record as LogRecord

QUARTER: Final = 15 * MINUTE
#: The windows of a day, which is what the pages show.
WINDOWS: Final = 96
#: Rows kept at most; the oldest windows give way.
MOST_ROWS: Final = 60_000
#: A region whose newest window is older than that is not compared with the others, µs.
CURRENT: Final = 4 * QUARTER

_row = msgspec.json.Decoder(RegionalAggregate).decode


class RegionalRows:
    """The newest revision of each window of each region; windows by their start, µs."""

    def __init__(self, most: int = MOST_ROWS) -> None:
        self._most = most
        self.forget()

    def forget(self) -> None:
        """Start over."""
        self._regions: dict[str, dict[int, RegionalAggregate]] = {}
        self._sizes = Counter[int]()
        self._floor = 0
        self._newest = 0
        self._read_from = 0

    def begin_at(self, record: LogRecord) -> None:
        """Before the first record that is read others may have been, of its window or of earlier ones."""
        if record.offset and (found := _decoded(record.value)) is not None:
            self._read_from = max(self._read_from, found[0] + QUARTER)

    def take(self, record: LogRecord) -> None:
        """One more revision; what is no row of a region is left out."""
        found = _decoded(record.value)
        if found is None or found[0] < self._floor:
            return
        start, row = found
        windows = self._regions.setdefault(row.region, {})
        known = windows.get(start)
        if known is None:
            self._sizes[start] += 1
        elif known.revision > row.revision:
            return
        windows[start] = row
        self._newest = max(self._newest, start)

    def settle(self) -> None:
        """Drop the windows before the last day, and the oldest of too many."""
        floor = max(self._floor, self._newest - (WINDOWS - 1) * QUARTER)
        rows = 0
        for start in sorted(self._sizes, reverse=True):
            rows += self._sizes[start]
            if rows > self._most and start < self._newest:
                floor = max(floor, start + QUARTER)
                break
        dropped = [start for start in self._sizes if start < floor]
        self._floor = floor
        if not dropped:
            return
        for start in dropped:
            del self._sizes[start]
        for region, windows in list(self._regions.items()):
            for start in [start for start in windows if start < floor]:
                del windows[start]
            if not windows:
                del self._regions[region]

    def __len__(self) -> int:
        """How many regions there are."""
        return len(self._regions)

    @property
    def start(self) -> int:
        """Start of the first window of the day that ends with the newest one of all."""
        return self._newest - (WINDOWS - 1) * QUARTER

    @property
    def end(self) -> int:
        """End of the newest window of all."""
        return self._newest + QUARTER

    @property
    def complete_from(self) -> int | None:
        """Windows that start before it may be missing; None if all of the day are here."""
        since = max(self._floor, self._read_from)
        return since if self._regions and since > self.start else None

    def newest(self) -> list[RegionalAggregate]:
        """The newest window of each region."""
        return [windows[max(windows)] for windows in self._regions.values()]

    def windows(self, region: str) -> list[tuple[int, RegionalAggregate]]:
        """The windows of a region in order; empty if it is not known."""
        return sorted(self._regions.get(region, {}).items())

    def highest(self) -> RegionalAggregate | None:
        """The highest load of the last hour's newest windows; None if none is known."""
        since = self._newest - CURRENT
        current = [
            windows[start]
            for windows in self._regions.values()
            if (start := max(windows)) > since and windows[start].load_percentage is not None
        ]
        return max(current, key=lambda row: (row.load_percentage or 0.0, row.region), default=None)


def _decoded(value: bytes) -> tuple[int, RegionalAggregate] | None:
    try:
        row = _row(value)
        return parse_instant(row.window_start)[0], row
    except (msgspec.MsgspecError, ValueError):
        return None
