"""Meter Drill-Down: one meter's readings, with what is missing, late or revised marked on the plot."""

from __future__ import annotations

from typing import Any, cast

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as models

from dashboards import drill_down_sql as ask
from dashboards import variables
from dashboards.frame import dashboard
from dashboards.panels import (
    NEUTRAL,
    SHARE_THERE,
    ZERO_IS_GOOD,
    as_points,
    heading,
    lines,
    number,
    rows,
)
from dashboards.queries import POSTGRES, AnnotationQuery, SqlQuery


def _missing_regions() -> builders.AnnotationQuery:
    annotation = (
        builders.AnnotationQuery()
        .name("Missing intervals")
        .datasource(POSTGRES)
        .enable(True)
        .icon_color("red")
    )
    # The SDK knows targets of Grafana's own annotations only; a query is one as well.
    target = cast(models.AnnotationTarget, cast(Any, AnnotationQuery(ask.MISSING_REGIONS, "table", "Anno")))
    return annotation.target(_Built(target))


class _Built(Builder[models.AnnotationTarget]):
    """What has been built already, as the SDK takes it."""

    def __init__(self, target: models.AnnotationTarget) -> None:
        self._target = target

    def build(self) -> models.AnnotationTarget:
        """The target."""
        return self._target


def build() -> Dashboard:
    """The dashboard."""
    plot = lines(
        "Consumption",
        "Every accepted reading of the meter. Red regions are intervals that are missing still;"
        " marks are readings that came late, came too late to be processed, or were replaced by a later"
        " value.",
        SqlQuery(ask.CONSUMPTION, "time_series", "A"),
        SqlQuery(ask.LATE_MARKS, "time_series", "B"),
        SqlQuery(ask.TOO_LATE_MARKS, "time_series", "C"),
        SqlQuery(ask.REVISED_MARKS, "time_series", "D"),
        unit="kwatth",
        width=24,
        height=11,
    )
    for name, color in (("late", "orange"), ("too late", "red"), ("value before revision", "purple")):
        as_points(plot, name, color)
    return (
        dashboard(
            "gridwatch-meter",
            "Meter Drill-Down",
            "One meter: what it reported, what is missing, late or revised, and why a gap was called one.",
            variables.meter(),
        )
        .annotation(_missing_regions())
        .with_panel(
            number(
                "Last reading",
                "Time of the meter's newest accepted reading, of whatever age.",
                ask.LAST_SEEN,
                unit="dateTimeFromNow",
                steps=NEUTRAL,
                no_value="never",
            )
        )
        .with_panel(
            number(
                "Interval now",
                "Time between two readings of the meter, as given or learned at its newest reading in range.",
                ask.INTERVAL,
                unit="m",
                steps=NEUTRAL,
            )
        )
        .with_panel(
            number(
                "Completeness",
                "Accepted readings in range against those and the intervals still missing of gaps begun in"
                " range.",
                ask.COMPLETENESS,
                unit="percent",
                steps=SHARE_THERE,
            )
        )
        .with_panel(
            number(
                "Missing intervals",
                "Intervals still missing of gaps that began in range.",
                ask.MISSING,
                unit="short",
                steps=ZERO_IS_GOOD,
            )
        )
        .with_panel(
            number(
                "Late",
                "Readings behind the watermark, those too late to be processed among them.",
                ask.LATE,
                unit="short",
                steps=ZERO_IS_GOOD,
            )
        )
        .with_panel(number("Total", "Sum of the readings in range.", ask.TOTAL, unit="kwatth", steps=NEUTRAL))
        .with_panel(plot)
        .with_panel(
            rows(
                "Gaps",
                "Gaps that touch the time range, with their life: how they stand, and why they were called.",
                ask.GAPS,
                units={"missing time": "m", "interval": "m"},
                width=24,
            )
        )
        .with_panel(
            rows(
                "Late readings",
                "Each late reading, its delay behind the watermark, and what became of it.",
                ask.LATE_READINGS,
                units={"delay": "s", "consumption": "kwatth"},
            )
        )
        .with_panel(
            rows(
                "Revisions",
                "Each further value for a time that had one.",
                ask.REVISIONS,
                units=dict.fromkeys(("first value", "revised to", "stands now"), "kwatth"),
            )
        )
        .with_panel(
            rows(
                "Statistics",
                "Of the readings in range.",
                ask.STATISTICS,
                units=dict.fromkeys(("lowest", "mean", "median", "highest"), "kwatth"),
                width=24,
                height=4,
            )
        )
        .with_row(heading("More of the meter"))
        .with_panel(
            lines("Interval", "The meter's interval at each reading.", ask.INTERVALS, unit="m", height=6)
        )
        .with_panel(
            lines(
                "Electrical values",
                "Voltage (V), current (A), power (kW), power factor, frequency (Hz), where the meter sends"
                " them.",
                ask.ELECTRICAL,
                unit="none",
                height=6,
            )
        )
    )
