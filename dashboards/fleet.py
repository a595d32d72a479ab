"""Fleet: the meters of the registry, which of them are silent, never heard or out as planned, and changes."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import variables
from dashboards.frame import dashboard
from dashboards.panels import (
    GREEN,
    NEUTRAL,
    ORANGE,
    RED,
    ZERO_IS_GOOD,
    Steps,
    bars,
    heading,
    lines,
    number,
    rows,
)
from dashboards.sql import fleet as sql

#: Age in seconds of a change that is not published: the relay publishes at once.
PUBLISHED_SOON: Steps = ((None, GREEN), (60, ORANGE), (600, RED))


def build() -> Dashboard:
    """The dashboard."""
    return (
        dashboard(
            "gridwatch-fleet",
            "Fleet",
            "The meters of the registry: their states, which of them are silent or were never heard, what is"
            " planned, and what has changed. Without a registry it shows silent meters alone.",
            variables.fleet_region(),
            variables.interval(),
        )
        .with_panel(
            number(
                "Registered meters",
                "Meters in the registry that are not removed.",
                sql.METERS,
                unit="short",
                steps=NEUTRAL,
            )
        )
        .with_panel(
            number(
                "Installed or active",
                "Meters whose readings are awaited: one that was never heard is a gap.",
                sql.DELIVERING,
                unit="short",
                steps=NEUTRAL,
            )
        )
        .with_panel(
            number(
                "Silent",
                "Meters with an open gap that was not planned, without those that were never heard. The time"
                " range does not matter.",
                sql.SILENT,
                unit="short",
                steps=ZERO_IS_GOOD,
            )
        )
        .with_panel(
            number(
                "Never heard",
                "Meters that were installed or active for a day without a reading. The time range does not"
                " matter.",
                sql.NEVER_HEARD,
                unit="short",
                steps=ZERO_IS_GOOD,
            )
        )
        .with_panel(
            number(
                "Planned gaps",
                "Open gaps that were planned as a whole: suspended meters and planned outages. They alarm"
                " nobody.",
                sql.PLANNED,
                unit="short",
                steps=NEUTRAL,
            )
        )
        .with_panel(
            number(
                "Planned outages now",
                "Planned outages that have begun and are not over, by wall clock. All regions.",
                sql.OUTAGES_NOW,
                unit="short",
                steps=NEUTRAL,
            )
        )
        .with_row(heading("Regions and classes"))
        .with_panel(
            bars(
                "Meters by status", "All meters of the registry by their status.", sql.STATUSES, unit="short"
            )
        )
        .with_panel(
            bars(
                "Silent meters by region",
                "Meters with an open gap that was neither planned nor of a meter that was never heard.",
                sql.SILENT_BY_REGION,
                unit="short",
            )
        )
        .with_panel(
            rows(
                "By region",
                "Meters by region, as the registry and the gaps have it, and the power that the region is"
                " built for. A meter with several open gaps counts under each reason.",
                sql.BY_REGION,
                units={"capacity": "kwatt"},
            )
        )
        .with_panel(
            rows(
                "By customer class",
                "Registered meters by customer class. A meter with several open gaps counts under each"
                " reason.",
                sql.BY_CLASS,
            )
        )
        .with_row(heading("Which meters"))
        .with_panel(
            rows(
                "Silent meters",
                "Meters silent for longest, without planned gaps, and where they hang. A meter's id links to"
                " its dashboard.",
                sql.SILENT_METERS,
                units={"missing time": "s"},
            )
        )
        .with_panel(
            rows(
                "Meters never heard",
                "Meters that were never heard, those awaited for longest first. A meter's id links to its"
                " dashboard.",
                sql.NEVER_HEARD_METERS,
            )
        )
        .with_panel(
            rows(
                "Planned outages, now and to come",
                "Planned outages that are not over, by wall clock. All regions.",
                sql.OUTAGES,
                width=24,
            )
        )
        .with_row(heading("Changes"))
        .with_panel(
            lines(
                "Changes of the registry",
                "Meters, regions and planned outages by the time of their last change: an earlier change of"
                " the same one does not count.",
                sql.CHANGES,
                unit="short",
                bars=True,
                width=8,
            )
        )
        .with_panel(
            number(
                "Changes not published",
                "Changes in the outbox that gridwatch relay has not published: the workers do not know of"
                " them. All regions.",
                sql.UNPUBLISHED,
                unit="short",
                steps=ZERO_IS_GOOD,
            )
        )
        .with_panel(
            number(
                "Oldest not published",
                "Age of the oldest change that is not published. If it grows, gridwatch relay does not run"
                " or cannot reach the brokers.",
                sql.OLDEST_UNPUBLISHED,
                unit="s",
                steps=PUBLISHED_SOON,
            )
        )
        .with_panel(
            lines(
                "Time to publish",
                "From a change to its acknowledgement by the brokers, of changes made at that time. All"
                " regions.",
                sql.PUBLISHED,
                unit="s",
                width=8,
            )
        )
        .with_panel(
            rows(
                "Latest changes of meters",
                "Meters changed in the time range, the latest first, as they are now. A meter's id links to"
                " its dashboard.",
                sql.LATEST_CHANGES,
                width=24,
            )
        )
    )
