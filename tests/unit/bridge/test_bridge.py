"""Messages are acknowledged in the order in which they came, and never before all of their rows are."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from gridwatch.bridge.bridge import MOST_PENDING_BYTES, Bridge
from gridwatch.bridge.session import Delivery, Session
from gridwatch.bridge.translation import Message, Output, Translator
from gridwatch.kafka.appending import Ack, RecordAppender
from tests.unit.bridge.looping import on_a_loop


class Appender:
    """Each append has the ack of its group; a group ends when the test says so."""

    def __init__(self) -> None:
        self.pending_bytes = 0
        self.rows: list[tuple[str, int, bytes]] = []
        self.groups: dict[tuple[str, int], Ack] = {}

    def append(self, topic: str, partition: int, rows: Sequence[tuple[bytes, bytes]]) -> Ack:
        self.rows += [(topic, partition, value) for _, value in rows]
        if (topic, partition) not in self.groups:
            self.groups[topic, partition] = asyncio.get_running_loop().create_future()
        return self.groups[topic, partition]

    async def acknowledge(self, topic: str, partition: int) -> None:
        group = self.groups.pop((topic, partition), None)
        if group is not None:
            group.set_result(None)
        await asyncio.sleep(0)


class Acknowledged:
    """A session that notes what is acknowledged."""

    def __init__(self) -> None:
        self.packets: list[int] = []

    def acknowledge(self, delivery: Delivery) -> None:
        self.packets.append(delivery.packet)


class Rows:
    """A translator to the partitions that a payload names: b"0 2" becomes two rows."""

    def translate(self, message: Message) -> list[Output]:
        return [Output("t", int(at), b"", message.payload) for at in message.payload.split()]


def delivery(payload: bytes, packet: int, qos: int = 1) -> Delivery:
    return Delivery(Message("topic", payload, qos, False, False, 0), 1, packet)


def bridged() -> tuple[Bridge, Appender, Acknowledged]:
    appender, session = Appender(), Acknowledged()
    bridge = Bridge(cast(Translator, Rows()), cast(RecordAppender, appender))
    bridge.session = cast(Session, session)
    return bridge, appender, session


@on_a_loop
async def test_a_message_waits_for_those_before_it() -> None:
    bridge, appender, session = bridged()
    bridge.receive(delivery(b"0", 1))
    bridge.receive(delivery(b"1", 2))
    await appender.acknowledge("t", 1)
    assert session.packets == [] and bridge.unacknowledged == 2
    await appender.acknowledge("t", 0)
    assert session.packets == [1, 2] and bridge.unacknowledged == 0


@on_a_loop
async def test_every_row_of_a_message_is_waited_for() -> None:
    bridge, appender, session = bridged()
    bridge.receive(delivery(b"0 1 2", 1))
    for partition in (2, 0):
        await appender.acknowledge("t", partition)
        assert session.packets == []
    await appender.acknowledge("t", 1)
    assert session.packets == [1]


@on_a_loop
async def test_a_message_without_rows_is_acknowledged_in_its_turn() -> None:
    bridge, appender, session = bridged()
    bridge.receive(delivery(b"", 1))
    assert session.packets == [1]
    bridge.receive(delivery(b"0", 2))
    bridge.receive(delivery(b"", 3))
    assert session.packets == [1]
    await appender.acknowledge("t", 0)
    assert session.packets == [1, 2, 3]


@on_a_loop
async def test_messages_of_qos_0_are_not_waited_for() -> None:
    bridge, appender, session = bridged()
    bridge.receive(delivery(b"0", 0, qos=0))
    assert bridge.unacknowledged == 0 and len(appender.rows) == 1
    await appender.acknowledge("t", 0)
    assert session.packets == []


@on_a_loop
async def test_messages_of_qos_0_are_dropped_beyond_the_limit_and_others_are_not() -> None:
    bridge, appender, _ = bridged()
    appender.pending_bytes = MOST_PENDING_BYTES
    bridge.receive(delivery(b"0", 0, qos=0))
    appender.pending_bytes += 1
    bridge.receive(delivery(b"1", 0, qos=0))
    bridge.receive(delivery(b"2", 1))
    assert [partition for _, partition, _ in appender.rows] == [0, 2]
    assert bridge.dropped == 1


@pytest.mark.parametrize("how", ["cancelled", "failed"])
@on_a_loop
async def test_rows_that_will_never_be_there_are_not_acknowledged(how: str) -> None:
    bridge, appender, session = bridged()
    failures: list[BaseException] = []
    bridge.fail = failures.append
    bridge.receive(delivery(b"0", 1))
    bridge.receive(delivery(b"1", 2))
    lost = appender.groups["t", 0]
    if how == "cancelled":
        lost.cancel()
    else:
        lost.set_exception(OSError("x"))
    await appender.acknowledge("t", 1)
    bridge.receive(delivery(b"", 3))
    assert session.packets == [] and bridge.unacknowledged == 3
    assert list(map(str, failures)) == ([] if how == "cancelled" else ["x"])


@on_a_loop
async def test_before_there_is_a_session_nothing_fails() -> None:
    bridge, _, _ = bridged()
    bridge.session = None
    bridge.receive(delivery(b"", 1))
    assert bridge.unacknowledged == 0


ACTIONS = some.lists(
    some.lists(some.integers(0, 3), max_size=3) | some.integers(0, 3).map(lambda at: -1 - at), max_size=40
)


@settings(max_examples=200)
@given(ACTIONS)
def test_acknowledged_is_always_the_longest_beginning_whose_rows_are_there(actions: list[Any]) -> None:
    async def play() -> None:
        bridge, appender, session = bridged()
        waiting: list[set[Ack]] = []
        for action in actions:
            if isinstance(action, int):
                await appender.acknowledge("t", -1 - action)
            else:
                bridge.receive(delivery(b" ".join(b"%d" % at for at in action), len(waiting) + 1))
                waiting.append({appender.groups["t", at] for at in action})
            done = 0
            while done < len(waiting) and all(ack.done() for ack in waiting[done]):
                done += 1
            assert session.packets == list(range(1, done + 1))
            assert bridge.unacknowledged == len(waiting) - done

    asyncio.run(play())
