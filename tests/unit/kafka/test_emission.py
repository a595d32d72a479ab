"""Emission: every ack is awaited, and after a failure the next try has a new producer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError, TopicAuthorizationFailedError

from gridwatch.kafka import emission
from gridwatch.kafka.emission import Emitter
from gridwatch.kafka.packing import pack
from gridwatch.settings import Settings, load_settings
from gridwatch.topics import TICK_HEADER
from tests.unit.retries import ImmediateRetries

BATCHES = pack([(b"A", b"1"), (b"B", b"2")])


class Producer:
    """aiokafka's, of which some fail: at sending, or only when the ack is waited for."""

    def __init__(self, *, sends: KafkaError | None = None, acks: KafkaError | None = None) -> None:
        self._sends, self._acks = sends, acks
        self.sent: list[Any] = []
        self.stopped = False

    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> asyncio.Future[None]:
        if self._sends:
            raise self._sends
        self.sent.append((topic, partition, batch.record_count()))
        ack: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._acks:
            ack.set_exception(self._acks)
        else:
            ack.set_result(None)
        return ack

    async def send_and_wait(self, topic: str, **record: Any) -> None:
        if self._sends:
            raise self._sends
        self.sent.append((topic, record))

    async def stop(self) -> None:
        self.stopped = True


class Brokers:
    """What connects: the producers in their order, where an error stands for brokers that are away."""

    def __init__(self, *producers: Producer | KafkaError) -> None:
        self._coming = list(producers)
        self.started: list[Producer] = []

    async def start_producer(self, settings: Settings, client_id: str) -> Producer:
        assert self._coming, "no more producers were expected"
        await asyncio.sleep(0)
        one = self._coming.pop(0)
        if isinstance(one, KafkaError):
            raise one
        self.started.append(one)
        return one


@pytest.fixture
def emitter(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Emitter, Brokers]]:
    """An emitter over the given producers."""

    def made(*producers: Producer | KafkaError) -> tuple[Emitter, Brokers]:
        brokers = Brokers(*producers)
        monkeypatch.setattr(emission, "start_producer", brokers.start_producer)
        monkeypatch.setattr(emission, "Retries", ImmediateRetries)
        return Emitter(load_settings(broker="nowhere:1"), "test"), brokers

    return made


def failing(where: str) -> Producer:
    """A producer that fails there."""
    error = KafkaTimeoutError()
    return Producer(sends=error) if where == "sending" else Producer(acks=error)


@pytest.mark.parametrize("where", ["sending", "the ack"])
def test_a_delivery_that_failed_is_tried_again_with_a_new_producer(emitter: Any, where: str) -> None:
    failed, good = failing(where), Producer()
    one, brokers = emitter(failed, good)

    async def scenario() -> None:
        await one.deliver("out", 3, BATCHES, 7)
        await asyncio.sleep(0)

    asyncio.run(scenario())
    assert brokers.started == [failed, good]
    assert good.sent == [("out", 3, 2)]
    assert (failed.stopped, good.stopped) == (True, False)
    assert one.last_error == ""
    assert one.waiting_since is None


def test_a_producer_that_works_is_reused(emitter: Any) -> None:
    good = Producer()
    one, brokers = emitter(good)

    async def scenario() -> None:
        for _ in range(3):
            await one.deliver("out", 0, BATCHES, 7)
            assert await one.offer("out", 0, BATCHES, 7)
        await one.stop()

    asyncio.run(scenario())
    assert brokers.started == [good]
    assert len(good.sent) == 6
    assert good.stopped


def test_brokers_that_are_away_or_refuse_are_waited_for_and_named(emitter: Any) -> None:
    good = Producer()
    refusing = Producer(acks=TopicAuthorizationFailedError())
    one, _ = emitter(KafkaConnectionError(), KafkaConnectionError(), refusing, good)
    seen: list[tuple[str, bool]] = []

    async def scenario() -> None:
        delivery = asyncio.ensure_future(one.deliver("out", 0, BATCHES, 7))
        while not delivery.done():
            seen.append((one.last_error, one.waiting_since is not None))
            await asyncio.sleep(0)

    asyncio.run(scenario())
    assert ("out: KafkaConnectionError()", True) in seen
    assert ("out: TopicAuthorizationFailedError()", True) in seen
    assert good.sent == [("out", 0, 2)]
    assert one.last_error == ""


def test_partitions_that_fail_together_go_on_with_one_new_producer(emitter: Any) -> None:
    failed, good = failing("the ack"), Producer()
    one, brokers = emitter(failed, good)

    async def scenario() -> None:
        await asyncio.gather(*(one.deliver("out", partition, BATCHES, 7) for partition in range(4)))
        await asyncio.sleep(0)

    asyncio.run(scenario())
    assert brokers.started == [failed, good]
    assert sorted(partition for _, partition, _ in good.sent) == [0, 1, 2, 3]
    assert (failed.stopped, good.stopped) == (True, False)


def test_a_partition_that_fails_later_does_not_take_the_new_producer_from_the_others(emitter: Any) -> None:
    failed, good = Producer(), Producer()
    one, brokers = emitter(failed, good)

    async def scenario() -> None:
        first, second = (asyncio.get_running_loop().create_future() for _ in range(2))
        acks = [first, second]

        async def send_batch(batch: Any, topic: str, *, partition: int) -> asyncio.Future[None]:
            return acks[partition]

        failed.send_batch = send_batch  # type: ignore[method-assign]
        deliveries = [asyncio.ensure_future(one.deliver("out", n, BATCHES, 7)) for n in range(2)]
        await asyncio.sleep(0.01)
        first.set_exception(KafkaTimeoutError())
        await deliveries[0]
        second.set_exception(KafkaTimeoutError())
        await deliveries[1]
        await asyncio.sleep(0)

    asyncio.run(scenario())
    assert brokers.started == [failed, good]
    assert [partition for _, partition, _ in good.sent] == [0, 1]
    assert not good.stopped


def an_offer(one: Emitter) -> Awaitable[bool]:
    return one.offer("metrics", 2, BATCHES, 7)


def a_tick(one: Emitter) -> Awaitable[bool]:
    return one.offer_tick("raw", 2, "2024-01-01T00:00:00Z", 7)


@pytest.mark.parametrize("offer", [an_offer, a_tick])
def test_an_offer_is_tried_once_and_the_next_one_has_a_new_producer(
    emitter: Any, offer: Callable[[Emitter], Awaitable[bool]]
) -> None:
    failed, good = failing("sending"), Producer()
    one, brokers = emitter(KafkaConnectionError(), failed, good)

    async def scenario() -> list[bool]:
        went = [await offer(one) for _ in range(4)]
        await asyncio.sleep(0)
        return went

    assert asyncio.run(scenario()) == [False, False, True, True]
    assert brokers.started == [failed, good]
    assert (failed.stopped, good.stopped) == (True, False)
    assert len(good.sent) == 2


def test_a_tick_has_no_key_the_tick_header_and_the_instant(emitter: Any) -> None:
    good = Producer()
    one, _ = emitter(good)
    assert asyncio.run(one.offer_tick("raw", 2, "2024-01-01T00:00:00Z", 7))
    ((topic, record),) = good.sent
    assert topic == "raw"
    assert record == {
        "key": None,
        "value": b"2024-01-01T00:00:00Z",
        "partition": 2,
        "timestamp_ms": 7,
        "headers": [(TICK_HEADER, b"1")],
    }
