"""The kinds of panels: each has a title, a description, a unit and its queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grafana_foundation_sdk.builders import (
    barchart,
    stat,
    statetimeline,
    statushistory,
    table,
    timeseries,
)
from grafana_foundation_sdk.builders.common import (
    GraphThresholdsStyleConfig,
    ReduceDataOptions,
    StackingConfig,
    VizLegendOptions,
    VizTooltipOptions,
)
from grafana_foundation_sdk.builders.dashboard import DashboardLink, FieldColor, Row, ThresholdsConfig
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    FieldTextAlignment,
    GraphDrawStyle,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    StackingMode,
    TableAutoCellOptions,
    TooltipDisplayMode,
    VisibilityMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardLinkType,
    DataTransformerConfig,
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)

from dashboards.queries import POSTGRES, PROMETHEUS, PrometheusQuery, QueryBuilder, SqlQuery

GREEN, YELLOW, ORANGE, RED, BLUE = "green", "yellow", "orange", "red", "blue"
#: (value, colour): the colour applies from the value on; None is the lowest.
Steps = Sequence[tuple[float | None, str]]

ZERO_IS_GOOD: Steps = ((None, GREEN), (1, ORANGE))
MUST_BE_ONE: Steps = ((None, RED), (1, GREEN))
NEUTRAL: Steps = ((None, BLUE),)
#: Percentage of expected data: high is good.
SHARE_THERE: Steps = ((None, RED), (95, ORANGE), (99, GREEN))
#: Percentage of faulty data: low is good.
SHARE_WRONG: Steps = ((None, GREEN), (5, ORANGE), (15, RED))
#: Percentage of what a region can carry.
LOAD: Steps = ((None, GREEN), (60, YELLOW), (80, ORANGE), (90, RED))

#: Where a column of a table leads, by its name.
LINKS = {
    "meter": "/d/gridwatch-meter?${__url_time_range}&var-meter=${__value.raw:percentencode}",
    "region": "/d/gridwatch-grid?${__url_time_range}&var-region=${__value.raw:percentencode}",
}


def _thresholds(steps: Steps) -> ThresholdsConfig:
    return (
        ThresholdsConfig()
        .mode(ThresholdsMode.ABSOLUTE)
        .steps([Threshold(value=value, color=color) for value, color in steps])
    )


def _described(
    panel: Any, title: str, description: str, queries: Sequence[SqlQuery | PrometheusQuery]
) -> Any:
    source = PROMETHEUS if isinstance(queries[0], PrometheusQuery) else POSTGRES
    panel.title(title).description(description).datasource(source)
    for query in queries:
        panel.with_target(QueryBuilder(query))
    return panel


def number(
    title: str, description: str, sql: str, *, unit: str, steps: Steps, width: int = 4, no_value: str = "none"
) -> Any:
    """A single number from SQL, coloured by thresholds."""
    return (
        _described(stat.Panel(), title, description, [SqlQuery(sql, "table")])
        .unit(unit)
        .thresholds(_thresholds(steps))
        .no_value(no_value)
        .graph_mode(BigValueGraphMode.NONE)
        .color_mode(BigValueColorMode.VALUE)
        .reduce_options(ReduceDataOptions().values(False).calcs(["lastNotNull"]).fields("/.*/"))
        .height(4)
        .span(width)
    )


def status(title: str, description: str, expr: str, legend: str, *, width: int = 6) -> Any:
    """A status light per series of Prometheus: 1 is good."""
    return (
        _described(stat.Panel(), title, description, [PrometheusQuery(expr, legend)])
        .unit("none")
        .thresholds(_thresholds(MUST_BE_ONE))
        .no_value("not scraped")
        .graph_mode(BigValueGraphMode.NONE)
        .color_mode(BigValueColorMode.BACKGROUND)
        .reduce_options(ReduceDataOptions().values(False).calcs(["lastNotNull"]))
        .height(4)
        .span(width)
    )


def lines(
    title: str,
    description: str,
    *queries: SqlQuery | PrometheusQuery | str,
    unit: str,
    bars: bool = False,
    width: int = 12,
    height: int = 8,
    steps: Steps | None = None,
    least: str = "10s",
    most: int | None = None,
    signed: bool = False,
) -> Any:
    """Values over time, as lines or stacked bars; a plain string is SQL for time series.

    `steps` are drawn as dashed lines. `least` is the shortest interval asked for: metrics are reported every
    ten seconds. At `most` so many points a series; None: as many as the panel is wide. `signed`: values may
    be below zero.
    """
    asked = [SqlQuery(query, "time_series") if isinstance(query, str) else query for query in queries]
    panel = (
        _described(timeseries.Panel(), title, description, asked)
        .unit(unit)
        .interval(least)
        .legend(
            VizLegendOptions()
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(True)
        )
        .tooltip(VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
        .draw_style(GraphDrawStyle.BARS if bars else GraphDrawStyle.LINE)
        .fill_opacity(60 if bars else 10)
        .height(height)
        .span(width)
    )
    if not signed:
        panel.min(0)
    if most is not None:
        panel.max_data_points(most)
    if bars:
        panel.stacking(StackingConfig().mode(StackingMode.NORMAL))
    if steps is not None:
        panel.thresholds(_thresholds(steps))
        panel.thresholds_style(GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED))
    return panel


def as_points(panel: Any, name: str, color: str) -> Any:
    """Draw a series of a line panel as points only."""
    return panel.override_by_name(
        name,
        [
            DynamicConfigValue(id_val="custom.drawStyle", value="points"),
            DynamicConfigValue(id_val="custom.showPoints", value=VisibilityMode.ALWAYS),
            DynamicConfigValue(id_val="custom.pointSize", value=9),
            DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": color}),
        ],
    )


def band(panel: Any, lowest: str, highest: str) -> Any:
    """Fill a line panel between two of its series."""
    return panel.override_by_name(
        highest,
        [
            DynamicConfigValue(id_val="custom.fillBelowTo", value=lowest),
            DynamicConfigValue(id_val="custom.fillOpacity", value=20),
        ],
    )


def cells(
    title: str,
    description: str,
    sql: str,
    *,
    unit: str,
    steps: Steps,
    least: str,
    most: int,
    width: int = 24,
    height: int = 12,
) -> Any:
    """A heat map: a row for each series, coloured by thresholds over time; at most so many columns."""
    return (
        _described(statushistory.Panel(), title, description, [SqlQuery(sql, "time_series")])
        .unit(unit)
        .thresholds(_thresholds(steps))
        .color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
        .interval(least)
        .max_data_points(most)
        .show_value(VisibilityMode.NEVER)
        .row_height(0.95)
        .col_width(1.0)
        .legend(
            VizLegendOptions()
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(True)
        )
        .tooltip(VizTooltipOptions().mode(TooltipDisplayMode.SINGLE))
        .height(height)
        .span(width)
    )


def stretches(
    title: str,
    description: str,
    sql: str,
    *,
    states: Sequence[tuple[str, str]],
    width: int = 24,
    height: int = 8,
) -> Any:
    """A strip for each series: its value from a point of time on is the number of a state, with its name and
    colour; 0 is none."""
    named = {
        str(number): ValueMappingResult(text=name, color=color, index=number)
        for number, (name, color) in enumerate((("", "transparent"), *states))
    }
    return (
        _strips(title, description, SqlQuery(sql, "time_series"), width, height)
        .mappings([ValueMap(named)])
        .color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
        .show_value(VisibilityMode.NEVER)
        # A series has no value where another one changes: it stays as it was.
        .override_by_field_type("number", [DynamicConfigValue(id_val="custom.spanNulls", value=True)])
    )


def phases(title: str, description: str, sql: str, *, by: str, width: int = 24, height: int = 6) -> Any:
    """A strip for each value of the column `by`: the words of the last column, each until the next one."""
    return (
        _strips(title, description, SqlQuery(sql, "table"), width, height)
        .color_scheme(FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
        .show_value(VisibilityMode.AUTO)
        .with_transformation(
            DataTransformerConfig(
                id_val="partitionByValues", options={"fields": [by], "naming": {"asLabels": True}}
            )
        )
        .override_by_field_type("string", [DynamicConfigValue(id_val="custom.spanNulls", value=True)])
    )


def _strips(title: str, description: str, query: SqlQuery, width: int, height: int) -> Any:
    return (
        _described(statetimeline.Panel(), title, description, [query])
        .unit("none")
        .merge_values(True)
        .row_height(0.8)
        .legend(
            VizLegendOptions()
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(True)
        )
        .tooltip(VizTooltipOptions().mode(TooltipDisplayMode.SINGLE))
        .height(height)
        .span(width)
    )


def bars(title: str, description: str, sql: str, *, unit: str, width: int = 12, height: int = 8) -> Any:
    """One bar per row: the first column is its label, the second its length."""
    return (
        _described(barchart.Panel(), title, description, [SqlQuery(sql, "table")])
        .unit(unit)
        .min(0)
        .orientation(VizOrientation.HORIZONTAL)
        .legend(
            VizLegendOptions()
            .display_mode(LegendDisplayMode.HIDDEN)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(False)
        )
        .tooltip(VizTooltipOptions().mode(TooltipDisplayMode.SINGLE))
        .height(height)
        .span(width)
    )


def rows(
    title: str,
    description: str,
    sql: str,
    *,
    units: dict[str, str] | None = None,
    links: Sequence[str] = (),
    width: int = 12,
    height: int = 8,
) -> Any:
    """A table; `units` by column. A column named `meter`, and those of `links`, lead to the dashboard of what
    is in them."""
    panel = (
        _described(table.Panel(), title, description, [SqlQuery(sql, "table")])
        .unit("none")
        .no_value("none")
        .frame_index(0)
        .show_header(True)
        .align(FieldTextAlignment.AUTO)
        .cell_options(TableAutoCellOptions())
        .inspect(False)
        .height(height)
        .span(width)
    )
    panel.build().options.footer = None  # Grafana 12.2 dropped the option; the SDK still writes an empty one
    for column, unit in (units or {}).items():
        panel.override_by_name(column, [DynamicConfigValue(id_val="unit", value=unit)])
    for column in (*links, *(("meter",) if "AS meter" in sql else ())):
        link = DashboardLink(f"this {column}").type(DashboardLinkType.LINK).url(LINKS[column]).build()
        panel.override_by_name(
            column,
            [DynamicConfigValue(id_val="links", value=[{"title": link.title, "url": link.url}])],
        )
    return panel


def as_gauge(panel: Any, column: str, steps: Steps, highest: float) -> Any:
    """Draw a column of a table as bars, coloured by thresholds."""
    return panel.override_by_name(
        column,
        [
            DynamicConfigValue(id_val="custom.cellOptions", value={"type": "gauge", "mode": "basic"}),
            DynamicConfigValue(id_val="min", value=0),
            DynamicConfigValue(id_val="max", value=highest),
            DynamicConfigValue(id_val="thresholds", value=_thresholds(steps).build()),
        ],
    )


def heading(title: str) -> Row:
    """A row's title; the panels after it belong to it."""
    return Row(title)
