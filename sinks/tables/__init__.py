"""The tables that the sink writes: one file a table (a home's in `homelab/`), and here the list of them.

A new table is a file with its declaration (fields in `table.py`), a line in `TABLES`, and a migration that
creates it. Everything else iterates over the list: the sink's topics, staging tables, COPY and merge,
TimescaleDB, retention, and the comparison of two runs.
"""

from __future__ import annotations

from collections.abc import Iterable

from gridwatch.topics import DEFAULT_FLOW, Flow, flow, flow_of
from sinks.tables.aggregates import AGGREGATES_1M, AGGREGATES_15M
from sinks.tables.anomalies import ANOMALIES
from sinks.tables.dead_letters import DEAD_LETTERS
from sinks.tables.gap_alerts import GAP_ALERTS
from sinks.tables.homelab.dead_letters import HOMELAB_DEAD_LETTERS
from sinks.tables.homelab.energy import ENERGY_READINGS
from sinks.tables.homelab.heatpump import HEATPUMP_READINGS
from sinks.tables.homelab.temperature import TEMPERATURE_READINGS
from sinks.tables.incidents import INCIDENTS
from sinks.tables.late_events import LATE_EVENTS
from sinks.tables.metrics import METRICS
from sinks.tables.regional_aggregates_15m import REGIONAL_AGGREGATES_15M
from sinks.tables.table import DatabaseTable, DerivedTable, TopicTable
from sinks.tables.validated_readings import READING_REVISIONS, VALIDATED_READINGS

#: Every table. Rows are merged in this order, so that two sinks cannot deadlock.
TABLES: tuple[DatabaseTable, ...] = (
    VALIDATED_READINGS,
    READING_REVISIONS,
    GAP_ALERTS,
    LATE_EVENTS,
    METRICS,
    DEAD_LETTERS,
    AGGREGATES_1M,
    AGGREGATES_15M,
    ANOMALIES,
    REGIONAL_AGGREGATES_15M,
    INCIDENTS,
    ENERGY_READINGS,
    HEATPUMP_READINGS,
    TEMPERATURE_READINGS,
    HOMELAB_DEAD_LETTERS,
)


def fed_by_topics() -> tuple[TopicTable, ...]:
    """The tables whose rows are the records of a topic."""
    return tuple(table for table in TABLES if isinstance(table, TopicTable))


def topics(flows: Iterable[str] = (DEFAULT_FLOW,)) -> tuple[str, ...]:
    """The names of the topics that a sink of these flows reads; the default one has what exists once, too."""
    return tuple(
        table.topic_of(flow(name)).name
        for name in flows
        for table in fed_by_topics()
        if table.of_flows or name == DEFAULT_FLOW
    )


def of_topic(topic: str) -> TopicTable:
    """The table that the records of a topic go to. KeyError when there is none."""
    return source_of(topic)[1]


def source_of(topic: str) -> tuple[Flow, TopicTable]:
    """The flow of a topic, and the table that its records go to. KeyError when there is none."""
    fed = {
        table.topic.name: table for table in fed_by_topics() if table.of_flows or table.topic.name == topic
    }
    of, declared = flow_of(topic, [table.topic for table in fed.values()])
    return of, fed[declared.name]


def derived_from(source: TopicTable) -> tuple[DerivedTable, ...]:
    """The tables that are filled with a selection of another table's rows."""
    return tuple(table for table in TABLES if isinstance(table, DerivedTable) and table.source is source)


def summaries() -> tuple[str, ...]:
    """The hourly summaries: ordinary views on PostgreSQL, continuous aggregates on TimescaleDB."""
    return tuple(summary.name for table in TABLES for summary in table.summaries)
