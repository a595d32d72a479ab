"""Each table is declared once: its rows fit its columns, its keys merge, its settings exist."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from gridwatch.models.anomaly import Anomaly
from gridwatch.models.homelab import HomelabReading
from gridwatch.settings import Settings
from gridwatch.topics import (
    ANOMALIES,
    HOMELAB,
    INCIDENTS,
    OUTPUTS,
    REGIONAL_AGGREGATES,
    SMARTMETER,
    Topic,
    flow,
)
from sinks import tables
from sinks.tables.table import COMPUTED, DatabaseTable, TopicTable, metadata

#: A sink as it starts when the list has one more table; of its own process, for a Faust application is one.
_LISTED = """
from sinks import tables
from tests.further_table import REGIONAL_LOAD
tables.TABLES += (REGIONAL_LOAD,)
from sinks.app import app, sink
print(*sink.channel.topics)
print(*app.transport.unpacked)
"""

#: What exists once for all flows.
ONCE = (REGIONAL_AGGREGATES, INCIDENTS, *HOMELAB)

each_table = pytest.mark.parametrize("table", tables.TABLES, ids=lambda table: table.name)
each_of_a_topic = pytest.mark.parametrize("table", tables.fed_by_topics(), ids=lambda table: table.name)


def test_every_output_topic_is_stored() -> None:
    # Partials are the input of the stage `regions`, and nothing else.
    assert set(tables.topics()) == {topic.name for topic in (*OUTPUTS, *ONCE)}


def test_every_table_of_the_schema_is_in_the_list() -> None:
    assert sorted(table.name for table in tables.TABLES) == sorted(metadata.tables)


def test_a_topic_goes_to_one_table() -> None:
    assert len(set(tables.topics())) == len(tables.topics())
    for table in tables.fed_by_topics():
        assert tables.of_topic(table.topic.name) is table
    with pytest.raises(KeyError, match="no_such_topic"):
        tables.of_topic("no_such_topic")


def test_a_sink_of_several_flows_reads_the_topics_of_each() -> None:
    both = tables.topics(("smartmeter", "daily"))
    assert both == (*tables.topics(), *tables.topics(("daily",)))
    daily = flow("daily")
    for table in tables.fed_by_topics():
        if table.of_flows:
            assert tables.source_of(daily.of(table.topic).name) == (daily, table)


def test_what_exists_once_is_read_by_the_sink_of_the_default_flow_alone() -> None:
    once = {topic.name for topic in ONCE}
    assert set(tables.topics(("daily",))) == {topic.name for topic in flow("daily").outputs}
    assert once < set(tables.topics(("daily", "smartmeter")))
    for name in once:
        assert tables.source_of(name) == (SMARTMETER, tables.of_topic(name))
        with pytest.raises(KeyError, match=f"daily_{name}"):
            tables.source_of(f"daily_{name}")


def test_every_table_but_those_of_the_regions_and_of_a_home_says_the_flow_of_its_rows() -> None:
    once = [table.name for table in tables.TABLES if not table.of_flows]
    assert once == [
        *("regional_aggregates_15m", "incidents"),
        *("energy_readings", "heatpump_readings", "temperature_readings", "homelab_dead_letters"),
    ]


@each_of_a_topic
def test_ids_that_are_unique_inside_a_flow_are_columns(table: TopicTable) -> None:
    assert set(table.ids) <= set(table.sql.columns.keys())


def test_a_derived_table_comes_after_its_source() -> None:
    for source in tables.fed_by_topics():
        for derived in tables.derived_from(source):
            assert tables.TABLES.index(source) < tables.TABLES.index(derived)
            assert derived.staging_table == source.staging_table


@each_of_a_topic
def test_rows_have_the_columns_of_their_table_in_order(table: TopicTable) -> None:
    staged = [column.name for column in table.sql.columns if column.info != COMPUTED]
    assert list(table.copied([], SMARTMETER)) == staged
    named = ", ".join(f'"{name}"' for name in staged)
    assert table.copy == f"COPY {table.staging_table} ({named}) FROM STDIN"


@each_table
def test_time_is_part_of_every_key(table: DatabaseTable) -> None:
    assert table.time in table.sql.primary_key.columns


@pytest.mark.parametrize("topic", HOMELAB[:3], ids=lambda topic: topic.name)
def test_whatever_a_device_of_a_home_measures_is_a_column(topic: Topic) -> None:
    common = {field.name for field in msgspec.structs.fields(HomelabReading)}
    assert topic.model is not None
    measured = [field.name for field in msgspec.structs.fields(topic.model) if field.name not in common]
    columns = tables.of_topic(topic.name).sql.columns.keys()
    assert columns[: len(measured) + 2] == ["timestamp", "device_id", *measured]


@each_table
def test_rows_are_merged_by_key_in_a_way_that_compressed_chunks_accept(table: DatabaseTable) -> None:
    repeated = table.merge_repeated if isinstance(table, TopicTable) else ""
    for statement in filter(None, (table.merge, repeated)):
        assert statement.strip().startswith("INSERT INTO")
        assert "DO UPDATE SET" in statement  # DO NOTHING loses rows up to 2.19.0


@each_table
def test_the_settings_and_columns_that_a_table_names_exist(table: DatabaseTable) -> None:
    assert {table.chunk_interval, table.compress_after, table.retention} <= Settings.model_fields.keys()
    columns = set(table.sql.columns.keys())
    assert {*table.newer, *table.comparison.without, *table.comparison.masked} <= columns


def test_the_sink_reads_the_topic_of_every_table_in_the_list() -> None:
    finished = subprocess.run([sys.executable, "-c", _LISTED], capture_output=True, text=True, check=True)
    topics = [*tables.topics(), "test_regional_load"]
    assert [line.split() for line in finished.stdout.splitlines()] == [topics, topics]


def test_a_record_of_another_flow_has_its_flow_in_its_ids_alone() -> None:
    found = Anomaly(
        *("M1@T/SPIKE", "M1", "SPIKE", 1, "OPEN", None, "low", "high", "T", "T", "T", None),
        *("kW", 9.0, 1.5, 500.0, None, 3, "T"),
    )
    table = tables.of_topic(ANOMALIES.name)
    own, other = (table.copied([found], flow(name)) for name in (SMARTMETER.name, "daily"))
    assert {name for name in own if own[name] != other[name]} == {"anomaly_id", "flow"}
    assert (other["anomaly_id"], other["flow"]) == (["daily/M1@T/SPIKE"], ["daily"])
    assert own["reason"] == own["ended_at"] == own["region"] == ["\\N"]
