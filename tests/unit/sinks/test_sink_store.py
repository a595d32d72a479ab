"""Pending batches share a transaction; a batch is done only when it and its dead letters are acknowledged."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from gridwatch.models.dead_letter import DeadLetter
from gridwatch.models.metric import Metric
from gridwatch.streaming.faust.batches import RecordBatch
from gridwatch.topics import DEAD_LETTERS, METRICS
from sinks.refusals import refused
from sinks.rows import Refused, Rows
from sinks.store import BatchStore
from sinks.writer import WriteInterruptedError
from tests.batches import batch_of

METRIC = Metric(
    "m@w/0", "readings_received", 1.0, "2024-01-01T10:00:00Z", "2024-01-01T10:05:00Z", 1, "event", 0, {}
)


@dataclass(frozen=True)
class Record:
    offset: int
    value: bytes | None
    topic: str = METRICS.name
    partition: int = 0
    timestamp: int = 1_704_103_200_000


def good(partition: int, *offsets: int) -> RecordBatch:
    value = msgspec.json.encode(METRIC)
    records = [Record(offset, value, partition=partition) for offset in offsets]
    return batch_of(METRICS.name, partition, records)


class FakeWriter:
    """Records its transactions; commits only while `open` is set, as a database that may be unavailable."""

    def __init__(self) -> None:
        self.transactions: list[list[int]] = []
        self.refuse: set[int] = set()
        self.error: Exception | None = None
        self.open = threading.Event()
        self.open.set()
        self.interrupted = threading.Event()

    def watch(self, step: str) -> None:
        """Nobody does."""

    def write(self, batch: Sequence[Rows]) -> list[Refused]:
        while not self.open.wait(0.005):
            if self.interrupted.is_set():
                raise WriteInterruptedError("away")
        if self.error is not None:
            raise self.error
        self.transactions.append([len(rows) for rows in batch])
        sources = [source for rows in batch for source in rows.sources]
        return [Refused(source, "no") for source in sources if source.offset in self.refuse]

    def interrupt(self) -> None:
        self.interrupted.set()

    def resume(self) -> None:
        self.interrupted.clear()

    def cancel_transaction(self) -> None: ...

    def disconnect(self) -> None: ...


class Sent:
    """Dead letters as they were sent."""

    def __init__(self) -> None:
        self.letters: list[DeadLetter] = []

    async def send(self, letters: Sequence[DeadLetter]) -> None:
        await asyncio.sleep(0.01)
        self.letters += letters


Scenario = Callable[[BatchStore, FakeWriter, Sent], Awaitable[None]]


def play(scenario: Scenario, most_rows: int = 10) -> None:
    async def run() -> None:
        writer, sent = FakeWriter(), Sent()
        store = BatchStore(writer, sent.send, most_rows)  # type: ignore[arg-type]
        try:
            await asyncio.wait_for(scenario(store, writer, sent), 20)
        finally:
            await store.stop()

    asyncio.run(run())


async def run_pending(*tasks: asyncio.Task[Any]) -> None:
    """Let everything that can happen now happen."""
    for _ in range(20):
        await asyncio.sleep(0.002)


def test_batches_that_arrive_during_a_transaction_share_the_next_one() -> None:
    async def scenario(store: BatchStore, writer: FakeWriter, sent: Sent) -> None:
        writer.open.clear()
        tasks = [asyncio.ensure_future(store.store(good(p, 1, 2, 3))) for p in range(6)]
        await run_pending(*tasks)
        assert not any(task.done() for task in tasks)
        writer.open.set()
        assert await asyncio.gather(*tasks) == [True] * 6
        assert writer.transactions == [[3, 3, 3], [3, 3, 3]]
        assert store.rows_of_partition == {("smartmeter", partition): 3 for partition in range(6)}

    play(scenario)


def test_a_batch_larger_than_a_transaction_should_be_is_written_whole() -> None:
    async def scenario(store: BatchStore, writer: FakeWriter, sent: Sent) -> None:
        assert await store.store(good(0, *range(25)))
        assert writer.transactions == [[25]]

    play(scenario)


def test_a_batch_is_done_only_after_its_dead_letters_are_acknowledged() -> None:
    async def scenario(store: BatchStore, writer: FakeWriter, sent: Sent) -> None:
        writer.refuse = {2}
        records = [*good(3, 1, 2).records, Record(3, b"{", partition=3)]
        assert await store.store(batch_of(METRICS.name, 0, records))
        assert [(letter.offset, letter.reasons) for letter in sent.letters] == [
            (3, ["NOT_JSON"]),
            (2, ["REFUSED_BY_DATABASE"]),
        ]

    play(scenario)


def test_a_refused_dead_letter_does_not_make_another_one() -> None:
    async def scenario(store: BatchStore, writer: FakeWriter, sent: Sent) -> None:
        letter = msgspec.json.encode(refused(Record(1, b""), "no"))
        writer.refuse = {7}
        records = [Record(7, letter, topic=DEAD_LETTERS.name)]
        assert await store.store(batch_of(DEAD_LETTERS.name, 0, records))
        assert writer.transactions == [[1], [1]]
        assert sent.letters == []
        assert store.lost_letters == 1

    play(scenario)


def test_an_error_reaches_everyone_who_waits_for_the_transaction() -> None:
    async def scenario(store: BatchStore, writer: FakeWriter, sent: Sent) -> None:
        writer.error = RuntimeError("a bug")
        outcomes = await asyncio.gather(
            store.store(good(0, 1)), store.store(good(1, 1)), return_exceptions=True
        )
        assert [str(outcome) for outcome in outcomes] == ["a bug", "a bug"]

    play(scenario)


def test_abort_drops_every_batch_that_is_not_written() -> None:
    async def scenario(store: BatchStore, writer: FakeWriter, sent: Sent) -> None:
        writer.open.clear()
        tasks = [asyncio.ensure_future(store.store(good(p, *range(10)))) for p in range(3)]
        await run_pending(*tasks)
        store.abort()
        assert await asyncio.gather(*tasks) == [False, False, False]
        assert not await store.store(good(0, 1))
        writer.open.set()
        store.resume()
        assert await store.store(good(0, 1))
        assert writer.transactions == [[1]]

    play(scenario)


def test_abort_ends_the_wait_for_brokers_that_accept_no_dead_letters() -> None:
    async def scenario(store: BatchStore, writer: FakeWriter, sent: Sent) -> None:
        never = asyncio.Event()

        async def send(letters: Sequence[DeadLetter]) -> None:
            await never.wait()

        stuck = BatchStore(writer, send, 10)  # type: ignore[arg-type]
        task = asyncio.ensure_future(stuck.store(batch_of(METRICS.name, 0, [Record(1, b"{")])))
        await run_pending(task)
        assert not task.done()
        stuck.abort()
        assert await task is False
        await stuck.stop()

    play(scenario)


@pytest.mark.parametrize("count", [1, 5])
def test_batches_that_arrive_one_by_one_are_written_one_by_one(count: int) -> None:
    async def scenario(store: BatchStore, writer: FakeWriter, sent: Sent) -> None:
        for _ in range(count):
            assert await store.store(good(0, 1))
        assert writer.transactions == [[1]] * count

    play(scenario)
