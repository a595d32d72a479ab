"""Expands the queries of a dashboard as Grafana does: variables and macros become plain SQL.

For tests and measurements; Grafana does it by itself. The rules are those of its template variables
(`sqlstring` quotes, "All" with a value of its own is inserted verbatim) and of the macros of its
PostgreSQL data source, which uses TimescaleDB's bucket function if configured.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

JSON_FOLDER = Path(__file__).with_name("json")

_VARIABLE = re.compile(r"\$\{(\w+)(?::(\w+))?\}|\$(\w+)(?!\w*\()")
_MACRO = re.compile(r"\$([_a-zA-Z0-9]+)\(([^)]*)\)")
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


@dataclass(frozen=True)
class Raw:
    """The value of a variable that is inserted verbatim, whatever its format: a custom "All"."""

    text: str


Value = str | Sequence[str] | Raw


@dataclass(frozen=True)
class View:
    """The time range and the variables' values that a reader chose, and the options of the data source."""

    start: datetime
    end: datetime
    variables: Mapping[str, Value] = field(default_factory=dict)
    interval: str = "10s"
    zone: str = "UTC"
    search: str = ""
    timescaledb: bool = False


@dataclass(frozen=True)
class PanelQuery:
    """A query of a dashboard: of a panel, a variable or an annotation."""

    dashboard: str
    title: str
    sql: str

    def __str__(self) -> str:
        return f"{self.dashboard}: {self.title}"


def expand(sql: str, view: View) -> str:
    """The SQL with variables and macros expanded. KeyError for an unknown one.

    Macros are expanded in the values of variables, too: a meter whose id holds `$name(` cannot be selected.
    """
    known: dict[str, Value] = {
        "__interval": view.interval,
        "__timezone": view.zone,
        "__searchFilter": view.search.replace("'", "''") + "%",
        **view.variables,
    }

    def variable(found: re.Match[str]) -> str:
        name = found[1] or found[3]
        return _formatted(known[name], found[2])

    def macro(found: re.Match[str]) -> str:
        name = found[1]
        if name == "__timeGroup" and found.string[found.end() :].startswith(","):
            name = "__timeGroupAlias"
        return _evaluated(name, [part.strip(" ") for part in found[2].split(",")], view)

    return _MACRO.sub(macro, _VARIABLE.sub(variable, sql))


def _formatted(value: Value, form: str | None) -> str:
    if isinstance(value, Raw):
        return value.text
    values = [value] if isinstance(value, str) else value
    if form == "sqlstring":
        return ",".join("'" + one.replace("'", "''") + "'" for one in values)
    if form is not None or len(values) != 1:
        raise KeyError(f"no rule for the format {form!r} of {len(values)} values")
    return values[0]


def _evaluated(name: str, arguments: list[str], view: View) -> str:
    start, end = _instant(view.start), _instant(view.end)
    if name == "__timeFilter":
        return f"{arguments[0]} BETWEEN '{start}' AND '{end}'"
    if name == "__timeFrom":
        return f"'{start}'"
    if name == "__timeTo":
        return f"'{end}'"
    if name in ("__timeGroup", "__timeGroupAlias"):
        column, length = arguments
        seconds = _seconds(length.strip("'"))
        group = (
            f"time_bucket('{seconds:.3f}s',{column})"
            if view.timescaledb
            else f"floor(extract(epoch from {column})/{_short(seconds)})*{_short(seconds)}"
        )
        return f'{group} AS "time"' if name == "__timeGroupAlias" else group
    raise KeyError(f"no rule for the macro {name}")


def _seconds(length: str) -> float:
    matched = re.fullmatch(r"(\d+)(ms|[smhdw])", length)
    if matched is None:
        raise KeyError(f"{length!r} is no interval")
    return int(matched[1]) * _UNITS[matched[2]]


def _short(seconds: float) -> str:
    """A number as Go prints it: without a fraction if it is an integer."""
    return str(int(seconds)) if seconds == int(seconds) else repr(seconds)


def _instant(time: datetime) -> str:
    """RFC 3339 with milliseconds if there are any, as Grafana writes it."""
    text = time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    return text.rstrip("0").rstrip(".") + "Z"


def dashboards() -> dict[str, dict[str, Any]]:
    """The dashboards' JSON by uid, as Grafana reads it."""
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(JSON_FOLDER.glob("*.json"))
    }


def panel_queries() -> Iterator[PanelQuery]:
    """Every SQL query of every dashboard."""
    for uid, dashboard in dashboards().items():
        for variable in dashboard["templating"]["list"]:
            if variable["type"] == "query":
                yield PanelQuery(uid, f"variable {variable['name']}", variable["query"])
        for annotation in dashboard["annotations"].get("list", ()):
            yield PanelQuery(uid, f"annotation {annotation['name']}", annotation["target"]["rawSql"])
        for panel in dashboard["panels"]:
            for target in panel.get("targets", ()):
                if "rawSql" in target:
                    yield PanelQuery(uid, f"{panel['title']} {target['refId']}", target["rawSql"])
