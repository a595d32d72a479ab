"""A topic is read from its end once; then only what has come is read, and nothing twice."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from gridwatch.http.reply import Problem
from gridwatch.views import following
from gridwatch.views.following import FRESH_SECONDS, IDLE_SECONDS, Following, Waiting
from gridwatch.views.log_tail import Record, Tail
from tests.unit.views.fakes import Log


class Kept:
    """Everything that was handed on."""

    def __init__(self) -> None:
        self.taken: list[tuple[int, int]] = []
        self.first: list[tuple[int, int]] = []
        self.settled = self.forgotten = 0

    def take(self, record: Record) -> None:
        self.taken.append((record.partition, record.offset))

    def begin_at(self, record: Record) -> None:
        self.first.append((record.partition, record.offset))

    def settle(self) -> None:
        self.settled += 1

    def forget(self) -> None:
        self.taken.clear()
        self.forgotten += 1


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def records(partition: int, *offsets: int) -> list[Record]:
    return [Record(partition, offset, 0, None, b"") for offset in offsets]


def follow(topic: dict[int, list[Record]], scanned: int = 3) -> tuple[Following, Kept, Clock, Log]:
    kept, clock, log = Kept(), Clock(), Log(t=topic)
    return Following(cast(Any, log), "t", [0, 1], kept, scanned=scanned, clock=clock), kept, clock, log


def test_the_end_is_read_first_and_then_what_has_come() -> None:
    topic = {0: records(0, 0, 1, 2, 3, 4), 1: []}
    following, kept, clock, _ = follow(topic)
    asyncio.run(following.update())
    assert (kept.taken, kept.first) == ([(0, 2), (0, 3), (0, 4)], [(0, 2)])
    topic[0] += records(0, 5)
    topic[1] += records(1, 0, 1)
    clock.now += FRESH_SECONDS
    asyncio.run(following.update())
    assert kept.taken[3:] == [(0, 5), (1, 0), (1, 1)]
    assert kept.first == [(0, 2), (1, 0)]
    assert kept.settled == 2


def test_much_that_has_come_is_taken_bit_by_bit_and_without_a_hole() -> None:
    topic = {0: records(0, 0), 1: []}
    following, kept, clock, _ = follow(topic, scanned=2)
    asyncio.run(following.update())
    topic[0] += records(0, *range(1, 6))
    for _ in range(3):
        clock.now += FRESH_SECONDS
        asyncio.run(following.update())
    assert kept.taken == [(0, offset) for offset in range(6)]


def test_requests_of_one_moment_share_a_read() -> None:
    following, kept, _, log = follow({0: records(0, 0), 1: []})

    async def together() -> None:
        await asyncio.gather(*(following.update() for _ in range(5)))

    asyncio.run(together())
    assert (log.looks, kept.taken) == (1, [(0, 0)])


def test_a_topic_that_nobody_asked_for_in_a_while_is_read_from_its_end_again() -> None:
    topic = {0: records(0, 0, 1), 1: []}
    following, kept, clock, _ = follow(topic)
    asyncio.run(following.update())
    topic[0] += records(0, *range(2, 100))
    clock.now += IDLE_SECONDS + 1
    asyncio.run(following.update())
    assert (kept.forgotten, kept.taken) == (1, [(0, 97), (0, 98), (0, 99)])


def test_another_topic_of_the_same_name_is_read_anew() -> None:
    topic = {0: records(0, 7, 8), 1: []}
    following, kept, clock, log = follow(topic)
    asyncio.run(following.update())

    async def from_the_beginning(*asked: Any, **how: Any) -> Tail:
        # What a broker answers when an offset is beyond its end: the earliest records.
        return Tail(records(0, 0, 1), {0: records(0, 0)[0]})

    cast(Any, log).read = from_the_beginning
    clock.now += FRESH_SECONDS
    asyncio.run(following.update())
    assert (kept.forgotten, kept.taken) == (1, [(0, 0), (0, 1)])


def test_a_failed_read_is_said_and_the_next_one_goes_on_where_it_was() -> None:
    topic = {0: records(0, 0), 1: []}
    following, kept, clock, log = follow(topic)
    asyncio.run(following.update())
    read = log.read

    async def away(*asked: Any, **how: Any) -> Tail:
        raise Problem(503, "t cannot be read")

    cast(Any, log).read = away
    clock.now += FRESH_SECONDS
    with pytest.raises(Problem):
        asyncio.run(following.update())
    cast(Any, log).read = read
    topic[0] += records(0, 1)
    asyncio.run(following.update())
    assert kept.taken == [(0, 0), (0, 1)]


def test_a_read_that_is_cancelled_half_way_takes_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "SLICE_RECORDS", 1)
    one, kept, _, _ = follow({0: records(0, 0, 1, 2), 1: []})

    async def cut() -> None:
        task = asyncio.ensure_future(one.update())
        for _ in range(2):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert 0 < len(kept.taken) < 3
        await one.update()

    asyncio.run(cut())
    assert kept.taken == [(0, 0), (0, 1), (0, 2)]


def test_a_long_topic_is_read_in_several_goes_and_none_is_lost() -> None:
    topic = {0: records(0, *range(9)), 1: []}
    following, kept, _, log = follow(topic, scanned=9)
    read = log.read

    async def one_at_a_time(name: str, ranges: Any, wanted: Any, *, cut_short: bool) -> Tail:
        assert cut_short
        found = await read(name, ranges, wanted)
        return Tail(found.records[:1], found.first, whole=len(found.records) <= 1)

    cast(Any, log).read = one_at_a_time
    for done in (3, 6):
        with pytest.raises(Problem, match="still being read"):
            asyncio.run(following.update())
        assert (len(kept.taken), kept.settled, following.begun) == (done, 0, False)
    asyncio.run(following.update())
    assert kept.taken == [(0, offset) for offset in range(9)]
    assert (kept.settled, following.begun) == (1, True)


def test_a_page_waits_a_little_while_and_the_read_goes_on_after_it() -> None:
    async def waited() -> tuple[list[str | None], int]:
        read, reads = asyncio.Event(), 0

        async def reading() -> None:
            nonlocal reads
            reads += 1
            await read.wait()

        waiting = Waiting(reading, read.is_set)
        answers = [await waiting.read_within(0.001), await waiting.read_within(0.001)]
        read.set()
        answers.append(await waiting.read_within(5))
        return answers, reads

    assert asyncio.run(waited()) == ([None, None, ""], 1)


def test_what_was_read_before_can_be_shown_while_more_is_read() -> None:
    async def waited() -> str | None:
        waiting = Waiting(lambda: asyncio.sleep(60), lambda: True)
        answer = await waiting.read_within(0.001)
        waiting.close()
        return answer

    assert asyncio.run(waited()) == ""


def test_a_read_that_failed_says_why_and_is_tried_again() -> None:
    async def waited() -> list[str | None]:
        problems = [Problem(503, "away")]

        async def reading() -> None:
            if problems:
                raise problems.pop()

        waiting = Waiting(reading, lambda: False)
        return [await waiting.read_within(5), await waiting.read_within(5)]

    assert asyncio.run(waited()) == ["away", ""]
