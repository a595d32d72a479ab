"""Steps of the tests on TimescaleDB: rows are written by the sink's own writer, policies run, tables read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from sqlalchemy import Connection, text

from sinks import tables
from sinks.connection import SinkConnection
from sinks.database import connect, open_engine
from sinks.migrations import VERSION_TABLE
from sinks.migrations.versions import v0001_tables
from sinks.migrations.versions.v0001_tables import GAP_SUMMARY, LATE_SUMMARY
from sinks.migrations.versions.v0006_flows import METRICS_SUMMARY
from sinks.migrations.versions.v0006_flows import TABLES as TABLES_OF_FLOWS
from sinks.migrations.versions.v0010_homelab import ENERGY_SUMMARY, HEATPUMP_SUMMARY, TEMPERATURE_SUMMARY
from sinks.schema import timescale, version
from sinks.schema.storage import Storage
from sinks.schema.version import migrate
from sinks.tables.metrics import METRICS
from sinks.tables.table import Compression, DatabaseTable, Summary, TopicTable
from sinks.tables.validated_readings import READING_REVISIONS
from sinks.writer import Writer
from tests.integration.dashboard_data import Period, rows

Contents = dict[str, Any]
#: Rows of one INSERT: the engine takes no COPY, and no message that comes in more than one piece.
_ROWS = 50
#: With it policies leave every row, however old.
KEPT = Storage(
    aggregates_1m_retention=None,
    aggregates_15m_retention=None,
    regional_retention=None,
    homelab_retention=None,
)
_ESCAPED = {"\\\\": "\\", "\\t": "\t", "\\n": "\n", "\\r": "\r", "\\b": "\b", "\\f": "\f", "\\v": "\v"}
#: What each summary is to say, on the same rows.
PLAIN = {
    name: re.sub(rf"^\s*CREATE VIEW {name} AS", "", statement)
    for name, statement in zip(
        tables.summaries(),
        (
            *(GAP_SUMMARY, LATE_SUMMARY, METRICS_SUMMARY),
            *(ENERGY_SUMMARY, HEATPUMP_SUMMARY, TEMPERATURE_SUMMARY),
        ),
        strict=True,
    )
}


def _value(copied: str) -> str | None:
    return None if copied == "\\N" else re.sub(r"\\.", lambda found: _ESCAPED[found[0]], copied)


def _stage_by_insert(cursor: Any, table: TopicTable, copy_text: bytes) -> int:
    """What `SinkConnection` does with COPY."""
    lines = [
        tuple(_value(field) for field in line.split("\t")) for line in copy_text.decode().split("\n")[:-1]
    ]
    head = table.copy.removeprefix("COPY ").removesuffix(" FROM STDIN")
    for first in range(0, len(lines), _ROWS):
        some = lines[first : first + _ROWS]
        marks = ", ".join(["(" + ", ".join(["%s"] * len(some[0])) + ")"] * len(some))
        cursor.execute(f"INSERT INTO {head} VALUES {marks}", [value for line in some for value in line])
    return len(lines)


@contextmanager
def writer_to(url: str) -> Iterator[Writer]:
    """The sink's writer, but for COPY. The engine has one session for all connections: the temporary tables
    of the one before are there still."""
    with connect(url) as connection:
        for table in tables.fed_by_topics():
            connection.exec_driver_sql(f"DROP TABLE IF EXISTS pg_temp.{table.staging_table}")
    writer = Writer(url)
    with patch.object(SinkConnection, "_stage", staticmethod(_stage_by_insert)):
        yield writer
        writer.disconnect()


def write(url: str, periods: Sequence[Period]) -> None:
    """The data of the dashboards' tests, as the sink writes it."""
    with writer_to(url) as writer:
        for period in periods:
            assert writer.write(rows(period)) == []


def migrate_to_plain(url: str) -> None:
    """The schema as it is where nobody has the extension."""
    with (
        patch.object(version, "create_if_possible", lambda url: ""),
        patch.object(timescale, "apply", lambda connection, storage: None),
    ):
        migrate(url)


