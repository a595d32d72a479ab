"""Data Quality Overview: current problems, since when, and whether of one meter or a region."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import variables
from dashboards.frame import dashboard
from dashboards.panels import (
    NEUTRAL,
    SHARE_THERE,
    SHARE_WRONG,
    ZERO_IS_GOOD,
    bars,
    heading,
    lines,
    number,
    rows,
)
from dashboards.sql import overview as sql


def build() -> Dashboard:
    """The dashboard."""
    return (
        dashboard(
            "gridwatch-overview",
            "Data Quality Overview",
            "What is wrong with the readings now, since when, and whether it is one meter or a whole region."
            " Times are event time.",
            variables.flow(),
            variables.region(),
            variables.partition(),
            variables.interval(),
        )
        .with_panel(
            number(
                "Open gaps now",
                "Gaps that have not ended, of any age: the meter is still silent. The time range does not"
                " matter.",
                sql.OPEN_GAPS,
                unit="short",
                steps=ZERO_IS_GOOD,
            )
        )
        .with_panel(
            number(
                "Silent meters now",
                "Meters with an open gap, of any age. The time range does not matter.",
                sql.SILENT_METERS,
                unit="short",
                steps=ZERO_IS_GOOD,
            )
        )
        .with_panel(
            number(
                "Active meters",
                "Highest number of meters with a reading in one metrics window of the time range. `none`: no"
                " readings at all.",
                sql.ACTIVE_METERS,
                unit="short",
                steps=NEUTRAL,
            )
        )
        .with_panel(
            number(
                "Completeness",
                "Accepted readings as a share of accepted and still missing ones, of gaps that began in the"
                " time range. All regions.",
                sql.COMPLETENESS,
                unit="percent",
                steps=SHARE_THERE,
            )
        )
        .with_panel(
            number(
                "Late readings",
                "Readings older than the watermark, including those too late to be processed, as a share of"
                " all received. All regions.",
                sql.LATE_SHARE,
                unit="percent",
                steps=SHARE_WRONG,
            )
        )
        .with_panel(
            number(
                "Dead letters",
                "Records that could not be read or stored. Their time is that of the Kafka record,"
                " not event time.",
                sql.DEAD_LETTERS,
                unit="short",
                steps=ZERO_IS_GOOD,
            )
        )
        .with_row(heading("Over time"))
        .with_panel(
            lines(
                "Readings per minute",
                "Readings received and how they were classified, by their own timestamps. All regions.",
                sql.READINGS_A_MINUTE,
                unit="cpm",
            )
        )
        .with_panel(
            lines(
                "Late and complete",
                "Late share of received readings, and accepted share of expected ones, as of that time:"
                " readings that filled a gap later do not change it. All regions.",
                sql.SHARES_OVER_TIME,
                unit="percent",
            )
        )
        .with_panel(
            lines(
                "Missing intervals per hour",
                "Intervals detected as missing in each hour of event time, all regions and partitions.",
                sql.MISSING_AN_HOUR,
                unit="short",
                bars=True,
                width=8,
            )
        )
        .with_panel(
            lines(
                "Gaps per hour",
                "Gaps by the hour of their first missing interval.",
                sql.GAPS_AN_HOUR,
                unit="short",
                width=8,
            )
        )
        .with_panel(
            lines(
                "Meters with readings",
                "Highest number of meters with a reading in one metrics window, over time. All regions.",
                sql.METERS_OVER_TIME,
                unit="short",
                width=8,
            )
        )
        .with_row(heading("Which meters, which regions"))
        .with_panel(
            rows(
                "Longest open gaps",
                "Meters silent for longest, of any age. A meter's id links to its dashboard.",
                sql.LONGEST_OPEN,
                units={"missing time": "s"},
                width=24,
            )
        )
        .with_panel(
            rows(
                "Top 10 meters by gaps",
                "Meters with the most gaps begun in the time range. A meter's id links to its dashboard.",
                sql.TOP_METERS,
                units={"missing time": "s"},
            )
        )
        .with_panel(
            rows(
                "By region",
                "Gaps that began in the time range, by region of the meter.",
                sql.BY_REGION,
                units={"missing time": "s"},
            )
        )
        .with_row(heading("Late and refused"))
        .with_panel(
            bars(
                "How late",
                "Readings older than the watermark by their delay, including those too late to be processed."
                " All regions.",
                sql.DELAYS,
                unit="short",
            )
        )
        .with_panel(
            bars(
                "Dead letters by reason",
                "A record counts under each reason found in it. Their time is that of the Kafka record.",
                sql.DEAD_LETTERS_BY_REASON,
                unit="short",
            )
        )
    )
