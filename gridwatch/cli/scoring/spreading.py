"""Energy over a span, by the part of it that lies within each window: cumulative floor, so that the parts of
whole numbers add up to the whole."""

from __future__ import annotations

from collections.abc import Iterator


def shares(energy: int, start: int, end: int, length: int) -> Iterator[tuple[int, int]]:
    """(start of the window, µWh) of every window of `length` that [start, end) touches."""
    window = start - start % length
    while window < end:
        yield window, _until(energy, start, end, window + length) - _until(energy, start, end, window)
        window += length


def _until(energy: int, start: int, end: int, time: int) -> int:
    within = min(max(time, start), end) - start
    part = abs(energy) * within // (end - start)
    return part if energy >= 0 else -part
