"""Rows of anomalies: what a meter usually uses in the hours of a day, and its anomalies; as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from gridwatch.domain.anomalies.habit import Buckets, Habit
from gridwatch.domain.anomalies.kinds import Finding
from gridwatch.domain.anomalies.life import Life
from gridwatch.domain.anomalies.window import Judged
from gridwatch.tables.row_kind import RowKind

_HABIT: Final = (
    *("newest", "length", "bucket", "mean", "deviation", "count"),
    *("day_mean", "day_deviation", "day_count", "level", "earlier"),
    *("run_value", "run_count", "run_span", "run_from", "run_length", "run_mean"),
)
_SIDES: Final = ("sides", "side_sum", "side_from", "side_length")
"""Of a meter that has a run of sides, after the others."""
_LIFE: Final = (
    *("kind", "start", "length", "detected", "stamp", "value", "baseline", "severity", "confidence"),
    *("first_value", "first_baseline", "revision", "state", "reason", "ended", "near", "near_from"),
)


def plain_habit(habit: Habit) -> tuple[Any, ...]:
    """What a meter usually uses, as plain values in its row."""
    plain = (
        *(habit.newest, habit.length, habit.bucket, habit.mean, habit.deviation, habit.count),
        *(habit.day_mean, habit.day_deviation, habit.day_count, habit.level, habit.earlier),
        *(habit.run_value, habit.run_count, habit.run_span, habit.run_from, habit.run_length, habit.run_mean),
    )
    if not habit.sides:
        return plain
    return (*plain, habit.sides, habit.side_sum, habit.side_from, habit.side_length)


def habit_of(plain: Sequence[Any]) -> Habit:
    """The same from its plain values."""
    habit = Habit()
    for name, value in zip((*_HABIT, *_SIDES), plain, strict=False):
        setattr(habit, name, value)
    return habit


def _plain_buckets(buckets: Buckets) -> Buckets:
    return buckets


def _buckets(plain: Buckets, version: int) -> Buckets:
    return plain


def _plain_lives(lives: Sequence[Life]) -> tuple[Any, ...]:
    return tuple(tuple(getattr(life, name) for name in _LIFE) for life in lives)


def _lives(plain: Sequence[Sequence[Any]], version: int) -> tuple[Life, ...]:
    return tuple(_life(values) for values in plain)


def _life(plain: Sequence[Any]) -> Life:
    life = Life(plain[0], 0, 0, Judged(0, 0, None, None, None, None), Finding(0, None, 0, 0))
    for name, value in zip(_LIFE, plain, strict=True):
        setattr(life, name, value)
    return life


BUCKETS: Final = RowKind("buckets", 1, _plain_buckets, _buckets)
LIVES: Final = RowKind("anomalies", 1, _plain_lives, _lives)
