"""The migrations make the schema that `sinks/tables/` declares: once, atomically, one at a time."""

from __future__ import annotations

import threading
from typing import Any

import psycopg2
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from gridwatch.errors import GridwatchError
from sinks import tables
from sinks.database import connect
from sinks.migrations import VERSION_TABLE
from sinks.schema import version
from sinks.schema.version import known_revisions, migrate, require_current, status
from sinks.tables.table import metadata

pytestmark = pytest.mark.integration


def differences(url: str) -> list[Any]:
    """What the schema of a database has otherwise than it is declared."""

    # The tables of the registry are declared in gridwatch/registry/; tests/integration/test_registry.
    def is_ours(name: str | None, kind: str, _parents: Any) -> bool:
        return kind != "table" or name in metadata.tables

    with connect(url) as connection:
        context = MigrationContext.configure(
            connection,
            opts={"version_table": VERSION_TABLE, "compare_type": True, "include_name": is_ours},
        )
        return list(compare_metadata(context, metadata))


def test_the_migrated_schema_is_the_declared_one(database: str) -> None:
    assert differences(database) == []


def test_rows_of_the_version_before_keep_their_values(empty_database: str, query: Any) -> None:
    upgrade_to(empty_database, "0003")
    for column in ("interval_seconds", "received_at"):
        with pytest.raises(psycopg2.errors.UndefinedColumn):
            query(f"SELECT {column} FROM gap_alerts")
    stamp = "2024-01-01T10:00:00Z"
    reading = (
        f"('{stamp}', 'M1', 1.5, 'OK', 0, '{{}}', 15, 0, 7, 0, '0-7-0', '{stamp}')",
        '("time", meter_id, consumption_kwh, status, delay_seconds, flags, interval_minutes,'
        " source_partition, source_offset, source_index, id, watermark)",
    )
    for table in ("validated_readings", "reading_revisions"):
        query(f"INSERT INTO {table} {reading[1]} VALUES {reading[0]}")
    query(
        "INSERT INTO gap_alerts SELECT "
        f"'{stamp}', 'M1@{stamp}', 'M1', 1, 'OPEN', '{stamp}', '{stamp}', 2, 0, '[]', 30, 15, '{stamp}',"
        f" '{stamp}', '{stamp}', 900, 'silent', NULL, 0, 7"
    )
    before, after = migrate(empty_database)
    assert (before.revision, after.state) == ("0003", "current")
    for table in ("validated_readings", "reading_revisions", "gap_alerts"):
        assert query(f"SELECT interval_minutes, interval_seconds, received_at, calendar FROM {table}") == [
            (15.0, None, None, None)
        ]
    # A later revision of an old row brings the columns along.
    query("UPDATE gap_alerts SET interval_minutes = 1.0 / 6, interval_seconds = 10")
    assert query("SELECT interval_minutes FROM gap_alerts") == [(pytest.approx(1 / 6),)]


def test_revision_9_makes_the_table_of_anomalies_with_its_indexes_and_leaves_rows(
    empty_database: str, query: Any
) -> None:
    upgrade_to(empty_database, "0008")
    assert query("SELECT to_regclass('anomalies')") == [(None,)]
    query(
        "INSERT INTO aggregates_15m (time, window_end, meter_id, revision, reading_count, energy_kwh_sum,"
        " source_partition, received_at, id) VALUES ('2024-01-01', '2024-01-01', 'M1', 1, 1, 1, 0,"
        " '2024-01-01', 'M1@')"
    )
    place = query("SELECT ctid::text, xmin::text FROM aggregates_15m")
    before, after = migrate(empty_database)
    assert (before.revision, after.state) == ("0008", "current")
    assert query("SELECT ctid::text, xmin::text FROM aggregates_15m") == place
    assert query("SELECT indexname FROM pg_indexes WHERE tablename = 'anomalies' ORDER BY 1") == [
        (name,) for name in ("anomalies_meter", "anomalies_open", "anomalies_pkey", "anomalies_time")
    ]


def test_revision_10_makes_the_tables_of_a_home_and_leaves_rows(empty_database: str, query: Any) -> None:
    upgrade_to(empty_database, "0009")
    query(
        "INSERT INTO late_events (time, meter_id, consumption_kwh, delay_seconds, allowed_lateness_seconds,"
        " flags, watermark, source_partition, source_offset, source_index, id)"
        " VALUES ('2024-01-01', 'M1', 1, 1, 1, '{}', '2024-01-01', 0, 0, 0, '0-0-0')"
    )
    place = query("SELECT ctid::text, xmin::text FROM late_events")
    before, after = migrate(empty_database)
    assert (before.revision, after.state) == ("0009", "current")
    assert query("SELECT ctid::text, xmin::text FROM late_events") == place
    for table in ("energy_readings", "heatpump_readings", "temperature_readings", "homelab_dead_letters"):
        indexes = query("SELECT indexname FROM pg_indexes WHERE tablename = %s ORDER BY 1", table)
        assert indexes == [(f"{table}_pkey",), (f"{table}_time",)]
        assert query(f"SELECT count(*) FROM {table}") == [(0,)]


@pytest.mark.parametrize("revision", known_revisions()[1:])
def test_every_older_schema_becomes_the_declared_one(empty_database: str, revision: str) -> None:
    upgrade_to(empty_database, revision)
    assert status(empty_database).state == "older"
    before, after = migrate(empty_database)
    assert (before.revision, after.state) == (revision, "current")
    assert differences(empty_database) == []


