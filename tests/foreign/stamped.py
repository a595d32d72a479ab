"""Records for the raw topic: with current timestamps, or of a replay, which gets no idle ticks."""

from __future__ import annotations

import time

from gridwatch.domain.instants import format_instant
from gridwatch.topics import REPLAY_HEADER
from tests.records import Raw, reading, tick

SECOND = 1_000_000
START = 1_704_103_200 * SECOND  # 2024-01-01T10:00:00Z


def whole_second() -> int:
    """Now in whole seconds, as µs."""
    return int(time.time()) * 1_000_000


def at(instant: int, seconds: float) -> str:
    """The stamp so many seconds after an instant (µs)."""
    return format_instant(instant + round(seconds * 1_000_000))


def replayed(record: Raw) -> Raw:
    """The record with the header of a replay."""
    return record._replace(headers=(*record.headers, (REPLAY_HEADER, b"run")))


def minute_of(meters: list[str], minute: int) -> list[Raw]:
    """A reading of each meter: the same amounts for every list of meters."""
    stamp = at(START, 60 * minute)
    return [replayed(reading(meter, stamp, 1 + number / 4)) for number, meter in enumerate(meters)]


def settling(partition: int) -> Raw:
    """A tick half an hour after the start."""
    return replayed(tick(at(START, 1800), partition))
