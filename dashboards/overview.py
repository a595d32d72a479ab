"""Data Quality Overview: what is wrong now, since when, one meter or a whole region."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import overview_sql as ask
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


def build() -> Dashboard:
    """The dashboard."""
    return (
        dashboard(
            "gridwatch-overview",
            "Data Quality Overview",
            "What is wrong with the readings now, since when, and whether it is one meter or a whole region."
            " Times are event time.",
            variables.region(),
            variables.partition(),
            variables.interval(),
        )
        .with_panel(
            number(
                "Open gaps now",
                "Gaps that have not ended, of whatever age: the meter is silent still. The time range does"
                " not"
                " matter.",
                ask.OPEN_GAPS,
                unit="short",
                steps=ZERO_IS_GOOD,
            )
        )
        .with_panel(
            number(
                "Silent meters now",
                "Meters with an open gap, of whatever age. The time range does not matter.",
                ask.SILENT_METERS,
                unit="short",
                steps=ZERO_IS_GOOD,
            )
        )
        .with_panel(
            number(
                "Active meters",
                "Most meters that had a reading in one metrics window of the time range. `none`: nothing came"
                " at all.",
                ask.ACTIVE_METERS,
                unit="short",
                steps=NEUTRAL,
            )
        )
        .with_panel(
            number(
                "Completeness",
                "Accepted readings against those and the intervals still missing of gaps that began in the"
                " time"
                " range. Of all regions.",
                ask.COMPLETENESS,
                unit="percent",
                steps=SHARE_THERE,
            )
        )
        .with_panel(
            number(
                "Late readings",
                "Readings behind the watermark, the ones too late to be processed among them, of all"
                " received. Of all regions.",
                ask.LATE_SHARE,
                unit="percent",
                steps=SHARE_WRONG,
            )
        )
        .with_panel(
            number(
                "Dead letters",
                "Records that could not be read or stored. Their time is that of the Kafka record,"
                " not event time.",
                ask.DEAD_LETTERS,
                unit="short",
                steps=ZERO_IS_GOOD,
            )
        )
        .with_row(heading("Over time"))
        .with_panel(
            lines(
                "Readings per minute",
                "What came, and what became of it, by the readings' own timestamps. Of all regions.",
                ask.READINGS_A_MINUTE,
                unit="cpm",
            )
        )
        .with_panel(
            lines(
                "Late and complete",
                "Late share of what was received, and what was accepted of what should have come, as it was"
                " then: readings that filled a gap later are not taken back. Of all regions.",
                ask.SHARES_OVER_TIME,
                unit="percent",
            )
        )
        .with_panel(
            lines(
                "Missing intervals per hour",
                "Intervals found missing in each hour of event time, of all regions and partitions.",
                ask.MISSING_AN_HOUR,
                unit="short",
                bars=True,
                width=8,
            )
        )
        .with_panel(
            lines(
                "Gaps per hour",
                "Gaps by the hour of their first missing interval.",
                ask.GAPS_AN_HOUR,
                unit="short",
                width=8,
            )
        )
        .with_panel(
            lines(
                "Meters with readings",
                "Most meters that had a reading in one metrics window, over time. Of all regions.",
                ask.METERS_OVER_TIME,
                unit="short",
                width=8,
            )
        )
        .with_row(heading("Which meters, which regions"))
        .with_panel(
            rows(
                "Longest open gaps",
                "Meters silent for longest, of whatever age. A meter's id leads to its dashboard.",
                ask.LONGEST_OPEN,
                units={"missing time": "m"},
                width=24,
            )
        )
        .with_panel(
            rows(
                "Top 10 meters by gaps",
                "Meters with the most gaps begun in the time range. A meter's id leads to its dashboard.",
                ask.TOP_METERS,
                units={"missing time": "m"},
            )
        )
        .with_panel(
            rows(
                "By region",
                "Gaps that began in the time range, by region of the meter.",
                ask.BY_REGION,
                units={"missing time": "m"},
            )
        )
        .with_row(heading("Late and refused"))
        .with_panel(
            bars(
                "How late",
                "Readings behind the watermark by their delay, those too late to be processed among them."
                " Of all regions.",
                ask.DELAYS,
                unit="short",
            )
        )
        .with_panel(
            bars(
                "Dead letters by reason",
                "A record counts under each reason found in it. Their time is that of the Kafka record.",
                ask.LETTERS_BY_REASON,
                unit="short",
            )
        )
    )
