"""Durations: `90s`, `15m`, `1h`, `7d`, `250ms` or plain seconds in settings; microseconds inside."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?")
_UNIT_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, None: 1}


def parse_duration(value: Any) -> timedelta:
    """A positive timedelta from `90s`, `15m`, `1h`, `7d`, `250ms` or plain seconds; ValueError otherwise."""
    if isinstance(value, timedelta):
        duration = value
    else:
        matched = _DURATION.fullmatch(str(value).strip().lower())
        if matched is None:
            raise ValueError("write a duration as 90s, 15m, 1h, 7d or plain seconds")
        try:
            duration = timedelta(seconds=float(matched[1]) * _UNIT_SECONDS[matched[2]])
        except OverflowError as error:
            raise ValueError("that is longer than any calendar") from error
    if duration <= timedelta(0):
        raise ValueError("a duration must be greater than 0")
    return duration


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]


def micros(duration: timedelta) -> int:
    """A duration in whole microseconds, the unit of the domain."""
    return duration // timedelta(microseconds=1)
