"""The report: one HTML file with the summary, plots from the database, and the longest gaps. Nothing in it
is loaded from elsewhere, so that it can be sent to somebody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from sqlalchemy import Connection, func, select

from gridwatch import __version__
from gridwatch.demo.figures import Figures, policy_line
from gridwatch.demo.summary import rates_of, rows_of
from gridwatch.errors import GridwatchError
from gridwatch.settings import Settings
from gridwatch.views import plot
from gridwatch.views.html import stylesheet
from gridwatch.views.plot_axes import DAY, HOUR, MINUTE, stamp
from sinks.database import connect
from sinks.schema import gap_alerts, validated_readings

FILE = "gridwatch-report.html"
_LISTED_GAPS = 25
_SHOWN_METERS = 2
_SHOWN_SPAN = 3 * DAY


@dataclass(frozen=True)
class Picture:
    """One plot with its words."""

    title: str
    svg: Markup
    caption: str


def write_report(path: Path, settings: Settings, figures: Figures) -> Path:
    """Write the report of what is in the database to `path`. GridwatchError when it cannot be written."""
    with connect(settings.database) as connection:
        page = _render(connection, settings, figures)
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as problem:
        raise GridwatchError(
            f"{path}: cannot be written: {problem.strerror}",
            "run gridwatch in a folder that you may write to",
        ) from problem
    return path.absolute()


def _render(connection: Connection, settings: Settings, figures: Figures) -> str:
    environment = Environment(
        loader=PackageLoader("gridwatch.demo", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    return environment.get_template("report.html").render(
        style=Markup(stylesheet()),  # noqa: S704  our own file
        made_at=f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M}",
        title=f"{figures.sent:,} readings of {figures.meters:,} meters over {figures.days:,} days",
        policy=policy_line(settings),
        figures=figures,
        rates=rates_of(figures),
        rows=rows_of(figures),
        plots=_pictures(connection),
        gaps=_longest_gaps(connection),
        version=__version__,
    )


def _pictures(connection: Connection) -> list[Picture]:
    """Over time: consumption, late readings, missing readings; then the meters with the most gaps."""
    reading, gap = validated_readings.c, gap_alerts.c
    consumption = _hourly(connection, reading.time, func.sum(reading.consumption_kwh))
    late = _hourly(connection, reading.time, func.count().filter(reading.status == "LATE"))
    missing = _hourly(connection, gap.time, func.sum(gap.missing_intervals))
    if not consumption:
        return []
    start, end = consumption[0][0], consumption[-1][0] + HOUR

    def hourly(title: str, unit: str, points: Sequence[tuple[int, float]], caption: str) -> Picture:
        frame = plot.Frame(title, unit, start, end)
        return Picture(title, plot.bars(frame, points, HOUR), caption)

    return [
        hourly(
            "Consumption of all meters", "kWh an hour", consumption, "What the validated readings add up to."
        ),
        hourly(
            "Late readings",
            "readings an hour",
            late,
            "Behind the watermark when they came, and still processed.",
        ),
        hourly("Missing readings", "slots an hour", missing, "By the hour in which their gap begins."),
        *(_meter(connection, meter, start, end) for meter in _gappiest(connection)),
    ]


def _hourly(connection: Connection, time: Any, value: Any) -> list[tuple[int, float]]:
    hour = func.date_trunc("hour", time)
    query = select(hour, value).group_by(hour).order_by(hour)
    return [(_micros(bucket), float(amount or 0)) for bucket, amount in connection.execute(query)]


def _gappiest(connection: Connection) -> list[str]:
    gap = gap_alerts.c
    most = func.sum(gap.missing_intervals).desc()
    query = select(gap.meter_id).group_by(gap.meter_id).order_by(most, gap.meter_id).limit(_SHOWN_METERS)
    return list(connection.scalars(query))


def _meter(connection: Connection, meter: str, start: int, end: int) -> Picture:
    """A meter's readings and gaps over some days around its longest gap, within `start` to `end`."""
    reading, gap = validated_readings.c, gap_alerts.c
    gaps = connection.execute(
        select(gap.missing_from, gap.missing_to, gap.missing_intervals, gap.state, gap.interval_minutes)
        .where(gap.meter_id == meter)
        .order_by(gap.missing_from)
    ).all()
    longest = max(gaps, key=lambda one: one.missing_intervals)
    first = max(start, min(_micros(longest.missing_from) - _SHOWN_SPAN // 2, end - _SHOWN_SPAN))
    last = min(end, first + _SHOWN_SPAN)
    readings = connection.execute(
        select(reading.time, reading.consumption_kwh).where(reading.meter_id == meter).order_by(reading.time)
    )
    regions = [
        plot.Region(
            _micros(one.missing_from),
            _micros(one.missing_to),
            "open" if one.state == "OPEN" else "missing",
            f"{one.state}: {one.missing_intervals} missing",
        )
        for one in gaps
    ]
    title = f"Meter {meter}"
    frame = plot.Frame(title, "kWh a reading", first, last, regions)
    points = [(at, value) for time, value in readings if first <= (at := _micros(time)) < last]
    svg = plot.bars(frame, points, longest.interval_minutes * MINUTE)
    return Picture(
        title,
        svg,
        f"Readings around its longest gap; shaded where they are missing ({len(gaps)} gaps in all).",
    )


def _longest_gaps(connection: Connection) -> list[dict[str, Any]]:
    gap = gap_alerts.c
    query = select(gap_alerts).order_by(gap.gap_minutes.desc(), gap.time, gap.meter_id).limit(_LISTED_GAPS)
    return [
        dict(row) | {name: stamp(_micros(row[name])) for name in ("missing_from", "missing_to")}
        for row in connection.execute(query).mappings()
    ]


def _micros(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)
