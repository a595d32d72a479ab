"""Durations: `90s`, `15m`, `1h`, `7d`, `250ms` or plain seconds in settings; microseconds inside."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator

from gridwatch.domain.spans import duration_of


def parse_duration(value: Any) -> timedelta:
    """A positive timedelta from `90s`, `15m`, `1h`, `7d`, `250ms` or plain seconds; ValueError otherwise."""
    if isinstance(value, timedelta):
        duration = value
    else:
        try:
            duration = timedelta(microseconds=duration_of(str(value)))
        except OverflowError as error:
            raise ValueError("that is longer than any calendar") from error
    if duration <= timedelta(0):
        raise ValueError("a duration must be greater than 0")
    return duration


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]


def micros(duration: timedelta) -> int:
    """A duration in whole microseconds, the unit of the domain."""
    return duration // timedelta(microseconds=1)
