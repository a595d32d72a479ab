"""TimescaleDB is brought to what the settings want: whatever is missing is done, what stands is left."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sinks.schema import VIEWS, metadata
from sinks.timescale import HYPERTABLES, SUMMARIES, Standing, Storage, is_recent_enough, statements

DAY = timedelta(days=1)
COMPLETE = Standing(
    hypertables=dict.fromkeys(HYPERTABLES, True),
    aggregates=frozenset(SUMMARIES),
    compressed_after=dict.fromkeys(HYPERTABLES, 30 * DAY),
    refreshed=dict.fromkeys(SUMMARIES, True),
)


def _run(standing: Standing, storage: Storage | None = None) -> list[str]:
    return list(statements(standing, storage or Storage()))


def _of(name: str, run: list[str]) -> list[str]:
    return [statement for statement in run if f"'{name}'" in statement]


def test_every_table_and_every_summary_becomes_one_of_timescaledb() -> None:
    assert HYPERTABLES.keys() == metadata.tables.keys()
    assert tuple(SUMMARIES) == VIEWS
    run = _run(Standing())
    for table in HYPERTABLES:
        assert [statement.split("(")[0] for statement in _of(table, run)] == [
            "SELECT create_hypertable",
            "SELECT remove_compression_policy",
            "SELECT add_compression_policy",
        ]
    assert sum("WITH NO DATA" in statement for statement in run) == len(VIEWS)


def test_rows_that_are_there_are_taken_along() -> None:
    made = [statement for statement in _run(Standing()) if "create_hypertable" in statement]
    assert len(made) == len(HYPERTABLES)
    assert all("migrate_data => TRUE" in statement for statement in made)


def test_keys_and_segments_are_columns_of_their_table() -> None:
    for name, compression in HYPERTABLES.items():
        table = metadata.tables[name]
        order = [part.strip().removesuffix(" DESC").strip('"') for part in compression.order_by.split(",")]
        assert {compression.segment_by, *order} <= set(table.columns.keys())
        # A key is found in a compressed chunk by its segment and the bounds of the order.
        assert {column.name for column in table.primary_key} <= {compression.segment_by, *order}


def test_where_all_stands_only_the_length_of_new_chunks_is_set() -> None:
    assert COMPLETE.complete
    run = _run(COMPLETE, Storage(chunk_interval=DAY))
    assert run == [
        f"SELECT set_chunk_time_interval('{table}', INTERVAL '1 days 0 seconds')" for table in HYPERTABLES
    ]


def test_a_changed_setting_replaces_its_policy_and_nothing_else() -> None:
    changed = set(_run(COMPLETE, Storage(compress_after=90 * DAY))) - set(_run(COMPLETE))
    assert {statement.split("(")[0] for statement in changed} == {
        "SELECT remove_compression_policy",
        "SELECT add_compression_policy",
    }
    assert len(changed) == 2 * len(HYPERTABLES)


def test_a_refresh_that_goes_batch_by_batch_is_told_not_to() -> None:
    found = replace(COMPLETE, batched=True, refreshed={**COMPLETE.refreshed, "gap_summary_hourly": False})
    changed = set(_run(found)) - set(_run(COMPLETE))
    assert {statement.split("(")[0] for statement in changed} == {
        "SELECT remove_continuous_aggregate_policy",
        "SELECT add_continuous_aggregate_policy",
    }
    assert all("'gap_summary_hourly'" in statement for statement in changed)
    assert sum("buckets_per_batch => 0" in statement for statement in changed) == 1
    assert not any("buckets_per_batch" in statement for statement in _run(Standing()))


def test_retention_reaches_tables_and_their_summaries() -> None:
    run = _run(COMPLETE, Storage(retention=730 * DAY, metrics_retention=90 * DAY))
    assert "SELECT add_retention_policy('gap_alerts', INTERVAL '730 days 0 seconds')" in run
    assert "SELECT add_retention_policy('gap_summary_hourly', INTERVAL '730 days 0 seconds')" in run
    assert "SELECT add_retention_policy('metrics_summary_hourly', INTERVAL '90 days 0 seconds')" in run


def test_without_retention_nothing_is_dropped_any_more() -> None:
    run = _run(replace(COMPLETE, dropped_after={"late_events": DAY}))
    assert "SELECT remove_retention_policy('late_events', if_exists => TRUE)" in run
    assert not any("add_retention_policy" in statement for statement in run)


def test_under_the_apache_licence_there_are_chunks_and_plain_views() -> None:
    run = _run(Standing(full=False))
    assert len(run) == len(HYPERTABLES)
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
    assert is_recent_enough(version) is enough
