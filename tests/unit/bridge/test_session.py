"""The session against a broker of a few lines, which sends what a test wants."""

from __future__ import annotations

import asyncio

import pytest

from gridwatch.backoff import BackOff
from gridwatch.bridge import session as module
from gridwatch.bridge.config import Broker
from gridwatch.bridge.session import Delivery, Session
from tests.unit.bridge.looping import on_a_loop
from tests.unit.bridge.peer import DISCONNECT, running


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BACK_OFF", BackOff(first=0.01, most=0.01))
    monkeypatch.setattr(module, "_MISC_SECONDS", 0.05)


@on_a_loop
async def test_it_is_ready_once_it_is_subscribed_and_not_before() -> None:
    async with running() as home:
        peer = await home.connected()
        peer.accept()
        await home.until(lambda: home.session.connected)
        assert home.session.problem
        await peer.subscribed()
        await home.until(lambda: not home.session.problem)


@on_a_loop
async def test_version_5_asks_for_retained_messages_of_new_subscriptions_only() -> None:
    async with running() as home:
        for kept in (False, True):
            peer = await home.connected()
            peer.accept(kept=kept)
            asked = await peer.subscribed()
            assert asked == b"\0\0\1t" + bytes([1 << 4 | 1])
            peer.writer.close()


@on_a_loop
async def test_version_3_subscribes_again_only_where_the_broker_has_forgotten() -> None:
    async with running(version="3.1.1") as home:
        peer = await home.connected()
        peer.accept(newer=False)
        peer.writer.close()  # before it is subscribed
        peer = await home.connected()
        peer.accept(kept=True, newer=False)
        await peer.subscribed(newer=False)
        await home.until(lambda: not home.session.problem)
        peer.writer.close()
        peer = await home.connected()
        peer.accept(kept=True, newer=False)
        await home.until(lambda: not home.session.problem)
        peer.writer.close()
        peer = await home.connected()
        peer.accept(newer=False)
        await peer.subscribed(newer=False)


@on_a_loop
async def test_a_refusal_is_named_without_the_password_and_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with running() as home:
        for _ in range(3):
            peer = await home.connected()
            peer.accept(reason=0x87)
        await home.until(lambda: "Not authorized" in home.session.problem)
        assert "refuses" in home.session.problem and "hunter2" not in caplog.text + home.session.problem
        assert len([one for one in caplog.records if "refuses" in one.message]) == 1
        peer = await home.connected()
        peer.accept()
        await peer.subscribed()
        await home.until(lambda: not home.session.problem)


@on_a_loop
async def test_a_subscription_that_is_refused_is_asked_for_again_and_others_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_REFUSED_SECONDS", 0.1)
    async with running(("t", "u")) as home:
        peer = await home.connected()
        peer.accept()
        await peer.subscribed(1, 0x87)
        await home.until(lambda: "refuses to subscribe us to u" in home.session.problem)
        peer.publish(1)
        await home.until(lambda: home.received)
        home.session.acknowledge(home.received[0])
        assert await peer.next() == (0x40, b"\0\1")
        asked = await peer.subscribed(1)
        assert asked == b"\0\0\1u" + bytes([1 << 4 | 1])
        await home.until(lambda: not home.session.problem)


@on_a_loop
async def test_acknowledgements_are_sent_on_the_connection_of_their_message_only() -> None:
    async with running() as home:
        peer = await home.connected()
        peer.accept()
        await peer.subscribed()
        peer.publish(1)
        peer.publish(2)
        await home.until(lambda: len(home.received) == 2)
        home.session.acknowledge(home.received[0])
        assert await peer.next() == (0x40, b"\0\1")
        peer.writer.close()
        peer = await home.connected()
        home.session.acknowledge(home.received[1])  # not connected yet
        peer.accept(kept=True)
        await peer.subscribed()
        await home.until(lambda: not home.session.problem)
        home.session.acknowledge(home.received[1])  # of the connection before
        peer.publish(2)
        await home.until(lambda: len(home.received) == 3)
        home.session.acknowledge(home.received[2])
        assert await peer.next() == (0x40, b"\0\2")
        peer.send(0xE0, b"\x8b\0")  # the broker goes down: nothing else was sent before
        await home.connected()


@on_a_loop
async def test_messages_that_come_with_the_acceptance_are_received_after_it() -> None:
    async with running() as home:
        peer = await home.connected()
        peer.accept(kept=True)
        for packet in (1, 2, 3):
            peer.publish(packet)
        await home.until(lambda: len(home.received) == 3)
        for delivery in home.received:
            home.session.acknowledge(delivery)
        heads = [await peer.next() for _ in range(4)]
        assert [one.content for one in heads if one.head == 0x40] == [b"\0\1", b"\0\2", b"\0\3"]


@on_a_loop
async def test_what_is_not_mqtt_ends_the_connection_and_is_named() -> None:
    async with running() as home:
        for content in (b"\0\0", b"\x34\x07\0\1t\0\1\0x", b"\x30\xff\xff\xff\xff\xff"):
            peer = await home.connected()
            peer.writer.write(content)
        await home.until(lambda: "cannot be read" in home.session.problem)
        peer = await home.connected()
        peer.accept()
        await peer.subscribed()
        await home.until(lambda: not home.session.problem)


@on_a_loop
async def test_a_message_that_cannot_be_received_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running() as home:
        failing = [True]

        def receive(delivery: Delivery) -> None:
            if failing.pop():
                raise LookupError("a mistake")
            home.received.append(delivery)

        failing = [False, True]
        monkeypatch.setattr(home.session, "_received", receive)
        peer = await home.connected()
        peer.accept()
        await peer.subscribed()
        peer.publish(1)
        peer = await home.connected()
        assert "a mistake" in home.session.problem
        peer.accept(kept=True)
        await peer.subscribed()
        peer.publish(1)
        await home.until(lambda: home.received)


@on_a_loop
async def test_it_connects_only_while_there_is_room_for_what_comes() -> None:
    async with running() as home:
        peer = await home.connected()
        home.room = False
        peer.writer.close()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(home.peers.get(), 0.4)
        home.room = True
        await home.connected()


@on_a_loop
async def test_it_leaves_with_a_farewell_so_that_the_session_is_kept() -> None:
    async with running() as home:
        peer = await home.connected()
        peer.accept()
        await peer.subscribed()
        await home.until(lambda: not home.session.problem)
        await home.session.stop()
        assert (await peer.next()).head == DISCONNECT


@pytest.mark.parametrize("broker", [Broker(port=1), Broker(host="no.such.host.invalid"), Broker(host="\0")])
def test_a_broker_that_cannot_be_reached_is_named_and_tried_again(broker: Broker) -> None:
    async def play() -> None:
        session = Session(broker, ["t"], lambda _delivery: None, may_connect=lambda: True)
        task = asyncio.ensure_future(session.run())
        async with asyncio.timeout(20):
            while session.connection < 3:  # noqa: ASYNC110 - likewise
                await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert session.problem.startswith(f"no MQTT broker at {broker.address}")

    asyncio.run(play())


def test_a_certificate_that_is_none_is_named_and_tried_again() -> None:
    async def play() -> None:
        broker = Broker(tls=True, ca_file=__file__)
        session = Session(broker, ["t"], lambda _delivery: None, may_connect=lambda: True)
        task = asyncio.ensure_future(session.run())
        async with asyncio.timeout(20):
            while session.connection < 3:  # noqa: ASYNC110 - likewise
                await asyncio.sleep(0.02)
        assert not task.done() and session.problem
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(play())
