"""Command-line values of replay and sample: durations, instants, speeds, sizes."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from gridwatch.domain.instants import parse_instant
from gridwatch.domain.policy import DAY, SECOND
from gridwatch.durations import micros, parse_duration
from gridwatch.errors import UsageProblem

#: A replay needs about this much whatever it sorts.
LEAST_MEMORY = 192 << 20


class DurationType(click.ParamType):
    """`30s`, `5m`, `1h`, `7d` or plain seconds, as µs."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            return micros(parse_duration(value))
        except (ValueError, OverflowError) as problem:
            self.fail(f"{value!r}: {problem}", param, ctx)


class SizeType(click.ParamType):
    """`500M`, `2G` or plain bytes, as bytes; no less than a replay needs at all."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        text = str(value).strip().upper().removesuffix("IB").removesuffix("B")
        power = " KMGT".find(text[-1:]) if text[-1:] in "KMGT" else 0
        digits = text[:-1] if power else text
        size = int(digits) << (10 * power) if digits.isascii() and digits.isdigit() else 0
        if size < LEAST_MEMORY:
            self.fail(f"{value!r}: write 500M or 2G, {LEAST_MEMORY >> 20}M at least", param, ctx)
        return size


class IntervalType(DurationType):
    """An interval of meters: whole seconds from 1s to 1d, as seconds."""

    name = "interval"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        seconds, rest = divmod(super().convert(value, param, ctx), SECOND)
        if rest or not 1 <= seconds <= DAY // SECOND:
            self.fail(f"{value!r}: an interval is a whole number of seconds from 1s to 1d", param, ctx)
        return seconds


def check_settling(*, no_settle: bool, final: bool) -> None:
    """UsageProblem when the last tick is wanted late, and not at all."""
    if no_settle and final:
        raise UsageProblem("--final is about the last tick, --no-settle sends none", "leave out one of them")


class InstantType(click.ParamType):
    """A date or an instant, UTC unless it says otherwise, as µs."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        text = str(value).strip()
        try:
            return parse_instant(f"{text}T00:00" if len(text) == len("2024-01-01") else text, "UTC")[0]
        except ValueError:
            self.fail(f"{value!r}: write 2024-01-01 or 2024-01-01T10:00:00Z", param, ctx)


class ZoneType(click.ParamType):
    """The name of a zone, such as Europe/Dublin."""

    name = "zone"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return ZoneInfo(str(value)).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.fail(f"{value!r}: write the name of a zone, such as Europe/Dublin", param, ctx)


class SpeedType(click.ParamType):
    """`max` (0.0), or how many times as fast as the clock event time goes."""

    name = "speed"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if value == "max":
            return 0.0
        try:
            speed = float(value)
        except ValueError:
            speed = 0.0
        if not 0 < speed < 1e9:
            self.fail(f"{value!r}: write max, or a number greater than 0 such as 1 or 60", param, ctx)
        return speed
