"""The state of one raw partition as a whole.

Its position says how far the log has been processed: all records before ``offset``, and the first ``index``
elements of the record at ``offset`` (all of it if ``done``). The rest of an interrupted step needs no cursor:
meters with a deadline at or before the watermark are due, and windows are due if ``emitted_until`` lies
before the window of the watermark.

``watermark``, ``emitted_until``, ``invalid_before``, ``held``, ``end`` and ``highest`` change in this file
only. The one exception is the straight path of ``processor``, which raises the watermark and ``highest``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gridwatch.domain.outputs import Metric
from gridwatch.domain.partition.watermark import hold, reached
from gridwatch.domain.partition.windows import Windows, drop_passed, emit_changed, window_at, window_start
from gridwatch.domain.policy import NEVER
from gridwatch.domain.reading import HeldReading


@dataclass(slots=True)
class PartitionState:
    """The state of one partition; every instant in microseconds, None until there is one."""

    partition: int
    watermark: int | None = None
    offset: int = -1
    """The record being processed, or the last one processed."""
    index: int = 0
    """Elements of it that have been processed."""
    done: bool = True
    """Whether all of it has been processed (settlement may still be unfinished)."""
    emitted_until: int = 0
    """Start of the window of the watermark when windows were last emitted."""
    invalid_before: int = 0
    """Dead letters from before the first watermark, to be counted in its window."""
    held: tuple[HeldReading, ...] = ()
    """Readings beyond the jump guard, in the order in which they came."""
    windows: Windows = field(default_factory=dict)
    highest: int | None = None
    """Highest event time of the readings applied."""
    record_time: int | None = None
    """Timestamp of the last record."""
    reading_time: int | None = None
    """Timestamp of the last record of readings: since then the partition is idle."""
    tick_time: int | None = None
    """Timestamp of the last tick, or of the control record that the first watermark is from."""
    tick: int | None = None
    """Instant of the last valid tick."""
    replayed: bool = False
    """Whether the last record was written by a replay."""
    end: int | None = None
    """Last event time of a replayed run that is settled: slots after it do not become missing yet."""
    end_reached: int = 0
    """The watermark up to which ticks have raised it since; a reading that raises it further ends that."""
    meters: int = 0
    """Meters known."""
    open_gaps: int = 0
    crossed: int | None = None
    """The minute up to which windows and bundles have been emitted; None if there are none."""
    crossing: tuple[int, int, str] | None = None
    """The last window emitted in a crossing that is not finished: end, length, meter."""
    new_regions: tuple[str, ...] = ()
    """Regions whose records are new since the last bundles."""
    resident: int = 0
    """Stored states that are held in memory as a whole."""

    @property
    def next_offset(self) -> int:
        """The offset to resume from."""
        return self.offset + 1 if self.done else self.offset

    @property
    def moved_at(self) -> int | None:
        """Timestamp of the last record that event time can have advanced with."""
        if self.reading_time is None or self.tick_time is None:
            return self.reading_time if self.tick_time is None else self.tick_time
        return max(self.reading_time, self.tick_time)

    def over(self, allowed_lateness: int) -> int:
        """Windows that ended at or before this instant were emitted, and can change no more."""
        return -NEVER if self.crossed is None else self.crossed - allowed_lateness

    @property
    def row_count(self) -> int:
        """Stored states that are counted: the meters known, and what is held in memory."""
        return self.meters + self.resident

    def skip_to(self, offset: int) -> None:
        """Move the position to ``offset``: the offsets before it hold no unprocessed records."""
        if offset > self.next_offset:
            self.offset, self.index, self.done = offset - 1, 0, True

    def advance(self, to: int, length: int) -> bool:
        """Raise the watermark to ``to``; it never goes back. Whether it is the first one.

        Dead letters from before the first one count in its window, of ``length``.
        """
        if self.watermark is not None:
            self.watermark = max(self.watermark, to)
            return False
        self.watermark = to
        self.emitted_until = window_start(to, length)
        if self.invalid_before:
            window_at(self.windows, to, length).invalid += self.invalid_before
            self.invalid_before = 0
        return True

    def settle_until(self, end: int | None) -> None:
        """After a tick: do not let slots after the ``end`` of its run become missing, if it has one, or
        if an earlier tick has set one."""
        self.end = self.end if end is None else end
        self.end_reached = self.watermark or 0

    def has_passed_end(self) -> bool:
        """Whether a reading has raised the watermark since the run was settled; then the end is dropped."""
        if self.end is None or self.watermark is None or self.watermark <= self.end_reached:
            return False
        self.end = None
        return True

    def count_invalid(self, length: int) -> None:
        """Count a dead letter in the window of the watermark, or of the first one to come."""
        if self.watermark is None:
            self.invalid_before += 1
        else:
            window_at(self.windows, self.watermark, length).invalid += 1

    def emit_windows(self, length: int, allowed_lateness: int) -> list[Metric]:
        """Emit new and changed windows, if the watermark has crossed the end of one since the last time."""
        if self.watermark is None or (start := window_start(self.watermark, length)) <= self.emitted_until:
            return []
        emitted = emit_changed(self.windows, self.partition, length)
        drop_passed(self.windows, self.watermark, length, allowed_lateness)
        self.emitted_until = start
        return emitted

    def hold(self, reading: HeldReading) -> HeldReading | None:
        """Hold a reading beyond the jump guard. Returns the one that it replaces, if any."""
        self.held, twin = hold(self.held, reading)
        return twin

    def release(self, bound: int) -> list[HeldReading]:
        """Remove and return the held readings up to the event time ``bound``, in order of arrival."""
        due, self.held = reached(self.held, bound)
        return due

    def limit_held(self, most: int) -> None:
        """Drop the oldest held readings if there are more than ``most``."""
        self.held = self.held[-most:]

    def raise_highest(self, time: int) -> None:
        """Raise the highest event time to that of an applied reading."""
        self.highest = time if self.highest is None else max(self.highest, time)
