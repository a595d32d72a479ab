"""Each topic has a table, and its rows have that table's columns in the order in which COPY names them."""

from __future__ import annotations

import pytest

from gridwatch.topics import OUTPUTS
from sinks.schema import WORKED_OUT
from sinks.targets import TARGETS, Target


def test_every_output_topic_is_stored() -> None:
    assert set(TARGETS) == {topic.name for topic in OUTPUTS}


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS.keys())
def test_rows_have_the_columns_of_their_table_in_order(target: Target) -> None:
    staged = [column.name for column in target.table.columns if column.info != WORKED_OUT]
    assert list(target.columns([])) == staged
    named = ", ".join(f'"{name}"' for name in staged)
    assert target.copy == f"COPY {target.stage} ({named}) FROM STDIN"


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS.keys())
def test_time_is_part_of_every_key(target: Target) -> None:
    assert "time" in target.table.primary_key.columns


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS.keys())
def test_rows_are_merged_key_by_key_which_compressed_chunks_of_timescaledb_take(target: Target) -> None:
    for statement in (*target.merge, *target.merge_repeated):
        assert statement.strip().startswith("INSERT INTO")
        assert "DO UPDATE SET" in statement  # DO NOTHING loses rows up to 2.19.0
