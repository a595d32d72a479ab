"""Command-line values of the simulator: instants relative to now, speeds, events."""

from __future__ import annotations

import re
from typing import Any

import click

from gridwatch.clock import now_micros
from gridwatch.domain.instants import parse_instant
from gridwatch.domain.policy import DAY, SECOND
from gridwatch.durations import micros, parse_duration
from gridwatch.simulator.events import MULTIPLY, VALUES, Event, EventKind

#: Registers began in 2020: nothing is known before.
EARLIEST = parse_instant("2020-01-01T00:00Z")[0]
_FACTOR = re.compile(r"(.+)[×xX*](\d+(?:\.\d+)?)")
_VALUE = re.compile(r"(.+)=(\d+(?:\.\d+)?)")
_MOST_FACTOR = 1000
#: How long an event without a duration lasts, where it may have none.
_FOR_EVER = 10 * 365 * DAY
_ENDLESS: tuple[EventKind, ...] = ("level-shift",)


def moment(text: str, now: int) -> int:
    """`now`, `-3h` or `+30m` from now, a date or an instant, in µs. ValueError for anything else."""
    if text == "now":
        return now
    if text[:1] in ("-", "+"):
        away = micros(parse_duration(text[1:]))
        return now - away if text[0] == "-" else now + away
    return parse_instant(f"{text}T00:00" if len(text) == len("2024-01-01") else text, "UTC")[0]


class MomentType(click.ParamType):
    """`now`, `-3h`, `2026-01-01` or `2026-01-01T10:00:00Z`, as µs."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            found = moment(str(value).strip(), now_micros() // SECOND * SECOND)
        except (ValueError, OverflowError):
            self.fail(f"{value!r}: write -3h, now, 2026-01-01 or 2026-01-01T10:00:00Z", param, ctx)
        if found < EARLIEST:
            self.fail(f"{value!r}: the simulation begins with 2020", param, ctx)
        return found


class EveryType(click.ParamType):
    """An interval of whole seconds from 1s to 1d, as seconds."""

    name = "interval"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            found = micros(parse_duration(value))
        except (ValueError, OverflowError):
            found = 0
        if found % SECOND or not SECOND <= found <= DAY:
            self.fail(f"{value!r}: write whole seconds from 1s to 1d, such as 10s or 15m", param, ctx)
        return found // SECOND


class EventType(click.ParamType):
    """`SCOPE@FROM+DURATION`, with `×FACTOR` or `=VALUE` where its kind has one, as an Event."""

    name = "event"

    def __init__(self, kind: EventKind) -> None:
        self._kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Event:
        if isinstance(value, Event):
            return value
        try:
            return event_of(self._kind, str(value).strip(), now_micros())
        except (ValueError, OverflowError) as problem:
            self.fail(str(problem), param, ctx)


def event_of(kind: EventKind, text: str, now: int) -> Event:
    """Read an event. ValueError says what is wrong."""
    scope, _, rest = text.partition("@")
    rest, factor = _size(kind, text, rest)
    since, plus, length = rest.rpartition("+")
    try:
        if kind in _ENDLESS and _is_time(rest, now):
            start = moment(rest, now)
            end = start + _FOR_EVER
        else:
            start = moment(since, now)
            end = start + micros(parse_duration(length))
    except (ValueError, OverflowError) as problem:
        raise ValueError(
            f"{text!r}: write SCOPE@FROM+DURATION, such as R01@-1h+30m or R01@2026-01-01T10:00Z+2h"
        ) from problem
    if not (plus or kind in _ENDLESS) or start < EARLIEST:
        raise ValueError(f"{text!r}: events are from 2020 on")
    found = Event(kind, scope, start // SECOND * SECOND, -(-end // SECOND) * SECOND, factor)
    found.check()
    return found


def _size(kind: EventKind, text: str, rest: str) -> tuple[str, int]:
    """What lies before the factor or the value of an event, and that in thousandths."""
    if kind in VALUES:
        matched, what = _VALUE.fullmatch(rest), "the value at the end, such as R01@-1h+30m=190"
    elif kind in MULTIPLY:
        matched, what = _FACTOR.fullmatch(rest), "the factor at the end, such as R01@-1h+30m×2.5 (or x2.5)"
    else:
        return rest, 1000
    if matched is None:
        raise ValueError(f"{text!r}: write {what}")
    size = round(1000 * float(matched[2]))
    if not 0 < size <= 1000 * _MOST_FACTOR:
        raise ValueError(
            f"{text!r}: a {'value' if kind in VALUES else 'factor'} from 0.001 to {_MOST_FACTOR}"
        )
    return matched[1], size


def _is_time(text: str, now: int) -> bool:
    try:
        moment(text, now)
    except (ValueError, OverflowError):
        return False
    return True
