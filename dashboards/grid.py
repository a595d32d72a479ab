"""Grid Load: what is out, which regions are near their limit, since when, and whether it can be trusted.

On top is what the operator on call acts on: incidents, then the regions by load. History comes after that,
then the quality of the figures, then single meters.
"""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import variables
from dashboards.frame import dashboard
from dashboards.panels import (
    GREEN,
    LOAD,
    NEUTRAL,
    ORANGE,
    RED,
    ZERO_IS_GOOD,
    Steps,
    as_gauge,
    band,
    bars,
    cells,
    heading,
    lines,
    number,
    rows,
)
from dashboards.queries import PrometheusQuery
from dashboards.sql import grid as sql

NONE_IS_GOOD: Steps = ((None, GREEN), (1, RED))
#: Age in seconds, of event time, of a window that is not published: partitions are seldom a minute apart.
PUBLISHED_SOON: Steps = ((None, GREEN), (300, ORANGE), (1800, RED))
#: A region's windows are a quarter of an hour long, those of a meter a minute or more.
QUARTER, MINUTE = "15m", "1m"
#: Which regions a plot shows, if not all.
LAST_WEEK = " in the last week of the time range"
#: Columns of the heat map: two days of single windows. Points of a series where there is one a region.
COLUMNS, POINTS = 192, 400


def build() -> Dashboard:
    """The dashboard."""
    board = dashboard(
        "gridwatch-grid",
        "Grid Load",
        "What is out now, which regions are near what they can carry, since when, and how far the figures"
        " can be trusted. Times are event time; `now` is the newest window of the time range.",
        variables.grid_region(),
        variables.meter(),
        variables.window(),
    )
    for part in (_now, _over_time, _trust, _meters, _publishing):
        part(board)
    return board


def _now(board: Dashboard) -> None:
    board.with_panel(
        number(
            "Open incidents",
            "Incidents that have not ended, of any age. The time range does not matter.",
            sql.OPEN_INCIDENTS,
            unit="short",
            steps=NONE_IS_GOOD,
        )
    ).with_panel(
        number(
            "Meters out",
            "Silent meters of the open incidents. Those of an incident that is part of a wider one count"
            " once.",
            sql.METERS_OUT,
            unit="short",
            steps=NONE_IS_GOOD,
        )
    ).with_panel(
        number(
            "Highest load",
            "The highest load of a region in its newest window, as a share of its capacity.",
            sql.HIGHEST,
            unit="percent",
            steps=LOAD,
            no_value="unknown",
        )
    ).with_panel(
        number(
            "Regions from 90 % on",
            "Regions whose newest window is at 90 % of their capacity or above.",
            sql.OVERLOADED,
            unit="short",
            steps=NONE_IS_GOOD,
        )
    ).with_panel(
        number(
            "Regions without a sure load",
            "Regions whose newest window lacks a source partition, readings or a capacity: an overload would"
            " not be seen.",
            sql.UNKNOWN,
            unit="short",
            steps=ZERO_IS_GOOD,
        )
    ).with_panel(
        number(
            "Newest window",
            "End of the newest window that is published: all partitions have passed it.",
            sql.PUBLISHED,
            unit="dateTimeFromNow",
            steps=NEUTRAL,
            no_value="never",
        )
    ).with_panel(
        rows(
            "Incidents",
            "Open incidents of any age, then those of the time range: many meters of a region (storm), feeder"
            " or transformer that fell silent together. The first hundred meters are named; their number is"
            " exact.",
            sql.INCIDENTS,
            units={"duration": "s"},
            links=("region",),
            width=24,
        )
    ).with_panel(
        as_gauge(
            rows(
                "Load now",
                "The newest window of each region, the highest load first. Without a load it says what the"
                " window lacks. A region links to itself alone.",
                sql.LOAD_NOW,
                units={
                    "load": "percent",
                    "completeness": "percent",
                    **dict.fromkeys(("power", "capacity", "free"), "kwatt"),
                },
                links=("region",),
                width=24,
                height=10,
            ),
            "load",
            LOAD,
            120,
        )
    )


