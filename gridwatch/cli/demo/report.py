"""The report: one self-contained HTML file with the summary, plots, and the longest gaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from sqlalchemy import Connection, func, select

from gridwatch import __version__
from gridwatch.cli.demo.figures import Figures, policy_line
from gridwatch.cli.demo.summary import rates_of, rows_of
from gridwatch.errors import GridwatchError
from gridwatch.http.assets import stylesheet
from gridwatch.http.formats import number, percent
from gridwatch.plots.axes import DAY, HOUR, MINUTE, stamp
from gridwatch.plots.canvas import SIZES, Frame, Region
from gridwatch.plots.charts import Layer, layered
from gridwatch.settings import Settings
from sinks.database import connect
from sinks.tables.gap_alerts import gap_alerts
from sinks.tables.late_events import late_events
from sinks.tables.validated_readings import validated_readings

FILE = "gridwatch-report.html"
_LISTED_GAPS = 25
_SHOWN_METERS = 2
#: A meter is shown over this many intervals, and never over more than this.
_SHOWN_INTERVALS = 96
_LONGEST_SPAN = 4 * DAY


@dataclass(frozen=True)
class Picture:
    """One plot with title and caption; `drawn` is the plot by its width."""

    title: str
    drawn: Mapping[str, Markup]
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
            "run gridwatch in a folder that you can write to",
        ) from problem
    return path.absolute()


def _render(connection: Connection, settings: Settings, figures: Figures) -> str:
    environment = Environment(
        loader=PackageLoader("gridwatch.cli.demo", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=number, percent=percent)
    return environment.get_template("report.html").render(
        style=Markup(stylesheet()),  # noqa: S704  our own file
        made_at=f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
        policy=policy_line(settings),
        figures=figures,
        rates=rates_of(figures),
        rows=rows_of(figures),
        plots=_pictures(connection),
        gaps=_longest_gaps(connection),
        version=__version__,
    )


def _pictures(connection: Connection) -> dict[str, list[Picture]]:
    """Consumption, late and missing readings over time; then the meters with the most missing readings."""
    reading, gap = validated_readings.c, gap_alerts.c
    consumption = _hourly(connection, reading.time, func.sum(reading.consumption_kwh))
    if not consumption:
        return {"small": [], "meters": []}
    on_time = _hourly(connection, reading.time, func.count().filter(reading.status == "OK"))
    late = _hourly(connection, reading.time, func.count().filter(reading.status == "LATE"))
    too_late = _hourly(connection, late_events.c.time, func.count())
    missing = _hourly(connection, gap.time, func.sum(gap.missing_intervals))
    start, end = consumption[0][0], consumption[-1][0] + HOUR

    def hourly(title: str, unit: str, layers: Sequence[Layer], caption: str) -> Picture:
        frame = Frame(title, unit, start, end, width=460, height=150, size="small")
        return Picture(title, {"both": layered(frame, layers, HOUR, stacked=True)}, caption)

    small = [
        hourly(
            "Consumption of all meters",
            "kWh an hour",
            [Layer("validated", consumption)],
            "What the validated readings add up to.",
        ),
        hourly(
            "Validated readings",
            "readings an hour",
            [Layer("on time", on_time), Layer("late", late, "late")],
            "On time, and late ones on top of them.",
        ),
        hourly(
            "Late readings",
            "readings an hour",
            [Layer("late", late, "late"), Layer("too late", too_late, "too-late")],
            "Behind the watermark when they came; late ones are still processed.",
        ),
        hourly(
            "Missing readings",
            "slots an hour",
            [Layer("missing", missing, "missing")],
            "By the hour in which their gap begins.",
        ),
    ]
    return {"small": small, "meters": [_meter(connection, one, start, end) for one in _gappiest(connection)]}


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
    gap = gap_alerts.c
    gaps = connection.execute(
        select(gap.missing_from, gap.missing_to, gap.missing_intervals, gap.state, gap.interval_minutes)
        .where(gap.meter_id == meter)
        .order_by(gap.missing_from)
    ).all()
    longest = max(gaps, key=lambda one: one.missing_intervals)
    interval = round(longest.interval_minutes * MINUTE)
    span = min(_LONGEST_SPAN, max(_SHOWN_INTERVALS * interval, 2 * longest.missing_intervals * interval))
    first = max(start, min(_micros(longest.missing_from) - span // 2, end - span))
    last = min(end, first + span)
    layers = [
        Layer(
            name, [point for point in _readings(connection, meter, status) if first <= point[0] < last], tone
        )
        for name, status, tone in (
            ("on time", "OK", "reading"),
            ("late", "LATE", "late"),
            ("too late", None, "too-late"),
        )
    ]
    regions = [
        Region(
            _micros(one.missing_from),
            _micros(one.missing_to),
            "open" if one.state == "OPEN" else "missing",
            f"{one.state}: {one.missing_intervals} missing",
        )
        for one in gaps
    ]
    title = f"Meter {meter}"
    drawn = {
        size: layered(
            Frame(title, "kWh a reading", first, last, regions, width=width, height=height, size=size),
            layers,
            interval,
        )
        for size, (width, height) in SIZES.items()
    }
    noun = "gap" if len(gaps) == 1 else "gaps"
    return Picture(
        title,
        drawn,
        f"Around its longest gap; shaded where readings are missing ({len(gaps)} {noun} in all).",
    )


def _readings(connection: Connection, meter: str, status: str | None) -> list[tuple[int, float]]:
    """A meter's validated readings of a status, or those that came too late: (time, kWh) in order."""
    if status is None:
        of = late_events.c
        query = select(of.time, of.consumption_kwh).where(of.meter_id == meter)
    else:
        of = validated_readings.c
        query = select(of.time, of.consumption_kwh).where(of.meter_id == meter, of.status == status)
    return [(_micros(time), value) for time, value in connection.execute(query.order_by(of.time))]


def _longest_gaps(connection: Connection) -> list[dict[str, Any]]:
    gap = gap_alerts.c
    query = select(gap_alerts).order_by(gap.gap_minutes.desc(), gap.time, gap.meter_id).limit(_LISTED_GAPS)
    return [
        dict(row) | {name: stamp(_micros(row[name])) for name in ("missing_from", "missing_to")}
        for row in connection.execute(query).mappings()
    ]


def _micros(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)
