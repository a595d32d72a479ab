"""Appending: in order, in groups, and acknowledged only when the brokers did."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

import pytest

from gridwatch.kafka.appending import RecordAppender
from gridwatch.kafka.emission import Emitter
from gridwatch.kafka.packing import Packed, Row, pack


class Fake:
    """An emitter that acknowledges a group when it is told to."""

    def __init__(self) -> None:
        self.waiting_since: float | None = None
        self.last_error = ""
        self.groups: list[tuple[str, int, int]] = []
        """Topic, partition and records of each group, as they were begun."""
        self.bodies: dict[int, list[bytes]] = {}
        self._held: dict[int, asyncio.Event] = {}

    def hold(self, partition: int) -> None:
        """Acknowledge nothing of a partition until `release`."""
        self._held[partition] = asyncio.Event()

    def release(self, partition: int) -> None:
        self._held.pop(partition).set()

    async def deliver(self, topic: str, partition: int, batches: Sequence[Packed], timestamp: int) -> None:
        assert timestamp > 1_700_000_000_000
        self.groups.append((topic, partition, sum(batch.count for batch in batches)))
        pieces = b"".join(b"".join(batch.pieces(0, (-1, -1, -1))[2:]) for batch in batches)
        self.bodies.setdefault(partition, []).append(pieces)
        if held := self._held.get(partition):
            await held.wait()


def rows(*values: bytes) -> list[Row]:
    return [(b"key", value) for value in values]


def content(*groups: Sequence[Row]) -> list[bytes]:
    """What the groups look like when they are sent."""
    return [
        b"".join(b"".join(batch.pieces(0, (-1, -1, -1))[2:]) for batch in pack(group)) for group in groups
    ]


def appending(test: Callable[[RecordAppender, Fake], Awaitable[Any]]) -> None:
    async def run() -> None:
        fake = Fake()
        await test(RecordAppender(cast(Emitter, fake)), fake)

    asyncio.run(asyncio.wait_for(run(), 5))


async def settled() -> None:
    """Let everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


def test_rows_that_come_while_a_group_is_under_way_go_as_one_in_their_order() -> None:
    async def test(appender: RecordAppender, fake: Fake) -> None:
        fake.hold(3)
        first = appender.append("raw", 3, rows(b"1"))
        await settled()
        later = [appender.append("raw", 3, rows(b"%d" % number, b"x")) for number in range(2, 6)]
        await settled()
        assert fake.groups == [("raw", 3, 1)]
        assert first is not later[0] and len(set(later)) == 1
        fake.release(3)
        await asyncio.wait([first, *later])
        assert fake.groups == [("raw", 3, 1), ("raw", 3, 8)]
        second = [row for number in range(2, 6) for row in rows(b"%d" % number, b"x")]
        assert fake.bodies[3] == content(rows(b"1"), second)

    appending(test)


def test_rows_of_one_turn_of_the_loop_are_one_group() -> None:
    async def test(appender: RecordAppender, fake: Fake) -> None:
        acks = {appender.append("raw", 0, rows(b"%d" % number)) for number in range(100)}
        await asyncio.wait(acks)
        assert fake.groups == [("raw", 0, 100)]

    appending(test)


def test_an_ack_comes_only_after_the_emitter_has_delivered() -> None:
    async def test(appender: RecordAppender, fake: Fake) -> None:
        fake.hold(0)
        first = appender.append("raw", 0, rows(b"1"))
        await settled()
        second = appender.append("raw", 0, rows(b"2"))
        await settled()
        assert not first.done() and not second.done()
        fake.release(0)
        fake.hold(0)
        await asyncio.wait([first])
        await settled()
        assert first.done() and not second.done()
        fake.release(0)
        await asyncio.wait([second])

    appending(test)


def test_pending_bytes_are_those_of_keys_and_values_without_an_ack() -> None:
    async def test(appender: RecordAppender, fake: Fake) -> None:
        assert appender.pending_bytes == 0
        fake.hold(0)
        first = appender.append("raw", 0, [(b"ab", b"cde"), (None, b"f"), (b"g", None)])
        assert appender.pending_bytes == 7
        await settled()
        second = appender.append("raw", 0, rows(b"1234"))
        assert appender.pending_bytes == 14
        fake.release(0)
        fake.hold(0)
        await asyncio.wait([first])
        assert appender.pending_bytes == 7
        await settled()
        fake.release(0)
        await asyncio.wait([second])
        assert appender.pending_bytes == 0

    appending(test)


def test_a_slow_partition_holds_up_no_other_and_no_other_topic() -> None:
    async def test(appender: RecordAppender, fake: Fake) -> None:
        fake.hold(0)
        slow = appender.append("raw", 0, rows(b"1"))
        await settled()
        for _ in range(3):
            await asyncio.wait([appender.append("raw", 1, rows(b"2"))])
        assert not slow.done()
        assert [group[1] for group in fake.groups] == [0, 1, 1, 1]
        await settled()
        fake.release(0)
        fake.hold(1)
        await asyncio.wait([slow])
        appender.append("raw", 1, rows(b"3"))
        await settled()
        fake.groups.clear()
        appender.append("other", 1, rows(b"4"))
        await settled()
        assert fake.groups == [("other", 1, 1)], "partition 1 of another topic"
        await appender.stop()

    appending(test)


def test_a_partition_that_was_idle_sends_again() -> None:
    async def test(appender: RecordAppender, fake: Fake) -> None:
        for number in range(3):
            await asyncio.wait([appender.append("raw", 0, rows(b"%d" % number))])
            await settled()
        assert fake.groups == [("raw", 0, 1)] * 3

    appending(test)


def test_a_waiter_that_gives_up_takes_the_ack_from_nobody() -> None:
    async def test(appender: RecordAppender, fake: Fake) -> None:
        fake.hold(0)
        ack = appender.append("raw", 0, rows(b"1"))
        assert ack is appender.append("raw", 0, rows(b"2"))
        _, missing = await asyncio.wait([ack], timeout=0.01)
        assert missing
        fake.release(0)
        await asyncio.wait([ack])
        assert ack.done() and not ack.cancelled()

    appending(test)


def test_stopping_ends_what_is_under_way_without_an_ack() -> None:
    async def test(appender: RecordAppender, fake: Fake) -> None:
        fake.hold(0)
        under_way = appender.append("raw", 0, rows(b"1"))
        await settled()
        waiting = appender.append("raw", 0, rows(b"2"))
        await appender.stop()
        await settled()
        assert not under_way.done() and not waiting.done()
        assert fake.groups == [("raw", 0, 1)]
        await appender.stop()  # nothing is left to stop

    appending(test)


def test_how_long_acks_are_overdue_and_why_is_what_the_emitter_says(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(appender: RecordAppender, fake: Fake) -> None:
        assert (appender.waited, appender.problem) == (0.0, "")
        monkeypatch.setattr("gridwatch.kafka.appending.time.time", lambda: 100.0)
        fake.waiting_since, fake.last_error = 93.0, "no route"
        assert (appender.waited, appender.problem) == (7.0, "no route")
        fake.waiting_since = 101.0  # the clock was set back
        assert appender.waited == 0.0

    appending(test)
