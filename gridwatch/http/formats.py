"""Formats instants, durations and numbers for people; the filters of every template."""

from __future__ import annotations

from markupsafe import Markup


def readable(instant: str | None, *, to_seconds: bool = False) -> Markup:
    """An RFC 3339 instant in short form, with the exact one in its `datetime` attribute; a dash for None.

    Args:
        to_seconds: leave out fractions of a second, which do not matter for wall times and watermarks.
    """
    if instant is None:
        return Markup("–")
    day, clock = instant.removesuffix("Z").split("T")
    return _time(instant, f"{day} {_short(clock[:8] if to_seconds else clock)}")


def time_range(start: str, end: str) -> Markup:
    """Two instants as from – to; the second goes without its day if that is the day of the first."""
    return readable(start) + " – " + readable_after(end, start)


def readable_after(instant: str | None, start: str) -> Markup:
    """The same as `readable`, without the day if that is the day of `start`."""
    if instant is None:
        return readable(None)
    day, clock = instant.removesuffix("Z").split("T")
    return _time(instant, _short(clock)) if start.startswith(day) else readable(instant)


def _time(instant: str, shown: str) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(instant, shown)


def _short(clock: str) -> str:
    return clock[:5] if clock.endswith(":00") else clock


def duration(seconds: float | None) -> str:
    """Seconds as `45 s`, `12 min`, `3 h 20 min` or `2 d 4 h`; a dash for None."""
    if seconds is None:
        return "–"
    sign, seconds = ("−", -seconds) if seconds < 0 else ("", seconds)
    if seconds < 120:
        return f"{sign}{seconds:.3g} s"
    minutes = int(seconds // 60)
    if minutes < 120:
        return f"{sign}{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{sign}{hours} h {minutes} min" if minutes else f"{sign}{hours} h"
    days, hours = divmod(hours, 24)
    return f"{sign}{days} d {hours} h" if hours else f"{sign}{days} d"


def span(seconds: float) -> str:
    """A length of time, exact to the second: `20 s`, `2 min 30 s`, `1 d 2 h`."""
    left, parts = round(seconds), []
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, length)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts) or "0 s"


def number(value: float | None) -> str:
    """A count with thin spaces between thousands; a dash for None."""
    return "–" if value is None else f"{value:,}".replace(",", "\u202f")


def quantity(value: float | None) -> str:
    """A measured value with four significant digits, from 1000 on a whole number; a dash for None."""
    if value is None:
        return "–"
    return f"{value:.4g}" if abs(value) < 1000 else number(round(value))


def percent(share: float | None) -> str:
    """A share of 1 as per cent; a dash for None. A share above zero is never shown as zero."""
    if share is None:
        return "–"
    return "< 0.1 %" if 0 < share < 0.001 else f"{100 * share:.1f} %"
