"""TimescaleDB is brought to the settings: what is missing is created, what exists is left."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gridwatch.settings import load_settings
from sinks import tables
from sinks.schema.storage import Storage
from sinks.schema.timescale import TimescaleStatus, is_supported, statements
from tests.further_table import REGIONAL_LOAD

DAY = timedelta(days=1)
#: As the defaults of the settings are, which are those of the contract.
CHUNKS = {"aggregates_1m": DAY}
HOMELAB = ("energy_readings", "heatpump_readings", "temperature_readings", "homelab_dead_letters")
COMPRESSED = {"aggregates_1m": 7 * DAY, "aggregates_15m": 14 * DAY, **dict.fromkeys(HOMELAB, 7 * DAY)}
KEPT = {
    **{"aggregates_1m": 30 * DAY, "aggregates_15m": 90 * DAY, "regional_aggregates_15m": 90 * DAY},
    **dict.fromkeys(HOMELAB, 400 * DAY),
}
#: Those of tables of a home are kept as long.
KEPT_VIEWS = dict.fromkeys(("energy_hourly", "heatpump_hourly", "temperature_hourly"), 400 * DAY)
NAMES = [table.name for table in tables.TABLES]
VIEWS = tables.summaries()
COMPLETE = TimescaleStatus(
    hypertables=dict.fromkeys(NAMES, True),
    aggregates=frozenset(VIEWS),
    compressed_after={**dict.fromkeys(NAMES, 30 * DAY), **COMPRESSED},
    dropped_after=KEPT | KEPT_VIEWS,
    refreshed=dict.fromkeys(VIEWS, True),
)


def _run(status: TimescaleStatus, storage: Storage | None = None) -> list[str]:
    return list(statements(status, storage or Storage()))


def _of(name: str, run: list[str]) -> list[str]:
    return [statement for statement in run if f"'{name}'" in statement]


def test_every_table_becomes_a_hypertable_and_every_summary_a_continuous_aggregate() -> None:
    run = _run(TimescaleStatus())
    for table in NAMES:
        assert [statement.split("(")[0] for statement in _of(table, run)] == [
            "SELECT create_hypertable",
            "SELECT remove_compression_policy",
            "SELECT add_compression_policy",
            *(["SELECT remove_retention_policy", "SELECT add_retention_policy"] if table in KEPT else []),
        ]
    assert sum("WITH NO DATA" in statement for statement in run) == len(VIEWS)


def test_existing_rows_are_migrated() -> None:
    made = [statement for statement in _run(TimescaleStatus()) if "create_hypertable" in statement]
    assert len(made) == len(NAMES)
    assert all("migrate_data => TRUE" in statement for statement in made)


def test_keys_and_segments_are_columns_of_their_table() -> None:
    for table in tables.TABLES:
        compression = table.compression
        order = [part.strip().removesuffix(" DESC").strip('"') for part in compression.order_by.split(",")]
        assert {compression.segment_by, *order} <= set(table.sql.columns.keys())
        # A key is found in a compressed chunk by its segment and the bounds of the order.
        assert set(table.key) <= {compression.segment_by, *order}


def test_where_all_exists_only_the_length_of_new_chunks_is_set() -> None:
    assert COMPLETE.complete
    run = _run(COMPLETE, Storage(chunk_interval=DAY))
    assert run == [
        f"SELECT set_chunk_time_interval('{table}', INTERVAL '1 days 0 seconds')" for table in NAMES
    ]
    assert [one for one in _run(COMPLETE) if "'1 days" in one] == [
        f"SELECT set_chunk_time_interval('{table}', INTERVAL '1 days 0 seconds')" for table in CHUNKS
    ]


def test_a_changed_setting_replaces_its_policy_and_nothing_else() -> None:
    changed = set(_run(COMPLETE, Storage(compress_after=90 * DAY))) - set(_run(COMPLETE))
    assert {statement.split("(")[0] for statement in changed} == {
        "SELECT remove_compression_policy",
        "SELECT add_compression_policy",
    }
    assert len(changed) == 2 * (len(NAMES) - len(COMPRESSED))
    [removed, added] = set(_run(COMPLETE, Storage(aggregates_1m_compress_after=DAY))) - set(_run(COMPLETE))
    assert all("'aggregates_1m'" in statement for statement in (removed, added))


def test_a_refresh_in_batches_is_set_to_a_single_one() -> None:
    found = replace(COMPLETE, batched=True, refreshed={**COMPLETE.refreshed, "gap_summary_hourly": False})
    changed = set(_run(found)) - set(_run(COMPLETE))
    assert {statement.split("(")[0] for statement in changed} == {
        "SELECT remove_continuous_aggregate_policy",
        "SELECT add_continuous_aggregate_policy",
    }
    assert all("'gap_summary_hourly'" in statement for statement in changed)
    assert sum("buckets_per_batch => 0" in statement for statement in changed) == 1
    assert not any("buckets_per_batch" in statement for statement in _run(TimescaleStatus()))


def test_retention_reaches_tables_and_their_summaries() -> None:
    run = _run(COMPLETE, Storage(retention=730 * DAY, metrics_retention=90 * DAY))
    assert "SELECT add_retention_policy('gap_alerts', INTERVAL '730 days 0 seconds')" in run
    assert "SELECT add_retention_policy('gap_summary_hourly', INTERVAL '730 days 0 seconds')" in run
    assert "SELECT add_retention_policy('metrics_summary_hourly', INTERVAL '90 days 0 seconds')" in run


def test_a_further_table_has_its_chunks_compression_and_retention_by_its_declaration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tables, "TABLES", (*tables.TABLES, REGIONAL_LOAD))
    assert not COMPLETE.complete
    storage = Storage(load_compress_after=2 * DAY, load_retention=400 * DAY, retention=730 * DAY)
    assert [one for one in _run(COMPLETE, storage) if "regional_load" in one] == [
        "SELECT create_hypertable('regional_load', 'time', chunk_time_interval => "
        "INTERVAL '7 days 0 seconds', create_default_indexes => FALSE, migrate_data => TRUE)",
        "ALTER TABLE regional_load SET (timescaledb.compress, timescaledb.compress_segmentby = 'region',"
        " timescaledb.compress_orderby = '\"time\" DESC, id')",
        "SELECT remove_compression_policy('regional_load', if_exists => TRUE)",
        "SELECT add_compression_policy('regional_load', INTERVAL '2 days 0 seconds')",
        "SELECT remove_retention_policy('regional_load', if_exists => TRUE)",
        "SELECT add_retention_policy('regional_load', INTERVAL '400 days 0 seconds')",
    ]
    stands = replace(
        COMPLETE,
        hypertables={**COMPLETE.hypertables, "regional_load": True},
        compressed_after={**COMPLETE.compressed_after, "regional_load": 2 * DAY},
        dropped_after={**COMPLETE.dropped_after, "regional_load": 400 * DAY},
    )
    assert stands.complete
    assert [one for one in _run(stands, storage) if "regional_load" in one] == [
        "SELECT set_chunk_time_interval('regional_load', INTERVAL '7 days 0 seconds')"
    ]


def test_a_setting_that_is_not_given_has_its_default() -> None:
    storage, given = Storage(), Storage(retention=9 * DAY)
    settings = Storage.of(load_settings())
    for table in tables.TABLES:
        name = table.name
        assert storage.chunk_interval(table) == settings.chunk_interval(table) == CHUNKS.get(name, 7 * DAY)
        assert (
            storage.compress_after(table) == settings.compress_after(table) == COMPRESSED.get(name, 30 * DAY)
        )
        assert storage.retention(table) == settings.retention(table) == KEPT.get(name)
        assert given.retention(table) == KEPT.get(name, None if name == "metrics" else 9 * DAY)


def test_the_retention_of_a_table_comes_from_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDWATCH_RETENTION", "730d")
    monkeypatch.setenv("GRIDWATCH_METRICS_RETENTION", "90d")
    monkeypatch.setenv("GRIDWATCH_AGGREGATES_15M_RETENTION", "400d")
    monkeypatch.setenv("GRIDWATCH_REGIONAL_RETENTION", "none")
    storage = Storage.of(load_settings())
    kept = {table.name: storage.retention(table) for table in tables.TABLES}
    assert kept == {
        **dict.fromkeys(NAMES, 730 * DAY),
        "metrics": 90 * DAY,
        "aggregates_1m": 30 * DAY,
        "aggregates_15m": 400 * DAY,
        "regional_aggregates_15m": None,
        **dict.fromkeys(HOMELAB, 400 * DAY),
    }


def test_a_missing_chunk_length_is_an_error() -> None:
    with pytest.raises(ValueError, match="chunk_interval"):
        _run(TimescaleStatus(), Storage(chunk_interval=None))


def test_without_retention_nothing_is_dropped_any_more() -> None:
    run = _run(replace(COMPLETE, dropped_after={**COMPLETE.dropped_after, "late_events": DAY}))
    assert "SELECT remove_retention_policy('late_events', if_exists => TRUE)" in run
    assert not any("add_retention_policy" in statement for statement in run)
    assert "SELECT remove_retention_policy('aggregates_1m', if_exists => TRUE)" in _run(
        COMPLETE, Storage(aggregates_1m_retention=None)
    )


def test_under_the_apache_licence_there_are_chunks_and_plain_views() -> None:
    run = _run(TimescaleStatus(full=False))
    assert len(run) == len(NAMES)
    assert all(statement.startswith("SELECT create_hypertable") for statement in run)


@pytest.mark.parametrize(
    ("version", "enough"),
    [
        ("2.10.3", False),
        ("1.7.5", False),
        ("2.11.0", True),
        ("2.23.0-dev", True),
        ("2.28.1", True),
        ("3.0.0", True),
    ],
)
def test_versions(version: str, enough: bool) -> None:
    assert is_supported(version) is enough