def _over_time(board: Dashboard) -> None:
    board.with_row(heading("Load over time")).with_panel(
        cells(
            "Load heat map",
            f"The highest load of each region over time, as a share of its capacity: the {sql.CELLS} regions"
            f" with the highest ones{LAST_WEEK}. An empty cell has no load.",
            sql.HEAT_MAP,
            unit="percent",
            steps=LOAD,
            least=QUARTER,
            most=COLUMNS,
        )
    ).with_panel(
        lines(
            "Load",
            "Highest load as a share of the capacity, over time: the"
            f" {sql.LINES} regions with the highest ones{LAST_WEEK}.",
            sql.LOAD,
            unit="percent",
            steps=LOAD,
            least=QUARTER,
            most=POINTS,
        )
    ).with_panel(
        lines(
            "Load against capacity",
            "Power of the chosen regions together, and what they can carry: windows of which both are known.",
            sql.POWER,
            unit="kwatt",
            least=QUARTER,
        )
    ).with_panel(
        lines(
            "Energy over time",
            f"Measured energy by region: the {sql.LINES} with the most of it{LAST_WEEK}, and all others."
            " Nothing is added for meters that are missing.",
            sql.ENERGY_OVER_TIME,
            unit="kwatth",
            bars=True,
            least=QUARTER,
            most=POINTS,
        )
    ).with_panel(
        bars(
            "Energy by region",
            f"Measured energy in the time range: the {sql.LINES} regions with the most of it.",
            sql.ENERGY,
            unit="kwatth",
        )
    )


def _trust(board: Dashboard) -> None:
    board.with_row(heading("Can the figures be trusted")).with_panel(
        number(
            "Windows by state",
            "Windows of the time range. Preliminary and updated ones may change; final ones do not. A window"
            " is incomplete without one of the source partitions, insufficient without a load.",
            sql.STATES,
            unit="short",
            steps=NEUTRAL,
            width=24,
        )
    ).with_panel(
        lines(
            "Completeness",
            "Lowest share of the time of all meters for which readings came, over time: the"
            f" {sql.LINES} regions with the lowest ones{LAST_WEEK}. Below 80 % no load is given.",
            sql.COMPLETENESS,
            unit="percent",
            least=QUARTER,
            most=POINTS,
        )
    ).with_panel(
        rows(
            "Incomplete and insufficient windows",
            "Windows of the time range without a sure load, by region and by what they lack, the latest"
            " first. Uncovered meters report too rarely to take part.",
            sql.DOUBTFUL,
            units={"lowest completeness": "percent"},
            links=("region",),
        )
    )


def _meters(board: Dashboard) -> None:
    board.with_row(heading("Single meters")).with_panel(
        rows(
            "Top meters",
            "The 20 meters of the chosen regions with the most energy in the newest quarter of an hour of the"
            " time range. A meter's id links to its dashboard.",
            sql.TOP_METERS,
            units={
                "energy": "kwatth",
                "completeness": "percent",
                **dict.fromkeys(("mean power", "highest power"), "kwatt"),
            },
            width=24,
        )
    ).with_panel(
        band(
            lines(
                "Power of the meter",
                "Lowest, mean and highest power of the chosen meter, by minute or by quarter of an hour"
                " (Window). Minutes are kept for a shorter time.",
                sql.POWER_BAND,
                unit="kwatt",
                least=MINUTE,
            ),
            "lowest",
            "highest",
        )
    ).with_panel(
        lines(
            "Energy of the meter",
            "Energy of the chosen meter, from its quarters of an hour.",
            sql.METER_ENERGY,
            unit="kwatth",
            bars=True,
            least=QUARTER,
        )
    )


def _publishing(board: Dashboard) -> None:
    board.with_row(heading("Publishing, from Prometheus")).with_panel(
        lines(
            "Age of the oldest window not published",
            "Event time from the end of the oldest window that waits for a partition to the most advanced"
            " partition.",
            PrometheusQuery('max by (flow) (gridwatch_unpublished_age_seconds{stage="regions"})', "{{flow}}"),
            unit="s",
            steps=PUBLISHED_SOON,
            width=8,
        )
    ).with_panel(
        lines(
            "Windows not published, partitions out",
            "Regions' windows that wait for a partition, and partitions that are not waited for.",
            PrometheusQuery('sum by (flow) (gridwatch_windows_unpublished{stage="regions"})', "windows", "A"),
            PrometheusQuery('max by (flow) (gridwatch_sources_out{stage="regions"})', "partitions out", "B"),
            unit="short",
            width=8,
        )
    ).with_panel(
        lines(
            "Windows emitted",
            "Windows per second of meters by their length, and of regions; later revisions count, too.",
            PrometheusQuery(
                'sum by (flow, length) (rate(gridwatch_windows_emitted_total{stage="readings"}[5m]))',
                "{{flow}} {{length}}",
                "A",
            ),
            PrometheusQuery(
                'sum by (flow) (rate(gridwatch_regional_windows_emitted_total{stage="regions"}[5m]))',
                "regions",
                "B",
            ),
            unit="cps",
            width=8,
        )
    )
