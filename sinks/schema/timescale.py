"""What TimescaleDB does for the tables where it is there: chunks, compression, retention, summaries.

No revision of the schema: a state that the database is brought to, as often as one likes. `read_standing`
says what is there, `statements` what is missing between that and what the settings want, and `apply` runs
it. So a plain database becomes one of TimescaleDB whenever the extension turns up, with all its rows, and
changed settings need no migration. Holds for TimescaleDB 2.11 and later.

A summary is the same question as the plain view of its name (`migrations/`), kept up to date by a policy:
a bucket older than an hour is as it was at the last refresh, a minute ago at most; newer ones are
worked out as they are asked for.
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
class Standing:
    """What TimescaleDB has in the database already; lengths of time of policies by their relation."""

    #: False where the licence has no compression, policies or continuous aggregates ("apache").
    full: bool = True
    #: Hypertable → whether compression is on.
    hypertables: dict[str, bool] = field(default_factory=dict)
    aggregates: frozenset[str] = frozenset()
    compressed_after: dict[str, timedelta] = field(default_factory=dict)
    dropped_after: dict[str, timedelta] = field(default_factory=dict)
    #: Summaries with a refresh policy → whether it does all that is to be done in one go.
    refreshed: dict[str, bool] = field(default_factory=dict)
    #: Whether refresh policies can be told so. Where they can, they go batch by batch if not told otherwise,
    #: and a run may leave out the last of the buckets that changed (seen with 2.23); the next one finds it.
    batched: bool = False

    @property
    def complete(self) -> bool:
        """Whether every table and summary is TimescaleDB's."""
        return self.hypertables.keys() >= {table.name for table in tables.TABLES} and (
            not self.full or self.aggregates >= {*tables.summaries()}
        )


def is_recent_enough(version: str) -> bool:
    """Whether a version of the extension has all that is used here."""
    major, minor = version.split("-", maxsplit=1)[0].split(".")[:2]
    return (int(major), int(minor)) >= MIN_VERSION


def statements(standing: Standing, storage: Storage) -> Iterator[str]:
    """What has to be run, in order, for the database to stand as the settings want; it may be little."""
    for table in tables.TABLES:
        yield _chunks(table, standing, storage)
    if not standing.full:
        return
    for table in tables.TABLES:
        yield from _compression(table, standing, storage)
    for table in tables.TABLES:
        for summary in table.summaries:
            yield from _summary(summary, standing)
    for table in tables.TABLES:
        yield from _retention(table.name, standing, storage.retention(table))
    for table in tables.TABLES:
        for summary in table.summaries:
            yield from _retention(summary.name, standing, storage.retention(table))


def _chunks(table: DatabaseTable, standing: Standing, storage: Storage) -> str:
    length = _interval(storage.chunk_interval(table))
    if table.name in standing.hypertables:
        return f"SELECT set_chunk_time_interval('{table.name}', {length})"
    # Rows that are there move into chunks; the indexes stand already.
    return (
        f"SELECT create_hypertable('{table.name}', '{table.time}', chunk_time_interval => "
        f"{length}, create_default_indexes => FALSE, migrate_data => TRUE)"
    )


def _compression(table: DatabaseTable, standing: Standing, storage: Storage) -> Iterator[str]:
    if not standing.hypertables.get(table.name, False):
        yield (
            f"ALTER TABLE {table.name} SET (timescaledb.compress, "
            f"timescaledb.compress_segmentby = '{table.compression.segment_by}', "
            f"timescaledb.compress_orderby = '{table.compression.order_by}')"
        )
    wanted = storage.compress_after(table)
    if standing.compressed_after.get(table.name) != wanted:
        yield f"SELECT remove_compression_policy('{table.name}', if_exists => TRUE)"
        yield f"SELECT add_compression_policy('{table.name}', {_interval(wanted)})"


def _summary(summary: Summary, standing: Standing) -> Iterator[str]:
    name = summary.name
    if name not in standing.aggregates:
        yield f"DROP VIEW IF EXISTS {name}"
        # Rows and all come with the first run of the policy: nothing may be filled in a transaction.
        yield (
            f"CREATE MATERIALIZED VIEW {name} WITH "
            f"(timescaledb.continuous, timescaledb.materialized_only = FALSE) AS {summary.query} WITH NO DATA"
        )
    if not standing.refreshed.get(name, False):
        if name in standing.refreshed:
            yield f"SELECT remove_continuous_aggregate_policy('{name}')"
        # Without a start: rows of any age change, and only buckets that changed are worked out again.
        yield (
            f"SELECT add_continuous_aggregate_policy('{name}', start_offset => NULL, "
            f"end_offset => {_interval(_REFRESHED_UP_TO)}, "
            f"schedule_interval => {_interval(_REFRESHED_EVERY)}"
            f"{', buckets_per_batch => 0' if standing.batched else ''})"
        )


def _retention(relation: str, standing: Standing, wanted: timedelta | None) -> Iterator[str]:
    if standing.dropped_after.get(relation) == wanted:
        return
    yield f"SELECT remove_retention_policy('{relation}', if_exists => TRUE)"
    if wanted is not None:
        yield f"SELECT add_retention_policy('{relation}', {_interval(wanted)})"


def _interval(length: timedelta) -> str:
    seconds = length.seconds + length.microseconds / 1e6
    return f"INTERVAL '{length.days} days {seconds:g} seconds'"


def read_standing(connection: Connection) -> Standing:
    """What is there, of a database that has the extension."""
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
        # Policies of a summary stand under its own name or its hidden table's, by version.
        name = aggregates.get(relation, relation)
        if policy == "policy_refresh_continuous_aggregate":
            refreshed[name] = batch == "0" or not batched
        else:
            found.setdefault(policy, {})[name] = timedelta(seconds=seconds or 0)
    return Standing(
        full=connection.scalar(text("SELECT current_setting('timescaledb.license', TRUE)")) != "apache",
        hypertables={str(name): bool(compressed) for name, compressed in hypertables},
        aggregates=frozenset(aggregates.values()),
        compressed_after=found.get("policy_compression", {}),
        dropped_after=found.get("policy_retention", {}),
        refreshed=refreshed,
        batched=batched,
    )


def apply(connection: Connection, storage: Storage) -> None:
    """Bring the tables, which are there, to what the settings want, within the transaction they have.

    Does nothing without the extension, or with one that is too old.
    """
    version = database_kind(connection).timescaledb
    if version is None or not is_recent_enough(version):
        return
    for statement in statements(read_standing(connection), storage):
        connection.exec_driver_sql(statement)
