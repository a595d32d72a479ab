"""From when to when each series of a Green Button file has readings, and in which intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from replay.files.formats.espi import Entry, IntervalReading, readings
from replay.files.sources import Source


@dataclass
class Span:
    """The time of the readings of a series, seconds since 1970: `first` ≤ time < `last`."""

    first: int
    last: int
    #: Seconds → how many readings are so long.
    durations: Counter[int] = field(default_factory=Counter)

    @property
    def interval(self) -> int:
        """How long most readings are, in seconds."""
        return self.durations.most_common(1)[0][0]

    def is_finer_than(self, other: Span) -> bool:
        """Whether the times overlap and the intervals here are at most half as long.

        At most half: days of 23 hours are no finer than those of 24.
        """
        overlap = self.first < other.last and other.first < self.last
        return overlap and self.interval * 2 <= other.interval

    def beside(self, finer: Span) -> str:
        """What to say where this series is left out for a finer one."""
        within = finer.first <= self.first and self.last <= finer.last
        return (
            f"intervals of {self.interval // 60} minutes beside {finer.interval // 60} minutes of the same "
            f"usage point: left out{'' if within else ', also where there are no finer ones'}"
        )


def spans_of(source: Source, series_of: Callable[[Entry], tuple[int, int] | None]) -> dict[int, Span]:
    """The span of each series that has readings; one pass through the file.

    `series_of` tells the series of a block, and the seconds of its readings that do not say. Readings without
    a time are passed over: whoever sends them says so.
    """
    spans: dict[int, Span] = {}
    block: Entry | None = None
    series: tuple[int, int] | None = None
    for some in readings(source, lambda _: None):
        for above, reading in some:
            if above is not block:
                block, series = above, series_of(above)
            if series is not None and (time := _time_of(reading, series[1])):
                start, duration = time
                span = spans.setdefault(series[0], Span(start, start + duration))
                span.first, span.last = min(span.first, start), max(span.last, start + duration)
                span.durations[duration] += 1
    return spans


def _time_of(reading: IntervalReading, interval: int) -> tuple[int, int] | None:
    """Start and duration of a reading, both in seconds; None where it has none."""
    duration = _whole(reading.values.get("duration", "")) or interval
    start = _whole(reading.values.get("start", ""))
    if start is None and (first := _whole(reading.block_start)) is not None:
        start = first + reading.before * interval
    return (start, duration) if start is not None and duration else None


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else None
