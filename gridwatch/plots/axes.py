"""Chooses the tick labels of a plot's axes.

Times are int µs since the epoch, UTC; labels are UTC.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

#: Round distances between time labels, µs.
_STEPS = tuple(
    [n * SECOND for n in (1, 5, 15, 30)]
    + [n * MINUTE for n in (1, 5, 15, 30)]
    + [n * HOUR for n in (1, 2, 3, 6, 12)]
    + [n * DAY for n in (1, 2, 7, 14, 28, 91, 182, 365, 730, 3650)]
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def stamp(at: int) -> str:
    """An instant as `2024-01-01 10:30`, with seconds only if they are not zero."""
    moment = _EPOCH + timedelta(microseconds=at)
    return f"{moment:%Y-%m-%d %H:%M:%S}" if at % MINUTE else f"{moment:%Y-%m-%d %H:%M}"


def time_ticks(start: int, end: int, most: int) -> list[tuple[int, str]]:
    """Instants to label between start and end, at most about `most`, each with its label."""
    wanted = max(1, (end - start) // max(1, most))
    step = next((step for step in _STEPS if step >= wanted), -(-wanted // _STEPS[-1]) * _STEPS[-1])
    first = -(-start // step) * step
    ticks = [(at, _tick_label(at, step)) for at in range(first, end + 1, step)]
    if ticks and step < DAY and first % DAY:  # the first label also names the day
        ticks[0] = (first, f"{_tick_label(first, DAY)} {ticks[0][1]}")
    return ticks


def value_ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round values (1, 2 or 5 times a power of ten apart) that span low to high."""
    if not high > low:
        high = low + 1.0
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [number * step for number in range(first, last + 1)]


def _tick_label(at: int, step: int) -> str:
    moment = _EPOCH + timedelta(microseconds=at)
    if step >= 28 * DAY:
        return f"{moment:%Y-%m}"
    if step >= DAY or at % DAY == 0:
        return f"{moment:%b} {moment.day}"
    return f"{moment:%H:%M:%S}" if step < MINUTE else f"{moment:%H:%M}"


def number(value: float) -> str:
    """A value as a label: four significant digits, or an integer from 10,000 on."""
    return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
