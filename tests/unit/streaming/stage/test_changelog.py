"""The one writer of a changelog partition: fenced by offset and by epoch, patient with outages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import (
    InvalidProducerEpoch,
    KafkaConnectionError,
    KafkaError,
    NotLeaderForPartitionError,
    ProducerFenced,
)
from aiokafka.record.memory_records import MemoryRecords

from gridwatch.errors import GridwatchError
from gridwatch.settings import Settings, load_settings
from gridwatch.streaming.stage import changelog
from gridwatch.streaming.stage.changelog import ChangelogWriter, FencedError
from gridwatch.tables.layout import FENCE_KEY
from tests.unit.retries import ImmediateRetries

FENCE = (FENCE_KEY, b"")
Rows = list[tuple[bytes | None, bytes | None]]


class Partition:
    """A changelog partition at its broker: the rows, and the epoch that may write.

    ``faults`` has what happens to the next appends: None goes well; an error before anything is written; an
    error in a tuple after all is written, so that only the ack is lost. ``away`` has what happens to the
    next connections.
    """

    def __init__(self, *rows: tuple[bytes | None, bytes | None]) -> None:
        self.rows: Rows = list(rows)
        self.batches: list[int] = []
        self.epoch = 0
        self.faults: list[KafkaError | tuple[KafkaError] | None] = []
        self.away: list[KafkaError] = []
        self.producers: list[Producer] = []

    async def start_producer(self, settings: Settings, client_id: str, *, transactional_id: str) -> Producer:
        if self.away:
            raise self.away.pop(0)
        assert client_id == transactional_id
        self.producers.append(Producer(self, transactional_id))
        return self.producers[-1]


class Producer:
    """An idempotent producer of ``Partition``."""

    def __init__(self, partition: Partition, transactional_id: str) -> None:
        self._partition = partition
        self._epoch = -1
        self.name = transactional_id
        self.stopped = False
        self._txn_manager = SimpleNamespace(wait_for_pid=self._take, transactional_id=transactional_id)

    async def _take(self) -> None:
        self._partition.epoch += 1
        self._epoch = self._partition.epoch

    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> asyncio.Future[Any]:
        assert (topic, partition) == ("log", 5)
        assert self._txn_manager.transactional_id is None, "a transaction would leave its mark in the log"
        assert not self.stopped, "it was discarded"
        ack: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        try:
            ack.set_result(SimpleNamespace(offset=self._append(batch)))
        except KafkaError as error:
            ack.set_exception(error)
        return ack

    def _append(self, batch: Any) -> int:
        log = self._partition
        fault = log.faults.pop(0) if log.faults else None
        if isinstance(fault, KafkaError):
            raise fault
        if self._epoch < log.epoch:
            raise InvalidProducerEpoch()
        offset = len(log.rows)
        records = MemoryRecords(b"".join(batch._build())).next_batch()
        assert records is not None
        log.rows += [(record.key, record.value) for record in records]
        log.batches.append(len(log.rows) - offset)
        if fault is not None:
            raise fault[0]
        return offset

    async def stop(self) -> None:
        self.stopped = True


@pytest.fixture
def writer(monkeypatch: pytest.MonkeyPatch) -> Callable[[Partition, int], ChangelogWriter]:
    """A writer of a partition that has been read up to an offset."""
    monkeypatch.setattr(changelog, "Retries", ImmediateRetries)
    logs: list[Partition] = []

    async def start_producer(settings: Settings, client_id: str, **extra: Any) -> Producer:
        return await logs[0].start_producer(settings, client_id, **extra)

    monkeypatch.setattr(changelog, "start_producer", start_producer)

    def made(log: Partition, read_up_to: int) -> ChangelogWriter:
        logs[:] = [log]
        return ChangelogWriter(load_settings(broker="nowhere:1"), "meters", "log", 5, read_up_to)

    return made


OLD = (b"A", b"old")
NEW: Rows = [(b"A", b"new"), (b"B", None)]


def test_a_fence_comes_right_after_what_was_read_and_after_the_first_rows(writer: Any) -> None:
    log = Partition(OLD)
    one = writer(log, 1)
    assert asyncio.run(one.fence([(b"B", None)])) == 2
    assert log.rows == [OLD, (b"B", None), FENCE]
    assert log.batches == [2]
    assert [producer.name for producer in log.producers] == ["meters-5"]


def test_each_append_is_one_batch_right_after_the_one_before(writer: Any) -> None:
    log = Partition()
    one = writer(log, 0)

    async def scenario() -> list[int]:
        return [await one.fence(), await one.append(NEW, 7), await one.append([OLD], 8)]

    assert asyncio.run(scenario()) == [0, 2, 3]
    assert log.rows == [FENCE, *NEW, OLD]
    assert log.batches == [1, 2, 1]
    assert len(log.producers) == 1


def test_nothing_is_appended_before_the_partition_is_fenced(writer: Any) -> None:
    log = Partition()
    with pytest.raises(FencedError, match=r"log\[5\] is not fenced"):
        asyncio.run(writer(log, 0).append(NEW, 7))
    assert log.rows == []


@pytest.mark.parametrize(
    ("read_up_to", "message"), [(0, "is at 1, read up to 0$"), (3, "read up to 3: it has lost rows")]
)
def test_a_log_that_does_not_end_where_it_was_read_to_cannot_be_fenced(
    writer: Any, read_up_to: int, message: str
) -> None:
    log = Partition(OLD)
    with pytest.raises(FencedError, match=message):
        asyncio.run(writer(log, read_up_to).fence())
    assert [producer.stopped for producer in log.producers] == [True]


def test_whoever_wrote_in_between_fences_the_next_append(writer: Any) -> None:
    log = Partition()
    one = writer(log, 0)

    async def scenario() -> None:
        await one.fence()
        log.rows.append((b"stranger", b"x"))
        with pytest.raises(FencedError, match="is at 2, read up to 1"):
            await one.append(NEW, 7)

    asyncio.run(scenario())


def test_a_fenced_writer_writes_nothing_more(writer: Any) -> None:
    log = Partition()
    former = writer(log, 0)

    async def scenario() -> None:
        await former.fence()
        await writer(log, 1).fence()
        with pytest.raises(FencedError, match="fenced by another worker"):
            await former.append(NEW, 7)

    asyncio.run(scenario())
    assert log.rows == [FENCE, FENCE]


@pytest.mark.parametrize("replaced", [ProducerFenced(), InvalidProducerEpoch()])
def test_a_producer_that_was_replaced_is_not_tried_again(writer: Any, replaced: KafkaError) -> None:
    log = Partition()
    one = writer(log, 0)

    async def scenario() -> None:
        await one.fence()
        log.faults = [replaced]
        with pytest.raises(FencedError, match="fenced by another worker") as fenced:
            await one.append(NEW, 7)
        assert fenced.value.__cause__ is replaced

    asyncio.run(scenario())
    assert log.rows == [FENCE]
    assert len(log.producers) == 1


def test_an_outage_while_fencing_is_retried(writer: Any) -> None:
    log = Partition()
    log.away = [KafkaConnectionError(), KafkaConnectionError()]
    log.faults = [NotLeaderForPartitionError()]
    assert asyncio.run(writer(log, 0).fence([OLD])) == 1
    assert log.rows == [OLD, FENCE]
    assert [producer.stopped for producer in log.producers] == [True, False]


def test_an_outage_at_an_append_fences_the_partition_again_and_appends_once(writer: Any) -> None:
    log = Partition()
    one = writer(log, 0)

    async def scenario() -> int:
        await one.fence()
        log.faults = [KafkaConnectionError()]
        log.away = [KafkaConnectionError()]
        last: int = await one.append(NEW, 7)
        return last

    assert asyncio.run(scenario()) == 3
    assert log.rows == [FENCE, FENCE, *NEW]
    assert [producer.stopped for producer in log.producers] == [True, False]


def test_an_append_whose_ack_was_lost_is_not_appended_again(writer: Any) -> None:
    log = Partition()
    one = writer(log, 0)

    async def scenario() -> None:
        await one.fence()
        log.faults = [(KafkaConnectionError(),)]
        with pytest.raises(FencedError, match="is at 3, read up to 1"):
            await one.append(NEW, 7)

    asyncio.run(scenario())
    assert log.rows == [FENCE, *NEW, FENCE]
    assert all(producer.stopped for producer in log.producers)


def test_rows_that_do_not_fit_one_batch_are_refused_as_a_whole(
    writer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Partition()
    one = writer(log, 0)

    async def scenario() -> None:
        await one.fence()
        monkeypatch.setattr(changelog, "CHANGELOG_BATCH_BYTES", 300)
        with pytest.raises(GridwatchError, match="log: 3 state rows do not fit one record batch"):
            await one.append([(b"A", b"x" * 100)] * 3, 7)
        assert await one.append([(b"A", b"x" * 100)] * 2, 7) == 2

    asyncio.run(scenario())
    assert log.batches == [1, 2]


def test_a_closed_writer_is_disconnected_and_closing_again_does_no_harm(writer: Any) -> None:
    log = Partition()
    one = writer(log, 0)

    async def scenario() -> None:
        await one.fence()
        await one.close()
        await one.close()
        with pytest.raises(FencedError, match="is not fenced"):
            await one.append(NEW, 7)

    asyncio.run(scenario())
    assert [producer.stopped for producer in log.producers] == [True]
