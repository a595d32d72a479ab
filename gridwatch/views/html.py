"""Pages as HTML: templates with everything escaped, one style sheet, one script, nothing from outside.

The templates lie in `templates/`, rendered by Jinja2 with escaping always on and undefined names an
error. The content security policy allows our own style sheet, script and icon, each a file of its own, and
nothing else: nothing inline runs, so that even a meter id that is HTML stays text.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gridwatch.views import plot

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


#: How often a page that is open asks for what is new, seconds.
REFRESH_SECONDS = 5
_HERE = Path(__file__).parent


@cache
def stylesheet() -> str:
    """The one style sheet, plots included."""
    return (_HERE / "style.css").read_text(encoding="utf-8") + plot.STYLE


@cache
def assets() -> dict[str, tuple[str, str]]:
    """Path → (content type, text) of what pages load."""
    return {
        "/style.css": ("text/css", stylesheet()),
        "/live.js": ("text/javascript", (_HERE / "live.js").read_text(encoding="utf-8")),
        "/icon.svg": ("image/svg+xml", (_HERE / "icon.svg").read_text(encoding="utf-8")),
    }


def meter_path(meter_id: str) -> str:
    """Path of a meter's page. Browsers resolve `.` and `..` even when encoded: those go by the query."""
    if meter_id in (".", ".."):
        return "/meters/?" + urlencode({"id": meter_id})
    return f"/meters/{quote(meter_id, safe='')}/"


def readable(instant: str | None, *, to_seconds: bool = False) -> Markup:
    """An RFC 3339 instant as a person reads it, the exact one beside it for machines; a dash for None.

    Args:
        to_seconds: leave out fractions, of wall times and watermarks, of which nobody reads them.
    """
    if instant is None:
        return Markup("–")
    day, clock = instant.removesuffix("Z").split("T")
    return _time(instant, f"{day} {_short(clock[:8] if to_seconds else clock)}")


def stretch(start: str, end: str) -> Markup:
    """Two instants as from – to, the day of the second left out when it is the day of the first."""
    day, clock = end.removesuffix("Z").split("T")
    until = _time(end, _short(clock)) if start.startswith(day) else readable(end)
    return readable(start) + " – " + until


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


def number(value: float | None) -> str:
    """A count with thin spaces between thousands; a dash for None."""
    return "–" if value is None else f"{value:,}".replace(",", "\u202f")


def percent(share: float | None) -> str:
    """A share of 1 as per cent; a dash for None. What is there is never shown as nothing."""
    if share is None:
        return "–"
    return "< 0.1 %" if 0 < share < 0.001 else f"{100 * share:.1f} %"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("gridwatch.views"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(meter_path=meter_path, stretch=stretch, refresh=REFRESH_SECONDS)
    environment.filters.update(
        readable=readable, duration=duration, number=number, percent=percent, query=urlencode
    )
    return environment


def render(template: str, **data: Any) -> str:
    """A page from its template."""
    return _environment().get_template(template).render(**data)
