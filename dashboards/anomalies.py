"""Anomalies: what is out of the ordinary now, how much of which kind there was, and one meter against it.

On top is what is open, the worst first. Counts over time come after that, then meters, then a single one: its
power with the anomalies on it.
"""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import variables
from dashboards.frame import dashboard
from dashboards.marks import marks
from dashboards.panels import (
    BLUE,
    NEUTRAL,
    ORANGE,
    RED,
    YELLOW,
    ZERO_IS_GOOD,
    as_points,
    heading,
    lines,
    number,
    rows,
    stretches,
)
from dashboards.queries import SqlQuery
from dashboards.sql import anomalies as sql
from gridwatch.domain.anomalies.anomaly import SEVERITIES

#: Windows that are judged are a quarter of an hour long, if nothing else is set.
QUARTER = "15m"
#: Bars over time.
COLUMNS = 96
POWER = "Power and anomalies of the meter"
#: By severity.
STATES = tuple(zip(SEVERITIES, (BLUE, YELLOW, ORANGE, RED), strict=True))
UNITS = {"deviation": "percent", "length": "s", "mean length": "s"}


def build() -> Dashboard:
    """The dashboard."""
    board = dashboard(
        "gridwatch-anomalies",
        "Anomalies",
        "What meters use that is out of the ordinary: open now, over time, and of one meter. Times are event"
        " time: an anomaly counts where its first window begins.",
        variables.anomaly_region(),
        variables.kind(),
        variables.confidence(),
        variables.meter(),
    )
    for part in (_now, _over_time, _meters, _meter):
        part(board)
    # The ids of panels are their places (`__main__`).
    places = [panel.title for panel in board.build().panels or []]
    return board.annotation(marks("Anomalies of the meter", sql.STRETCHES, ORANGE, places.index(POWER) + 1))


def _now(board: Dashboard) -> None:
    board.with_panel(
        number(
            "Open by severity",
            "Anomalies that have not ended, of any age. The time range does not matter.",
            sql.OPEN_NOW,
            unit="short",
            steps=ZERO_IS_GOOD,
            width=12,
        )
    ).with_panel(
        number(
            "Open, high confidence",
            "Those of the open ones that are far beyond what is usual for their meter.",
            sql.OPEN_HIGH,
            unit="short",
            steps=ZERO_IS_GOOD,
        )
    ).with_panel(
        number(
            "Meters with open ones",
            "Meters that have an open anomaly, of any age.",
            sql.METERS_OPEN,
            unit="short",
            steps=ZERO_IS_GOOD,
        )
    ).with_panel(
        number(
            "Oldest open one",
            "Since when the oldest open anomaly lasts.",
            sql.OLDEST,
            unit="dateTimeFromNow",
            steps=NEUTRAL,
        )
    ).with_panel(
        rows(
            "Open anomalies",
            "A hundred of them at most, of any age: the most severe first, then those of high confidence,"
            " then the newest. A meter's id links to its dashboard. Value and baseline are in the unit beside"
            " them, those of a power factor without one.",
            sql.OPEN_LIST,
            units=UNITS,
            width=24,
        )
    )


def _over_time(board: Dashboard) -> None:
    board.with_row(heading("Over time")).with_panel(
        lines(
            "Anomalies by kind over time",
            "Anomalies by the start of their first window: a run of zeros is known a day after that.",
            sql.OVER_TIME,
            unit="short",
            bars=True,
            least=QUARTER,
            most=COLUMNS,
            width=24,
        )
    ).with_panel(
        number(
            "Begun in the time range",
            "Anomalies that began in the time range; taken back are those whose readings were late or revised"
            " so that nothing was out of the ordinary. They count nowhere else.",
            sql.COUNTS,
            unit="short",
            steps=NEUTRAL,
            width=24,
        )
    ).with_panel(
        rows(
            "By kind",
            "Anomalies that began in the time range, by kind. The mean length is that of ended ones.",
            sql.BY_KIND,
            units=UNITS,
        )
    ).with_panel(
        rows(
            "By region",
            "Anomalies that began in the time range, by region. A region links to its load.",
            sql.BY_REGION,
            units=UNITS,
            links=("region",),
        )
    )


def _meters(board: Dashboard) -> None:
    board.with_row(heading("Which meters")).with_panel(
        rows(
            "Top meters",
            "The 20 meters with the most anomalies of high confidence that began in the time range, whatever"
            " confidence is chosen.",
            sql.TOP_METERS,
            width=24,
        )
    ).with_panel(
        rows(
            "Newest anomalies",
            "The hundred that began last in the time range, with what they were judged against.",
            sql.NEWEST,
            units=UNITS,
            width=24,
            height=10,
        )
    )


def _meter(board: Dashboard) -> None:
    power = lines(
        POWER,
        "Mean power of the chosen meter by quarter of an hour. Points are the values of anomalies of power"
        " and the baselines they were judged against, where there was one; regions are how long anomalies of"
        " every kind last.",
        SqlQuery(sql.POWER, "time_series", "A"),
        SqlQuery(sql.POWER_MARKS, "time_series", "B"),
        unit="kwatt",
        least=QUARTER,
        signed=True,
        width=24,
        height=11,
    )
    for name, color in (("anomaly", RED), ("baseline", BLUE)):
        as_points(power, name, color)
    board.with_row(heading("One meter")).with_panel(power).with_panel(
        stretches(
            "Anomalies of the meter by kind",
            "When the chosen meter had an anomaly of each kind, coloured by its severity.",
            sql.TIMELINE,
            states=STATES,
        )
    ).with_panel(
        rows(
            "All of the meter",
            "Anomalies of the chosen meter that overlap the time range, the newest first.",
            sql.OF_THE_METER,
            units=UNITS,
            width=24,
        )
    )