#: Tables that revision 0002 did not have.
LATER_TABLES = (
    *("aggregates_1m", "aggregates_15m", "regional_aggregates_15m", "incidents", "anomalies"),
    *("energy_readings", "heatpump_readings", "temperature_readings", "homelab_dead_letters"),
)
#: What undoes the last revisions.
_BACK_TO_0002 = (
    "DROP VIEW energy_hourly, heatpump_hourly, temperature_hourly",
    f"DROP TABLE {', '.join(LATER_TABLES)}",
    "DROP TABLE meters, regions, planned_outages, outbox, api_keys",
    "DROP VIEW metrics_summary_hourly",
    *(f"ALTER TABLE {table} DROP COLUMN flow" for table in TABLES_OF_FLOWS),
    v0001_tables.METRICS_SUMMARY,
    "ALTER TABLE reading_revisions ADD CONSTRAINT reading_revisions_pkey"
    ' PRIMARY KEY (meter_id, "time", source_partition, source_offset, source_index)',
    *(
        f"ALTER TABLE {table} DROP COLUMN interval_seconds, DROP COLUMN received_at, DROP COLUMN calendar,"
        " ALTER COLUMN interval_minutes TYPE integer"
        for table in ("validated_readings", "reading_revisions", "gap_alerts")
    ),
    *(
        f"ALTER TABLE {table} DROP COLUMN energy_register_kwh, DROP COLUMN energy_from"
        for table in ("validated_readings", "reading_revisions")
    ),
    # Gone with the column that they include: metrics_values, validated_readings_late.
    """CREATE INDEX validated_readings_late ON validated_readings ("time") INCLUDE (delay_seconds)
    WHERE status = 'LATE'""",
    'CREATE INDEX metrics_metric_time ON metrics (metric, "time" DESC)',
    f"UPDATE {VERSION_TABLE} SET version_num = '0002'",
)


#: What TimescaleDB had of the tables whose columns of today were not there.
_OLDER: dict[str, DatabaseTable] = {
    "metrics": replace(
        METRICS,
        summaries=(
            Summary(
                "metrics_summary_hourly",
                """
        SELECT time_bucket(INTERVAL '1 hour', "time") AS bucket, metric, avg(value) AS avg_value,
               min(value) AS min_value, max(value) AS max_value, sum(value) AS sum_value, count(*) AS samples
        FROM metrics GROUP BY 1, 2""",
            ),
        ),
    ),
    "reading_revisions": replace(
        READING_REVISIONS,
        compression=Compression("meter_id", '"time" DESC, source_partition, source_offset, source_index'),
    ),
}


def make_older(url: str) -> None:
    """Make of a plain database one of an older gridwatch, with its rows, on TimescaleDB."""
    with connect(url) as connection:
        for statement in _BACK_TO_0002:
            connection.exec_driver_sql(statement)
    assert version.create_if_possible(url) == ""
    older = tuple(_OLDER.get(table.name, table) for table in tables.TABLES if table.name not in LATER_TABLES)
    with connect(url) as connection, patch.object(tables, "TABLES", older):
        timescale.apply(connection, Storage())


@contextmanager
def alone(url: str) -> Iterator[Connection]:
    """A connection outside any transaction, for procedures that commit."""
    with open_engine(url).connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


def run_policies(url: str, proc_name: str = "policy%") -> int:
    """Run every policy whose procedure is named so, as the scheduler would; gives their number."""
    with alone(url) as connection:
        jobs = connection.execute(
            text("SELECT job_id FROM timescaledb_information.jobs WHERE proc_name LIKE :name"),
            {"name": proc_name},
        ).all()
        for (job,) in jobs:
            connection.exec_driver_sql(f"CALL run_job({job})")
    return len(jobs)


def compressed_chunks(url: str) -> dict[str, int]:
    """Number of compressed chunks by table."""
    with connect(url) as connection:
        found = connection.execute(
            text(
                "SELECT hypertable_name, count(*) FROM timescaledb_information.chunks"
                " WHERE is_compressed GROUP BY 1"
            )
        )
        return {str(table): int(number) for table, number in found}


def unpacked_chunks(url: str) -> int:
    """Number of compressed chunks of which some rows had to be unpacked."""
    with connect(url) as connection:
        return int(
            connection.scalar(text("SELECT count(*) FROM _timescaledb_catalog.chunk WHERE status & 8 = 8"))
            or 0
        )


def contents(url: str) -> Contents:
    """A fingerprint of each table's rows."""
    with connect(url) as connection:
        return {
            table.name: connection.scalar(
                text(
                    'SELECT md5(string_agg(t::text, chr(10) ORDER BY t::text COLLATE "C"))'
                    f" FROM {table.name} AS t"
                )
            )
            for table in tables.TABLES
        }


def summaries(url: str) -> Contents:
    """The rows of each summary."""
    return _asked(url, {view: f"SELECT * FROM {view}" for view in tables.summaries()})


def summaries_by_plain_sql(url: str) -> Contents:
    """What they are to be."""
    return _asked(url, PLAIN)


def _asked(url: str, questions: dict[str, str]) -> Contents:
    with connect(url) as connection:
        return {
            name: sorted(tuple(row) for row in connection.exec_driver_sql(question))
            for name, question in questions.items()
        }


def columns(url: str) -> list[Any]:
    """Name and type of each column of the summaries."""
    with connect(url) as connection:
        found = connection.execute(
            text(
                "SELECT table_name, column_name, data_type FROM information_schema.columns"
                " WHERE table_name = ANY (:views) ORDER BY table_name, ordinal_position"
            ),
            {"views": list(tables.summaries())},
        )
        return [tuple(row) for row in found]
