"""Durations: `90s`, `15m`, `1h`, `7d`, `250ms` or plain seconds in settings; microseconds inside."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator

from gridwatch.domain.calendar import DAILY, MONTHLY
from gridwatch.domain.spans import duration_of

_UNITS = {DAILY: "1 day", MONTHLY: "1 month"}


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


def calendar_words(calendar: str) -> str:
    """A calendar interval such as `1d Europe/Berlin`, as people read it: `1 day (Europe/Berlin)`."""
    unit, _, zone = calendar.partition(" ")
    return f"{_UNITS[unit]} ({zone})"


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]


def micros(duration: timedelta) -> int:
    """A duration in whole microseconds, the unit of the domain."""
    return duration // timedelta(microseconds=1)
