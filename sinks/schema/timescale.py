"""Configures TimescaleDB where the extension is there: chunks, compression, retention, summaries.

Not a revision of the schema, but a desired state: `read_timescale_status` reads what is there, `statements`
gives the difference to the settings, and `apply` runs it; each run is idempotent. So a plain database is
converted, with all its rows, as soon as it has the extension, and changed settings need no migration. For
TimescaleDB 2.11 and later.

A summary has the same query as the plain view of its name (`migrations/`), materialized by a policy: a bucket
older than an hour is as of the last refresh, a minute ago at most; newer ones are computed on read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import Connection, text

from sinks import tables
from sinks.database import database_kind
from sinks.schema.storage import Storage
from sinks.tables.table import DatabaseTable, Summary

MIN_VERSION = (2, 11)

_REFRESHED_UP_TO = timedelta(hours=1)
_REFRESHED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class TimescaleStatus:
    """What TimescaleDB has in the database already; the ages of policies by their relation."""

    #: False where the licence has no compression, policies or continuous aggregates ("apache").
    full: bool = True
    #: Hypertable → whether compression is on.
    hypertables: dict[str, bool] = field(default_factory=dict)
    aggregates: frozenset[str] = frozenset()
    compressed_after: dict[str, timedelta] = field(default_factory=dict)
    dropped_after: dict[str, timedelta] = field(default_factory=dict)
    #: Summaries with a refresh policy → whether it refreshes in one batch.
    refreshed: dict[str, bool] = field(default_factory=dict)
    #: Whether refresh policies have the option `buckets_per_batch`. Where they do, they go batch by batch by
    #: default, and a run may miss the last of the changed buckets (seen with 2.23) until the next one.
    batched: bool = False

    @property
    def complete(self) -> bool:
        """Whether every table is a hypertable and every summary a continuous aggregate."""
        return self.hypertables.keys() >= {table.name for table in tables.TABLES} and (
            not self.full or self.aggregates >= {*tables.summaries()}
        )


def is_supported(version: str) -> bool:
    """Whether a version of the extension is recent enough."""
    major, minor = version.split("-", maxsplit=1)[0].split(".")[:2]
    return (int(major), int(minor)) >= MIN_VERSION


def statements(status: TimescaleStatus, storage: Storage) -> Iterator[str]:
    """The statements, in order, that bring the database to the settings."""
    for table in tables.TABLES:
        yield _chunks(table, status, storage)
    if not status.full:
        return
    for table in tables.TABLES:
        yield from _compression(table, status, storage)
    for table in tables.TABLES:
        for summary in table.summaries:
            yield from _summary(summary, status)
    for table in tables.TABLES:
        yield from _retention(table.name, status, storage.retention(table))
    for table in tables.TABLES:
        for summary in table.summaries:
            yield from _retention(summary.name, status, storage.retention(table))


def _chunks(table: DatabaseTable, status: TimescaleStatus, storage: Storage) -> str:
    length = _interval(storage.chunk_interval(table))
    if table.name in status.hypertables:
        return f"SELECT set_chunk_time_interval('{table.name}', {length})"
    # Existing rows move into chunks; the indexes exist already.
    return (
        f"SELECT create_hypertable('{table.name}', '{table.time}', chunk_time_interval => "
        f"{length}, create_default_indexes => FALSE, migrate_data => TRUE)"
    )


def _compression(table: DatabaseTable, status: TimescaleStatus, storage: Storage) -> Iterator[str]:
    if not status.hypertables.get(table.name, False):
        yield (
            f"ALTER TABLE {table.name} SET (timescaledb.compress, "
            f"timescaledb.compress_segmentby = '{table.compression.segment_by}', "
            f"timescaledb.compress_orderby = '{table.compression.order_by}')"
        )
    wanted = storage.compress_after(table)
    if status.compressed_after.get(table.name) != wanted:
        yield f"SELECT remove_compression_policy('{table.name}', if_exists => TRUE)"
        yield f"SELECT add_compression_policy('{table.name}', {_interval(wanted)})"


def _summary(summary: Summary, status: TimescaleStatus) -> Iterator[str]:
    name = summary.name
    if name not in status.aggregates:
        yield f"DROP VIEW IF EXISTS {name}"
        # The first run of the policy fills it: a refresh cannot run in a transaction.
        yield (
            f"CREATE MATERIALIZED VIEW {name} WITH "
            f"(timescaledb.continuous, timescaledb.materialized_only = FALSE) AS {summary.query} WITH NO DATA"
        )
    if not status.refreshed.get(name, False):
        if name in status.refreshed:
            yield f"SELECT remove_continuous_aggregate_policy('{name}')"
        # Without a start: rows of any age change, and only invalidated buckets are refreshed.
        yield (
            f"SELECT add_continuous_aggregate_policy('{name}', start_offset => NULL, "
            f"end_offset => {_interval(_REFRESHED_UP_TO)}, "
            f"schedule_interval => {_interval(_REFRESHED_EVERY)}"
            f"{', buckets_per_batch => 0' if status.batched else ''})"
        )


def _retention(relation: str, status: TimescaleStatus, wanted: timedelta | None) -> Iterator[str]:
    if status.dropped_after.get(relation) == wanted:
        return
    yield f"SELECT remove_retention_policy('{relation}', if_exists => TRUE)"
    if wanted is not None:
        yield f"SELECT add_retention_policy('{relation}', {_interval(wanted)})"


def _interval(length: timedelta) -> str:
    seconds = length.seconds + length.microseconds / 1e6
    return f"INTERVAL '{length.days} days {seconds:g} seconds'"


def read_timescale_status(connection: Connection) -> TimescaleStatus:
    """Read the state of a database that has the extension."""
    hypertables = connection.execute(
        text(
            "SELECT hypertable_name, compression_enabled FROM timescaledb_information.hypertables"
            " WHERE hypertable_schema = current_schema()"
        )
    )
    aggregates = {
        str(materialized): str(name)
        for name, materialized in connection.execute(
            text(
                "SELECT view_name, materialization_hypertable_name"
                " FROM timescaledb_information.continuous_aggregates WHERE view_schema = current_schema()"
            )
        )
    }
    policies = connection.execute(
        text(
            "SELECT proc_name, hypertable_name, extract(epoch FROM"
            " coalesce(config ->> 'compress_after', config ->> 'drop_after')::interval)::float8,"
            " config ->> 'buckets_per_batch'"
            " FROM timescaledb_information.jobs WHERE hypertable_name IS NOT NULL"
        )
    ).all()
    batched = bool(
        connection.scalar(
            text(
                "SELECT EXISTS (SELECT FROM pg_proc WHERE proname = 'add_continuous_aggregate_policy'"
                " AND 'buckets_per_batch' = ANY (proargnames))"
            )
        )
    )
    found: dict[str, dict[str, timedelta]] = {}
    refreshed: dict[str, bool] = {}
    for policy, relation, seconds, batch in policies:
        # Policies of a summary are listed under its own name or its internal table's, by version.
        name = aggregates.get(relation, relation)
        if policy == "policy_refresh_continuous_aggregate":
            refreshed[name] = batch == "0" or not batched
        else:
            found.setdefault(policy, {})[name] = timedelta(seconds=seconds or 0)
    return TimescaleStatus(
        full=connection.scalar(text("SELECT current_setting('timescaledb.license', TRUE)")) != "apache",
        hypertables={str(name): bool(compressed) for name, compressed in hypertables},
        aggregates=frozenset(aggregates.values()),
        compressed_after=found.get("policy_compression", {}),
        dropped_after=found.get("policy_retention", {}),
        refreshed=refreshed,
        batched=batched,
    )


def apply(connection: Connection, storage: Storage) -> None:
    """Bring the existing tables to the settings, within the caller's transaction.

    Does nothing without the extension, or with one that is too old.
    """
    version = database_kind(connection).timescaledb
    if version is None or not is_supported(version):
        return
    for statement in statements(read_timescale_status(connection), storage):
        connection.exec_driver_sql(statement)
