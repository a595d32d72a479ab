"""Queries to the database and to Prometheus, in the format of Grafana's JSON.

Grafana puts in its variables first and its macros ($__timeFilter and the like) after that. Whatever comes
from a variable is written `${name:sqlstring}`, which quotes it: meter ids are anybody's text.
"""

from __future__ import annotations

from dataclasses import dataclass

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.common import DataSourceRef

POSTGRES = DataSourceRef(type_val="grafana-postgresql-datasource", uid="gridwatch-postgres")
PROMETHEUS = DataSourceRef(type_val="prometheus", uid="gridwatch-prometheus")

#: The value of a variable for "All": a quoted literal, as Grafana inserts it verbatim.
ALL = "'*'"
#: Shown for meters without a region.
NO_REGION = "(none)"

REGION_CHOSEN = (
    f"({ALL} IN (${{region:sqlstring}}) OR coalesce(region, '{NO_REGION}') IN (${{region:sqlstring}}))"
)


def chosen(variable: str, column: str) -> str:
    """The condition that a variable of some or all values sets on a column that is never NULL."""
    return f"({ALL} IN (${{{variable}:sqlstring}}) OR {column} IN (${{{variable}:sqlstring}}))"


#: One flow at a time: watermarks, lags and partitions of several do not add up.
FLOW_CHOSEN = "flow = ${flow:sqlstring}"


def partition_chosen(column: str = "partition") -> str:
    """The condition that the variables `flow` and `partition` set, the latter on a column."""
    partition = f"({ALL} IN (${{partition:sqlstring}}) OR {column}::text IN (${{partition:sqlstring}}))"
    return f"{FLOW_CHOSEN} AND {partition}"


def grouped(by: str = "$__interval") -> str:
    """The start of the group of length `by` that a row's time falls into, counted from the epoch.

    The same groups as Grafana's $__timeGroup, at a fraction of its cost on plain PostgreSQL.
    """
    return f"date_bin('{by}', \"time\", 'epoch') AS \"time\""


METER_CHOSEN = "meter_id = ${meter:sqlstring}"

#: Lengths are in seconds: Grafana shows them in a unit that fits, but ten seconds in minutes as 0.167 min.
#: Rows of a version before `interval_seconds` have minutes only.
INTERVAL_SECONDS = "coalesce(interval_seconds, interval_minutes * 60)"
GAP_SECONDS = "round(gap_minutes * 60)"


@dataclass
class SqlQuery(Dataquery):
    """A query in SQL. `format` is "time_series" (columns time, metric, values) or "table"."""

    sql: str
    format: str
    ref_id: str = "A"

    def to_json(self) -> dict[str, object]:
        """As Grafana's PostgreSQL data source reads it."""
        return {
            "refId": self.ref_id,
            "datasource": POSTGRES,
            "format": self.format,
            "rawQuery": True,
            "editorMode": "code",
            "rawSql": self.sql.strip(),
        }


@dataclass
class AnnotationQuery(SqlQuery):
    """A query whose rows are marks or regions on plots: `time`, `timeend`, `text`, `tags`."""

    def to_json(self) -> dict[str, object]:
        """With the fields that Grafana's schema requires of every annotation."""
        return {**super().to_json(), "limit": 100, "matchAny": False, "tags": [], "type": "dashboard"}


@dataclass
class PrometheusQuery(Dataquery):
    """A query in PromQL; `legend` names its series, with `{{label}}` for a label's value."""

    expr: str
    legend: str
    ref_id: str = "A"

    def to_json(self) -> dict[str, object]:
        """As Grafana's Prometheus data source reads it."""
        return {
            "refId": self.ref_id,
            "datasource": PROMETHEUS,
            "editorMode": "code",
            "range": True,
            "expr": self.expr,
            "legendFormat": self.legend,
        }


class QueryBuilder(Builder[Dataquery]):
    """Wraps a query as a builder, as the SDK's panels expect."""

    def __init__(self, query: Dataquery) -> None:
        self._query = query

    def build(self) -> Dataquery:
        """The query."""
        return self._query
