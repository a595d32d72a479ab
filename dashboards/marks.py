"""Regions and marks on plots over time: Grafana's annotations, from SQL."""

from __future__ import annotations

from typing import Any, cast

from grafana_foundation_sdk.builders.dashboard import AnnotationQuery as Annotation
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import AnnotationPanelFilter, AnnotationTarget

from dashboards.queries import POSTGRES, AnnotationQuery


class _Built(Builder[Any]):
    """Wraps a finished part as a builder, as the SDK expects."""

    def __init__(self, part: Any) -> None:
        self._part = part

    def build(self) -> Any:
        """The part."""
        return self._part


def marks(name: str, sql: str, color: str, *panels: int) -> Annotation:
    """What the rows of a query mark: on the panels of these ids, without any on all plots over time."""
    annotation = Annotation().name(name).datasource(POSTGRES).enable(True).icon_color(color)
    if panels:
        annotation.filter(_Built(AnnotationPanelFilter(exclude=False, ids=list(panels))))
    # The SDK types only the targets of Grafana's own annotations; a query works as well.
    target = cast(AnnotationTarget, cast(Any, AnnotationQuery(sql, "table", "Anno")))
    return annotation.target(_Built(target))
