"""The worker's pages as HTML: its templates, its navigation, and the links to its meters."""

from __future__ import annotations

from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment

from gridwatch.durations import calendar_words
from gridwatch.http.formats import number, span
from gridwatch.http.rendering import environment

NAVIGATION = (
    ("/", "Overview"),
    ("/meters/", "Meters"),
    ("/gaps/", "Gaps"),
    ("/regions/", "Regions"),
    ("/incidents/", "Incidents"),
    ("/anomalies/", "Anomalies"),
    ("/registry/", "Registry"),
    ("/outages/", "Outages"),
    ("/partitions/", "Partitions"),
    ("/dead-letters/", "Dead letters"),
    ("/ready/", "Ready"),
)


def meter_path(meter_id: str) -> str:
    """Path of a meter's page."""
    return _path("meters", meter_id)


def region_path(region: str) -> str:
    """Path of a region's page."""
    return _path("regions", region)


def incident_path(incident_id: str) -> str:
    """Path of an incident's page."""
    return _path("incidents", incident_id)


def _path(list_name: str, name: str) -> str:
    """Browsers resolve `.` and `..` even when encoded, so those go in the query."""
    if name in (".", ".."):
        return f"/{list_name}/?" + urlencode({"id": name})
    return f"/{list_name}/{quote(name, safe='')}/"


def interval(record: dict[str, Any]) -> str:
    """The interval of a meter: `15 min`, `1 day (Europe/Berlin)`, or a dash if it is not known."""
    if record.get("calendar"):
        return calendar_words(record["calendar"])
    return "–" if record["interval_seconds"] is None else span(record["interval_seconds"])


def deviation(percent: float) -> str:
    """How far from a baseline, in per cent with a sign: `+120.5 %`, `−98 %`; whole from 1000 on."""
    shown = f"{abs(percent):.1f}" if abs(percent) < 1000 else number(round(abs(percent)))
    return f"{'−' if percent < 0 else '+'}{shown.removesuffix('.0')}\u202f%"


def render(template: str, **data: Any) -> str:
    """Render a template of the worker's pages."""
    return _environment().get_template(template).render(**data)


@cache
def _environment() -> Environment:
    made = environment("gridwatch.views", "Worker", NAVIGATION)
    made.globals.update(meter_path=meter_path, region_path=region_path, incident_path=incident_path)
    made.filters.update(interval=interval, deviation=deviation)
    return made
