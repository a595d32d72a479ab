"""Meter Drill-Down: one meter's readings, with what is missing, late or revised marked on the plot."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import variables
from dashboards.frame import dashboard
from dashboards.marks import marks
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
from dashboards.queries import SqlQuery
from dashboards.sql import drill_down as sql


def build() -> Dashboard:
    """The dashboard."""
    plot = lines(
        "Consumption",
        "Every accepted reading of the meter. Red regions are intervals that are still missing;"
        " marks are readings that were late, too late to be processed, or revised by a later"
        " value.",
        SqlQuery(sql.CONSUMPTION, "time_series", "A"),
        SqlQuery(sql.LATE_MARKS, "time_series", "B"),
        SqlQuery(sql.TOO_LATE_MARKS, "time_series", "C"),
        SqlQuery(sql.REVISED_MARKS, "time_series", "D"),
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
            "One meter: what it reported, what is missing, late or revised, and why a gap was detected.",
            variables.meter(),
        )
        .annotation(marks("Missing intervals", sql.MISSING_REGIONS, "red"))
        .with_panel(
            number(
                "Last reading",
                "Time of the meter's newest accepted reading, of whatever age.",
                sql.LAST_SEEN,
                unit="dateTimeFromNow",
                steps=NEUTRAL,
                no_value="never",
            )
        )
        .with_panel(
            number(
                "Interval now",
                "Time between two readings of the meter, as given or learned at its newest reading in range.",
                sql.INTERVAL,
                unit="s",
                steps=NEUTRAL,
            )
        )
        .with_panel(
            number(
                "Completeness",
                "Accepted readings in range against those and the intervals still missing of gaps begun in"
                " range.",
                sql.COMPLETENESS,
                unit="percent",
                steps=SHARE_THERE,
            )
        )
        .with_panel(
            number(
                "Missing intervals",
                "Intervals still missing of gaps that began in range.",
                sql.MISSING,
                unit="short",
                steps=ZERO_IS_GOOD,
            )
        )
        .with_panel(
            number(
                "Late",
                "Readings older than the watermark, including those too late to be processed.",
                sql.LATE,
                unit="short",
                steps=ZERO_IS_GOOD,
            )
        )
        .with_panel(number("Total", "Sum of the readings in range.", sql.TOTAL, unit="kwatth", steps=NEUTRAL))
        .with_panel(plot)
        .with_panel(
            rows(
                "Gaps",
                "Gaps that overlap the time range, with their state and the reason for detecting them.",
                sql.GAPS,
                units={"missing time": "s", "interval": "s"},
                width=24,
            )
        )
        .with_panel(
            rows(
                "Late readings",
                "Each late reading, its delay to the watermark, and how it was classified.",
                sql.LATE_READINGS,
                units={"delay": "s", "consumption": "kwatth"},
            )
        )
        .with_panel(
            rows(
                "Revisions",
                "Each further value for a timestamp that already had one.",
                sql.REVISIONS,
                units=dict.fromkeys(("first value", "revised to", "current value"), "kwatth"),
            )
        )
        .with_panel(
            rows(
                "Statistics",
                "Of the readings in range.",
                sql.STATISTICS,
                units=dict.fromkeys(("lowest", "mean", "median", "highest"), "kwatth"),
                width=24,
                height=4,
            )
        )
        .with_row(heading("More of the meter"))
        .with_panel(
            lines("Interval", "The meter's interval at each reading.", sql.INTERVALS, unit="s", height=6)
        )
        .with_panel(
            lines(
                "Electrical values",
                "Voltage (V), current (A), power (kW), power factor, frequency (Hz), where the meter sends"
                " them.",
                sql.ELECTRICAL,
                unit="none",
                height=6,
            )
        )
    )
