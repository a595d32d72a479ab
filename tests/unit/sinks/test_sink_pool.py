"""Several connections side by side: a partition stays on one, and their states are reported as one sink."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from gridwatch.models.dead_letter import DeadLetter
from gridwatch.streaming.faust.batches import RecordBatch
from gridwatch.topics import METRICS, VALIDATED
from sinks.pool import Pool, combined
from sinks.rows import Refused, Rows
from sinks.writer import Writer, WriterState
from tests.unit.sinks.test_sink_store import good


async def nobody(letters: Sequence[DeadLetter]) -> None:
    assert not letters


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> dict[int, set[int]]:
    """Partitions by the writer that wrote them."""
    seen: dict[int, set[int]] = {}

    def write(self: Writer, batch: Sequence[Rows]) -> list[Refused]:
        partitions = {source.partition for rows in batch for source in rows.sources}
        seen.setdefault(id(self), set()).update(partitions)
        return []

    monkeypatch.setattr(Writer, "write", write)
    return seen


def play(connections: int, batches: Sequence[RecordBatch]) -> Pool:
    async def run() -> Pool:
        pool = Pool("postgresql://nobody@127.0.0.1:1/x", nobody, 100, connections)
        try:
            assert all(await asyncio.gather(*(pool.store(batch) for batch in batches)))
        finally:
            await pool.stop()
        return pool

    return asyncio.run(run())


def test_a_partition_always_goes_over_the_same_connection(written: dict[int, set[int]]) -> None:
    pool = play(3, [good(partition, offset) for offset in range(4) for partition in range(6)])
    assert sorted(map(sorted, written.values())) == [[0, 3], [1, 4], [2, 5]]
    assert pool.rows_of_partition == {("smartmeter", partition): 4 for partition in range(6)}
    assert pool.lost_letters == 0


def test_more_connections_than_partitions_do_no_harm(written: dict[int, set[int]]) -> None:
    play(8, [good(0, 1), good(1, 1)])
    assert sorted(map(sorted, written.values())) == [[0], [1]]


def test_abort_reaches_every_connection(written: dict[int, set[int]]) -> None:
    async def run() -> None:
        pool = Pool("postgresql://nobody@127.0.0.1:1/x", nobody, 100, 2)
        pool.abort()
        assert [await pool.store(good(partition, 1)) for partition in (0, 1)] == [1, 1]  # to be read again
        pool.resume()
        assert [await pool.store(good(partition, 1)) for partition in (0, 1)] == [2, 2]
        await pool.stop()

    asyncio.run(run())


def test_a_stopped_pool_does_not_check_the_database() -> None:
    async def run() -> None:
        pool = Pool("postgresql://nobody@127.0.0.1:1/x", nobody, 100, 2)
        await pool.check()
        assert "refused" in pool.state.last_error
        await pool.stop()
        await pool.check()

    asyncio.run(run())


def state(**changes: Any) -> WriterState:
    made = WriterState(**changes)
    made.rows[VALIDATED.name] += 10
    made.refused[METRICS.name] += 1
    return made


def test_counts_of_all_connections_are_added_up() -> None:
    whole = combined([state(commits=3, retries=1, commit_seconds_total=0.5), state(commits=4)])
    assert (whole.commits, whole.retries, whole.commit_seconds_total) == (7, 1, 0.5)
    assert (whole.rows[VALIDATED.name], whole.refused[METRICS.name]) == (20, 2)


def test_one_connection_that_waits_is_a_sink_that_waits() -> None:
    whole = combined(
        [
            state(last_commit=9.0, commit_seconds=0.1),
            state(waiting_since=5.0, last_error="away", last_commit=4.0, commit_seconds=0.2),
            state(waiting_since=7.0, last_error="later", writing_since=8.0),
        ]
    )
    assert (whole.waiting_since, whole.last_error) == (5.0, "away")
    assert (whole.last_commit, whole.commit_seconds, whole.writing_since) == (9.0, 0.1, 8.0)
    assert combined([state(), state()]).waiting_since is None