def upgrade_to(url: str, revision: str) -> None:
    """The schema as an older gridwatch made it."""
    with connect(url) as connection:
        config = version._config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def test_the_keys_are_those_of_the_contract(database: str) -> None:
    assert {table.name: table.key for table in tables.TABLES} == {
        "validated_readings": ["meter_id", "time"],
        "reading_revisions": [
            "meter_id",
            "time",
            "flow",
            "source_partition",
            "source_offset",
            "source_index",
        ],
        "gap_alerts": ["gap_id", "time"],
        "late_events": ["id", "time"],
        "metrics": ["id", "time"],
        "dead_letters": ["id", "time"],
        "aggregates_1m": ["meter_id", "time"],
        "aggregates_15m": ["meter_id", "time"],
        "anomalies": ["anomaly_id", "time"],
        "regional_aggregates_15m": ["region", "time"],
        "incidents": ["id", "time"],
        "energy_readings": ["device_id", "timestamp"],
        "heatpump_readings": ["device_id", "timestamp"],
        "temperature_readings": ["device_id", "timestamp"],
        "homelab_dead_letters": ["id", "received_at"],
    }


def of(column: str, *figures: str) -> list[str]:
    """The columns of a summary that are made from one column."""
    return [f"{column}_{figure}" for figure in figures]


def test_the_hourly_summaries_have_the_columns_of_the_contract(database: str, query: Any) -> None:
    found = {
        view: [
            name
            for (name,) in query(
                "SELECT column_name FROM information_schema.columns WHERE table_name = %s"
                " ORDER BY ordinal_position",
                view,
            )
        ]
        for view in tables.summaries()
    }
    assert found == {
        "gap_summary_hourly": ["bucket", "gaps", "missing_intervals", "open_gaps", "meters"],
        "late_events_summary_hourly": [
            *("bucket", "late_events", "avg_delay_seconds", "max_delay_seconds", "meters"),
        ],
        "metrics_summary_hourly": [
            *("bucket", "metric", "avg_value", "min_value", "max_value", "sum_value", "samples", "flow"),
        ],
        "energy_hourly": [
            *("bucket", "device_id", "readings"),
            *of("power_kw", "avg", "min", "max"),
            *of("total_energy_kwh", "first", "last", "min", "max"),
            *of("exported_energy_kwh", "first", "last", "min", "max"),
            *of("voltage", "avg", "min", "max"),
        ],
        "heatpump_hourly": [
            *("bucket", "device_id", "readings"),
            *of("flow_temperature_c", "avg", "min", "max"),
            *of("return_temperature_c", "avg", "min", "max"),
            *of("outdoor_temperature_c", "avg", "min", "max"),
            *of("power_kw", "avg", "min", "max"),
            *of("cop", "avg", "min", "max"),
            *of("total_energy_kwh", "first", "last", "min", "max"),
            *of("heat_kwh", "first", "last", "min", "max"),
        ],
        "temperature_hourly": [
            *("bucket", "device_id", "readings"),
            *of("temperature_c", "avg", "min", "max"),
            *of("humidity_percent", "avg", "min", "max"),
            "battery_percent_min",
        ],
    }


def test_migrating_again_changes_nothing(empty_database: str) -> None:
    assert status(empty_database).state == "missing"
    before, after = migrate(empty_database)
    assert (before.state, after.state) == ("missing", "current")
    before, after = migrate(empty_database)
    assert (before.state, after.state) == ("current", "current")


def test_two_migrations_at_once_make_one_schema(empty_database: str) -> None:
    outcomes: list[Any] = []

    def run() -> None:
        try:
            outcomes.append(migrate(empty_database)[0].state)
        except Exception as error:  # an error of either is the failure this test looks for
            outcomes.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, outcomes)) == ["current", "current", "current", "missing"]


def test_a_migration_that_fails_leaves_nothing_behind(empty_database: str, query: Any) -> None:
    query("CREATE VIEW metrics_summary_hourly AS SELECT 1 AS in_the_way")
    with pytest.raises(GridwatchError, match="already exists"):
        migrate(empty_database)
    assert status(empty_database).state == "missing"
    assert query("SELECT to_regclass('validated_readings')") == [(None,)]


def test_a_newer_schema_is_left_alone(database: str, query: Any) -> None:
    query(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(GridwatchError, match=r"schema newer \(revision 9999"):
        migrate(database)
    assert status(database).state == "newer"
    with pytest.raises(GridwatchError, match="newer") as refusal:
        require_current(status(database))
    assert "version of gridwatch" in refusal.value.remedy
    assert query(f"SELECT version_num FROM {VERSION_TABLE}") == [("9999",)]


def test_a_missing_schema_is_refused_with_the_command(empty_database: str) -> None:
    with pytest.raises(GridwatchError) as refusal:
        require_current(status(empty_database))
    assert refusal.value.remedy == "gridwatch db migrate"


def test_the_kind_of_the_database_is_detected(database: str, query: Any) -> None:
    kind = status(database).kind
    [(server,)] = query("SHOW server_version")
    assert kind.timescaledb is None
    assert str(kind) == f"PostgreSQL {server.split()[0]}"


def test_the_newest_revision_comes_first() -> None:
    assert known_revisions()[-1] == "0001"


def test_a_migration_waits_for_another_one(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sinks.schema.version._LOCK_WAIT", "100ms")
    with psycopg2.connect(empty_database) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(1735551332)")
        with pytest.raises(GridwatchError, match="lock timeout"):
            migrate(empty_database)
    assert migrate(empty_database)[1].state == "current"
