"""What a reader of the dashboards may rely on: every panel explained, with unit, source and working links."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from dashboards.expansion import dashboards, panel_queries
from gridwatch.domain.partition.windows import METRICS as EVENT_METRICS
from gridwatch.health.metrics import METRICS, SYSTEM_METRICS
from gridwatch.models.anomaly import Anomaly, AnomalyKind
from gridwatch.registry.entities import ENTITIES
from sinks import tables as stored

FOLDER = Path(__file__).resolve().parents[3] / "dashboards"
DASHBOARDS = dashboards()
PANELS = [
    pytest.param(uid, panel, id=f"{uid}-{panel['title']}")
    for uid, dashboard in DASHBOARDS.items()
    for panel in dashboard["panels"]
    if panel["type"] != "row"
]
each_dashboard = pytest.mark.parametrize("uid", DASHBOARDS)
each_panel = pytest.mark.parametrize(("uid", "panel"), PANELS)


def _provisioned(name: str) -> str:
    return (FOLDER / "provisioning" / name / "gridwatch.yml").read_text(encoding="utf-8")


def test_there_are_the_seven_dashboards() -> None:
    assert {uid: board["title"] for uid, board in DASHBOARDS.items()} == {
        "gridwatch-overview": "Data Quality Overview",
        "gridwatch-grid": "Grid Load",
        "gridwatch-anomalies": "Anomalies",
        "gridwatch-meter": "Meter Drill-Down",
        "gridwatch-fleet": "Fleet",
        "gridwatch-home": "Home Energy",
        "gridwatch-health": "System & Stream Health",
    }


@each_dashboard
def test_a_dashboard_is_named_by_its_uid_refreshes_and_leads_to_the_others(uid: str) -> None:
    board = DASHBOARDS[uid]
    assert board["uid"] == uid
    assert board["refresh"] == "10s"
    assert board["description"]
    [link] = board["links"]
    assert (link["type"], link["keepTime"]) == ("dashboards", True)
    assert set(link["tags"]) <= set(board["tags"])


@each_panel
def test_a_panel_says_what_it_shows_and_in_which_unit(uid: str, panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert len(panel["description"]) > 20
    assert panel["fieldConfig"]["defaults"]["unit"]


@each_panel
def test_a_panel_asks_a_source_that_is_provisioned(uid: str, panel: dict[str, Any]) -> None:
    sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
    for source in sources:
        assert f"uid: {source['uid']}\n    type: {source['type']}\n" in _provisioned("datasources")
    assert all(target.get("rawSql") or target.get("expr") for target in panel["targets"])


@each_dashboard
def test_panels_lie_beside_each_other_and_not_over_each_other(uid: str) -> None:
    cells = []
    for panel in DASHBOARDS[uid]["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        cells += list(
            itertools.product(
                range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])
            )
        )
    assert len(cells) == len(set(cells))


@each_dashboard
def test_panels_have_numbers_and_names_of_their_own(uid: str) -> None:
    for key in ("id", "title"):
        values = [panel[key] for panel in DASHBOARDS[uid]["panels"]]
        assert len(set(values)) == len(values)


def _links(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        url = node.get("url")
        if isinstance(url, str) and url:
            yield url
        for child in node.values():
            yield from _links(child)
    elif isinstance(node, list):
        for child in node:
            yield from _links(child)


def test_links_between_dashboards_lead_somewhere_and_escape_what_is_chosen() -> None:
    urls = [url for board in DASHBOARDS.values() for url in _links(board)]
    assert urls
    for url in urls:
        found = re.match(r"/d/([\w-]+)\?", url)
        assert found is not None, url
        target = DASHBOARDS[found[1]]
        names = {variable["name"] for variable in target["templating"]["list"]}
        assert set(re.findall(r"var-(\w+)=", url)) <= names
        assert re.search(r"var-(meter|region)=\$\{__value\.raw:percentencode\}$", url)


@pytest.mark.parametrize("query", list(panel_queries()), ids=str)
def test_queries_name_only_what_there_is(query: Any) -> None:
    common = set(re.findall(r"^\s*WITH RECURSIVE (\w+)", query.sql))
    # `now` is a name given in a query; subqueries begin with a bracket.
    asked = re.sub(r"\bextract\(\w+ FROM\b", "", query.sql)
    tables = set(re.findall(r"\b(?:FROM|JOIN) (?!now\b)([a-z_]\w*)(?! FROM)", asked)) - common
    tables -= {"jsonb_array_elements_text"}
    registry = {*(entity.table for entity in ENTITIES), "outbox"}
    assert tables <= {*(table.name for table in stored.TABLES), *stored.summaries(), *registry}
    board = DASHBOARDS[query.dashboard]
    variables = {variable["name"] for variable in board["templating"]["list"]}
    used = set(re.findall(r"\$\{?([a-z]\w*)", query.sql))
    assert used <= variables


@pytest.mark.parametrize("query", list(panel_queries()), ids=str)
def test_what_is_chosen_gets_into_a_query_quoted(query: Any) -> None:
    bare = re.findall(
        r"\$\{?(meter|flow|region|partition|window|kind|confidence|device|__timezone)\b(?!:sqlstring)",
        query.sql,
    )
    assert not bare


def test_metrics_have_their_declared_names() -> None:
    by_wall_clock = {metric.name for metric in SYSTEM_METRICS}
    told = {*EVENT_METRICS, *by_wall_clock}
    asked = {
        name
        for query in panel_queries()
        for listed in re.findall(r"metric (?:=|IN) (\([^)]*\)|'\w+')", query.sql)
        for name in re.findall(r"'(\w+)'", listed)
    }
    assert asked <= told
    assert by_wall_clock <= asked


def test_prometheus_is_asked_for_what_workers_offer() -> None:
    asked = {name for expr in _expressions() for name in re.findall(r"\b(gridwatch_\w+)", expr)}
    assert asked
    assert asked <= {metric.sample for metric in METRICS}


def test_what_is_added_up_over_partitions_is_of_one_stage_or_by_stage() -> None:
    """A record that two stages work on would count twice."""
    of_stages = {metric.sample for metric in METRICS if "stage" in metric.labels}
    added_up = [
        expr
        for expr in _expressions()
        if re.search(r"\b(sum|avg|count)\b", expr) and of_stages & set(re.findall(r"\bgridwatch_\w+", expr))
    ]
    assert added_up
    assert [expr for expr in added_up if "stage" not in expr] == []


def _expressions() -> list[str]:
    """What the dashboards ask of Prometheus."""
    return [
        target["expr"]
        for board in DASHBOARDS.values()
        for panel in board["panels"]
        for target in panel.get("targets", ())
        if "expr" in target
    ]


def test_variables_with_all_say_what_all_is() -> None:
    choices = [
        variable
        for board in DASHBOARDS.values()
        for variable in board["templating"]["list"]
        if variable.get("includeAll")
    ]
    assert {choice["name"] for choice in choices} == {
        *("region", "partition", "kind", "confidence", "device")
    }
    assert {choice["allValue"] for choice in choices} == {"'*'"}


def test_every_kind_severity_and_confidence_of_an_anomaly_is_shown() -> None:
    board = DASHBOARDS["gridwatch-anomalies"]
    offered = {variable["name"]: variable["query"] for variable in board["templating"]["list"]}
    assert offered["kind"].split(",") == list(get_args(AnomalyKind))
    types = {field.name: get_args(field.type) for field in msgspec.structs.fields(Anomaly)}
    assert set(offered["confidence"].split(",")) == set(types["confidence"])
    [strips] = [panel for panel in board["panels"] if panel["type"] == "state-timeline"]
    [mapping] = strips["fieldConfig"]["defaults"]["mappings"]
    assert [state["text"] for state in mapping["options"].values()] == ["", *types["severity"]]
    ranked = "ARRAY[" + ", ".join(f"'{severity}'" for severity in types["severity"]) + "]"
    assert ranked in strips["targets"][0]["rawSql"]
    [by_severity] = [panel for panel in board["panels"] if panel["title"] == "Open by severity"]
    assert set(re.findall(r'AS "(\w+)"', by_severity["targets"][0]["rawSql"])) == set(types["severity"])


def test_anomalies_of_the_meter_are_marked_on_its_plot_alone() -> None:
    board = DASHBOARDS["gridwatch-anomalies"]
    [annotation] = board["annotations"]["list"]
    [power] = [panel for panel in board["panels"] if panel["title"].startswith("Power and anomalies")]
    assert annotation["filter"] == {"exclude": False, "ids": [power["id"]]}
    assert power["fieldConfig"]["defaults"].get("min") is None  # feed-in is below zero
