"""Questions to the database and to Prometheus, in the shape in which Grafana keeps them.

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

#: What a variable with "All" holds then: a literal of its own, as it is put in without quotes.
ALL = "'*'"
#: Stands for meters that come without a region.
NO_REGION = "(none)"

REGION_CHOSEN = (
    f"({ALL} IN (${{region:sqlstring}}) OR coalesce(region, '{NO_REGION}') IN (${{region:sqlstring}}))"
)


def partition_chosen(column: str = "partition") -> str:
    """The condition that the variable `partition` sets on a column."""
    return f"({ALL} IN (${{partition:sqlstring}}) OR {column}::text IN (${{partition:sqlstring}}))"


def grouped(by: str = "$__interval") -> str:
    """The start of the group of length `by` that a row's time falls into, counted from the epoch: the groups
    of Grafana's $__timeGroup, at a fraction of what that costs on plain PostgreSQL."""
    return f"date_bin('{by}', \"time\", 'epoch') AS \"time\""


METER_CHOSEN = "meter_id = ${meter:sqlstring}"


@dataclass
class SqlQuery(Dataquery):
    """One question in SQL. `format` is "time_series" (columns time, metric, values) or "table"."""

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
    """A question whose rows are marks or regions on plots: `time`, `timeend`, `text`, `tags`."""

    def to_json(self) -> dict[str, object]:
        """With what Grafana's schema wants of every annotation, and only its own data source reads."""
        return {**super().to_json(), "limit": 100, "matchAny": False, "tags": [], "type": "dashboard"}


@dataclass
class PrometheusQuery(Dataquery):
    """One question in PromQL; `legend` names its series, `{{label}}` standing for a label's value."""

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


class Asked(Builder[Dataquery]):
    """A query as the SDK's panels take it."""

    def __init__(self, query: Dataquery) -> None:
        self._query = query

    def build(self) -> Dataquery:
        """The query."""
        return self._query
