"""What all dashboards share: name, refresh interval, links to each other."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import (
    CustomVariable,
    Dashboard,
    DashboardLink,
    IntervalVariable,
    QueryVariable,
)
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DashboardLinkType

TAG = "gridwatch"


def dashboard(
    uid: str, title: str, description: str, *variables: QueryVariable | CustomVariable | IntervalVariable
) -> Dashboard:
    """An empty dashboard with its variables, and links to the others that keep the time range."""
    made = (
        Dashboard(title)
        .uid(uid)
        .description(description)
        .tags([TAG])
        .refresh("10s")
        .time("now-24h", "now")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .link(
            DashboardLink("gridwatch")
            .type(DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .tooltip("the other dashboards")
            .as_dropdown(False)
            .include_vars(False)
            .keep_time(True)
        )
    )
    for variable in variables:
        made.with_variable(variable)
    return made
