"""PartitionState: what is remembered about one raw partition as a whole.

Its position says how far the log has been worked: everything of the records before ``offset``, and the
first ``index`` elements of the record at ``offset`` (all of it if ``done``). What a step leaves to be
done when it is cut needs no cursor: meters with a deadline at or before the watermark are due, and
windows are to be told if ``told`` lies before the window of the watermark.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gridwatch.domain.reading import KeptReading
from gridwatch.domain.windows import Windows


@dataclass(slots=True)
class PartitionState:
    """One partition; every instant in microseconds, None as long as there was none."""

    partition: int
    watermark: int | None = None
    offset: int = -1
    """The record being worked on, or the last one worked."""
    index: int = 0
    """Elements of it that have been worked."""
    done: bool = True
    """Whether all of it has been worked (settlement may still be going on)."""
    told: int = 0
    """Start of the window in which the watermark stood when the windows were told last."""
    invalid_before: int = 0
    """Dead letters from before there was a watermark, to be counted in its first window."""
    kept: tuple[KeptReading, ...] = ()
    """Readings beyond the jump guard, in the order in which they came."""
    windows: Windows = field(default_factory=dict)
    highest: int | None = None
    """Highest event time of the readings applied."""
    record_time: int | None = None
    """Timestamp of the last record."""
    reading_time: int | None = None
    """Timestamp of the last record that is no tick: since when the partition is empty."""
    tick: int | None = None
    """Instant of the last tick that was not refused."""
    replayed: bool = False
    """Whether the last record was written by a replay."""
    meters: int = 0
    """Meters known."""
    open_gaps: int = 0

    @property
    def next_offset(self) -> int:
        """The first offset that is needed to go on."""
        return self.offset + 1 if self.done else self.offset

    @property
    def row_count(self) -> int:
        """Stored states: the meters known."""
        return self.meters

    def pass_over(self, offset: int) -> None:
        """All records before ``offset`` are worked; the log may have offsets there that hold none."""
        if offset > self.next_offset:
            self.offset, self.index, self.done = offset - 1, 0, True
