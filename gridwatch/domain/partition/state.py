"""PartitionState: what is remembered about one raw partition as a whole.

Its position says how far the log has been worked: everything of the records before ``offset``, and the
first ``index`` elements of the record at ``offset`` (all of it if ``done``). What a step leaves to be
done when it is cut needs no cursor: meters with a deadline at or before the watermark are due, and
windows are to be told if ``told`` lies before the window of the watermark.

``watermark``, ``told``, ``invalid_before``, ``kept`` and ``highest`` change in this file only. The one
exception is the straight path of ``processor``, which raises the watermark and ``highest`` by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gridwatch.domain.outputs import Metric
from gridwatch.domain.partition.watermark import keep, reached
from gridwatch.domain.partition.windows import Windows, drop_passed, tell, window_at, window_start
from gridwatch.domain.reading import KeptReading


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

    def advance(self, to: int, length: int) -> bool:
        """Raise the watermark to ``to``; it never goes back. Whether that was the first one.

        What had to be counted before the first one counts in its window, of ``length``.
        """
        if self.watermark is not None:
            self.watermark = max(self.watermark, to)
            return False
        self.watermark = to
        self.told = window_start(to, length)
        if self.invalid_before:
            window_at(self.windows, to, length).invalid += self.invalid_before
            self.invalid_before = 0
        return True

    def count_invalid(self, length: int) -> None:
        """Count a dead letter in the window of the watermark, or in the first one that there will be."""
        if self.watermark is None:
            self.invalid_before += 1
        else:
            window_at(self.windows, self.watermark, length).invalid += 1

    def tell_windows(self, length: int, allowed_lateness: int) -> list[Metric]:
        """Tell new and changed windows, if the watermark crossed the end of one since they were told last."""
        if self.watermark is None or (start := window_start(self.watermark, length)) <= self.told:
            return []
        told = tell(self.windows, self.partition, length)
        drop_passed(self.windows, self.watermark, length, allowed_lateness)
        self.told = start
        return told

    def keep(self, reading: KeptReading) -> KeptReading | None:
        """Keep a reading beyond the jump guard. The one whose place it takes, if any."""
        self.kept, twin = keep(self.kept, reading)
        return twin

    def release(self, bound: int) -> list[KeptReading]:
        """Take out the kept readings up to the event time ``bound``, in order of arrival."""
        due, self.kept = reached(self.kept, bound)
        return due

    def limit_kept(self, most: int) -> None:
        """Drop the oldest kept readings if there are more than ``most``."""
        self.kept = self.kept[-most:]

    def raise_highest(self, time: int) -> None:
        """A reading of ``time`` was applied."""
        self.highest = time if self.highest is None else max(self.highest, time)
