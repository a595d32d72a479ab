"""On plain PostgreSQL: what is printed about TimescaleDB, and how rows that are too old are removed."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg2
import pytest

from gridwatch.cli import run
from gridwatch.cli.doctor.databases import check_database
from gridwatch.embedded import EmbeddedPostgres
from gridwatch.errors import GridwatchError
from gridwatch.settings import load_settings
from sinks import tables
from sinks.database import connect, read_url
from sinks.schema.extension import create_if_possible, limitation
from sinks.schema.retention import maintain
from sinks.schema.storage import Storage
from sinks.schema.version import migrate
from tests.integration.dashboard_data import Period, write

pytestmark = pytest.mark.integration

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
OLD = Period(NOW - timedelta(days=100), NOW - timedelta(days=99), NOW - timedelta(days=99))
NEW = Period(NOW - timedelta(days=1), NOW, NOW)


@pytest.fixture
def server(postgres: EmbeddedPostgres) -> Iterator[Any]:
    session = psycopg2.connect(postgres.url)
    session.autocommit = True
    with session.cursor() as cursor:
        yield cursor
    session.close()


@pytest.fixture
def empty(postgres: EmbeddedPostgres, server: Any) -> Iterator[str]:
    name = f"plain_{uuid.uuid4().hex[:12]}"
    server.execute(f"CREATE DATABASE {name}")
    yield read_url(postgres.url).set(database=name).render_as_string(hide_password=False)
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def counts(url: str) -> dict[str, int]:
    with connect(url) as connection:
        return {
            table.name: connection.exec_driver_sql(f"SELECT count(*) FROM {table.name}").scalar_one()
            for table in tables.TABLES
        }


def test_a_server_without_the_extension_is_left_as_it_is(empty: str) -> None:
    assert create_if_possible(empty) == ""
    _, after = migrate(empty)
    assert after.kind.timescaledb is None
    assert after.note == ""


def test_an_extension_without_permission_is_reported_and_the_schema_stays_plain(
    empty: str, server: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    user = f"u_{uuid.uuid4().hex[:12]}"
    database = read_url(empty).database
    server.execute(f"CREATE ROLE {user} LOGIN PASSWORD 'sekret'")
    server.execute(f"ALTER DATABASE {database} OWNER TO {user}")
    url = read_url(empty).set(username=user, password="sekret").render_as_string(hide_password=False)
    # Stands for TimescaleDB on a server that lets only its administrator create it.
    monkeypatch.setattr(
        "sinks.schema.version.create_if_possible", lambda url: create_if_possible(url, "file_fdw")
    )
    monkeypatch.setenv("GRIDWATCH_DATABASE_URL", url)
    assert run(["db", "migrate"]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("PostgreSQL ")
    assert "permission denied" in printed.err
    assert "CREATE EXTENSION file_fdw" in printed.err
    assert "sekret" not in printed.err
    server.execute(f"ALTER DATABASE {database} OWNER TO CURRENT_USER")


def test_an_extension_that_is_not_created_in_the_database_is_reported(
    empty: str, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    migrate(empty)
    # Stands for TimescaleDB, installed after the schema was made.
    monkeypatch.setattr("sinks.schema.extension.EXTENSION", "file_fdw")
    monkeypatch.setenv("GRIDWATCH_DATABASE_URL", empty)
    assert run(["db", "status"]) == 0
    assert "not in this database" in capsys.readouterr().err
    kind = check_database(load_settings())[0]
    assert kind.ok
    assert "not in this database" in kind.message
    assert kind.details["note"]


def test_a_timescaledb_that_is_too_old_is_not_used(empty: str) -> None:
    with connect(empty) as connection:
        assert "2.11 is needed" in limitation(connection, "2.10.3")
        assert limitation(connection, None) == ""


def test_rows_past_their_retention_are_deleted_in_batches(empty: str) -> None:
    migrate(empty)
    write(empty, NEW)
    fresh = counts(empty)
    write(empty, OLD)
    both = counts(empty)
    batches: list[int] = []
    storage = Storage(retention=timedelta(days=30), homelab_retention=timedelta(days=30))
    removed = maintain(empty, storage, batch_rows=50, on_deleted=lambda table, rows: batches.append(rows))
    assert removed == {table: both[table] - fresh[table] for table in both if table != "metrics"}
    assert max(batches) == 50
    assert counts(empty) == {**fresh, "metrics": both["metrics"]}
    maintain(empty, Storage(metrics_retention=timedelta(days=30)))
    assert counts(empty) == fresh


def test_without_retention_nothing_is_removed(
    empty: str, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    migrate(empty)
    write(empty, OLD)
    there = counts(empty)
    monkeypatch.setenv("GRIDWATCH_DATABASE_URL", empty)
    for name in ("AGGREGATES_1M", "AGGREGATES_15M", "REGIONAL", "HOMELAB"):
        monkeypatch.setenv(f"GRIDWATCH_{name}_RETENTION", "none")
    assert run(["db", "maintain"]) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert counts(empty) == there
    monkeypatch.setenv("GRIDWATCH_RETENTION", "30d")
    assert run(["db", "maintain", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["gap_alerts"] == there["gap_alerts"]


def test_windows_the_load_of_regions_and_measurements_of_a_home_have_an_age_by_default(empty: str) -> None:
    migrate(empty)
    write(empty, NEW)
    fresh = counts(empty)
    write(empty, OLD)
    both = counts(empty)
    removed = maintain(empty, Storage(homelab_retention=timedelta(days=50)))
    assert removed.keys() == {
        *("aggregates_1m", "aggregates_15m", "regional_aggregates_15m"),
        *("energy_readings", "heatpump_readings", "temperature_readings", "homelab_dead_letters"),
    }
    assert removed == {table: both[table] - fresh[table] for table in removed}
    assert all(removed.values())


def test_a_database_without_the_schema_is_not_maintained(empty: str) -> None:
    with pytest.raises(GridwatchError, match="schema missing"):
        maintain(empty, Storage(retention=timedelta(days=30)))
