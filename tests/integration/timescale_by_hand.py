"""By hand, on a database that has TimescaleDB: `python -m tests.integration.timescale_by_hand URL`.

Not one of the tests that run by themselves: there is no TimescaleDB among the Python packages. URL leads to
an EMPTY database; everything is made in it: the plain schema, with rows, which then becomes TimescaleDB's.
`timescale_pglite.mjs` runs one; it takes no COPY, so rows go in by plain INSERT and the sink's writer is not
tried. Prints each rule as it is found to hold; ends with an AssertionError at the first that does not.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any
from unittest.mock import patch

from sqlalchemy import Connection, text

from dashboards.expansion import Raw, View, expand, questions
from sinks import schema_version, timescale
from sinks.database import connect, open_engine
from sinks.schema import VIEWS, metadata
from sinks.schema_version import migrate, status
from sinks.targets import TARGETS
from sinks.timescale import Storage, read_standing, statements
from tests.integration.dashboard_data import Period, records

NOW = datetime.now(timezone.utc).replace(minute=0, second=0, microsecond=0)
#: Old enough that some of it is compressed, young enough that some is not.
PERIODS = (
    Period(NOW - timedelta(days=100), NOW - timedelta(days=99), NOW - timedelta(days=99)),
    Period(NOW - timedelta(days=2), NOW, NOW),
)
ALL = Raw("'*'")
VIEW = View(
    PERIODS[0].start,
    NOW,
    {"meter": "O'Brien", "region": ALL, "partition": ALL, "interval": "1h"},
    timescaledb=True,
)


def holds(rule: str) -> None:
    print(f"holds: {rule}", flush=True)


def insert(connection: Connection) -> None:
    """The rows as the sink stages and merges them, but for COPY."""
    for target in TARGETS.values():
        # PGlite has one session for all connections: the table may be there.
        connection.exec_driver_sql(target.create_stage.replace("TABLE", "TABLE IF NOT EXISTS", 1))
        for period in PERIODS:
            rows = target.columns(records(period)[target.topic])
            names = ", ".join(f'"{name}"' for name in rows)
            for line in zip(*rows.values(), strict=True):
                values = ", ".join(_literal(value) for value in line)
                connection.exec_driver_sql(
                    f"INSERT INTO {target.stage} ({names}) VALUES ({values})".replace("%", "%%"), ()
                )
        for statement in (*target.merge, *target.merge_repeated):
            connection.exec_driver_sql(statement)


def _literal(copied: str) -> str:
    if copied == "\\N":
        return "NULL"
    return "'" + copied.replace("\\\\", "\\").replace("'", "''") + "'"


@contextmanager
def alone(url: str) -> Iterator[Connection]:
    """A connection outside any transaction, for procedures that commit."""
    with open_engine(url).connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


def contents(url: str) -> dict[str, Any]:
    with connect(url) as connection:
        return {
            table: connection.scalar(
                text(
                    f'SELECT md5(string_agg(t::text, chr(10) ORDER BY t::text COLLATE "C")) FROM {table} AS t'
                )
            )
            for table in metadata.tables
        }


def summaries(url: str) -> dict[str, list[Any]]:
    with connect(url) as connection:
        return {
            view: [tuple(row) for row in connection.execute(text(f"SELECT * FROM {view} ORDER BY 1, 2"))]
            for view in VIEWS
        }


def columns(url: str) -> list[Any]:
    with connect(url) as connection:
        found = connection.execute(
            text(
                "SELECT table_name, column_name, data_type FROM information_schema.columns"
                " WHERE table_name = ANY (:views) ORDER BY table_name, ordinal_position"
            ),
            {"views": list(VIEWS)},
        )
        return [tuple(row) for row in found]


def main(url: str) -> None:
    assert status(url).state == "missing", "the database has to be empty"
    with (
        patch.object(schema_version, "create_if_possible", lambda url: ""),
        patch.object(timescale, "apply", lambda connection, storage: None),
    ):
        migrate(url)
    with connect(url) as connection:
        insert(connection)
    before, plain, shape = contents(url), summaries(url), columns(url)
    assert all(before.values()) and all(plain.values())

    _, after = migrate(url)
    print(after.kind)
    assert after.kind.timescaledb and after.note == ""
    assert contents(url) == before
    holds("a plain database becomes one of TimescaleDB with every row")
    assert columns(url) == shape
    assert summaries(url) == plain
    holds("summaries have the columns and rows of the plain views, before any refresh")

    with connect(url) as connection:
        standing = read_standing(connection)
        assert standing.complete
        left = list(statements(standing, Storage()))
        assert all("set_chunk_time_interval" in statement for statement in left), left
    migrate(url)
    holds("a second migration finds nothing to do")

    with alone(url) as connection:
        jobs = connection.execute(
            text("SELECT job_id FROM timescaledb_information.jobs WHERE job_id >= 1000")
        )
        for (job,) in list(jobs):
            connection.exec_driver_sql(f"CALL run_job({job})")
        packed = connection.scalar(
            text("SELECT count(*) FROM timescaledb_information.chunks WHERE is_compressed")
        )
    assert packed, "no chunk was compressed"
    assert contents(url) == before
    assert summaries(url) == plain
    holds(f"policies run: {packed} chunks compressed, rows and summaries as before")

    with connect(url) as connection:
        insert(connection)
    assert contents(url) == before
    holds("the same rows again change nothing, in compressed chunks neither")
    with connect(url) as connection:
        for table in metadata.tables.values():
            key = ", ".join(f'"{column.name}"' for column in table.primary_key)
            connection.exec_driver_sql(
                f"INSERT INTO {table.name} SELECT * FROM {table.name} ON CONFLICT ({key})"
                f' DO UPDATE SET "time" = excluded."time"'
            )
        connection.exec_driver_sql("UPDATE gap_alerts SET state = 'RETRACTED' WHERE meter_id = 'METER_0001'")
    with alone(url) as connection:
        for view in VIEWS:
            connection.exec_driver_sql(f"CALL refresh_continuous_aggregate('{view}', NULL, NULL)")
    with connect(url) as connection:
        wrong = connection.execute(
            text(
                "SELECT date_trunc('hour', \"time\", 'UTC') AS bucket, count(*), count(DISTINCT meter_id)"
                " FROM gap_alerts WHERE state <> 'RETRACTED' GROUP BY 1"
                " EXCEPT SELECT bucket, gaps, meters FROM gap_summary_hourly"
            )
        ).all()
    assert wrong == []
    holds("what changes in old chunks gets into the summaries at the next refresh")

    for question in questions():
        for view in (VIEW, replace(VIEW, timescaledb=False)):
            with connect(url) as connection:
                rows = connection.exec_driver_sql(expand(question.sql, view).replace("%", "%%"), ()).all()
        if question.dashboard != "gridwatch-health":
            assert rows, question
    holds("every question of the dashboards has an answer, with TimescaleDB's buckets and without")

    kept = Storage(retention=timedelta(days=30), metrics_retention=timedelta(days=10))
    migrate(url, kept)
    with connect(url) as connection:
        dropped = read_standing(connection).dropped_after
    assert {name for name, age in dropped.items() if age == timedelta(days=10)} == {
        "metrics",
        "metrics_summary_hourly",
    }
    assert len(dropped) == len(metadata.tables) + len(VIEWS)
    with alone(url) as connection:
        jobs = connection.execute(
            text("SELECT job_id FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention'")
        )
        for (job,) in list(jobs):
            connection.exec_driver_sql(f"CALL run_job({job})")
        oldest = connection.scalar(text('SELECT min("time") FROM validated_readings'))
    assert oldest > NOW - timedelta(days=40)
    migrate(url)
    with connect(url) as connection:
        assert read_standing(connection).dropped_after == {}
    holds("retention comes with its settings, drops old chunks, and goes with them")


if __name__ == "__main__":
    main(sys.argv[1])
