"""Keeps up with a topic for as long as its pages are open.

The first request reads the end of each partition, later ones only what has come since: an open page of
regions costs what the regions write, not a day of them every few seconds. A topic that nobody asked for in a
while is read from its end again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from gridwatch.http.reply import Problem
from gridwatch.views.log_tail import LogTail, OffsetRange, Record

#: How long what was read is served without asking the brokers again, seconds.
FRESH_SECONDS = 2.0
#: After how long without a request a topic is read from its end again, seconds.
IDLE_SECONDS = 600.0
#: Reads that one request waits for while a long topic is read; the next request goes on from there.
MOST_READS = 3
#: Records that are decoded before batches and heartbeats on the same event loop get their turn.
SLICE_RECORDS = 500


class Reader(Protocol):
    """What makes something of a topic's records."""

    def take(self, record: Record) -> None:
        """One more record, in the order of its partition."""

    def begin_at(self, record: Record) -> None:
        """The first record of a partition that is read; those before it are not known."""

    def settle(self) -> None:
        """All that has come was taken."""

    def forget(self) -> None:
        """The topic is read from its end again."""


class Following:
    """The records of a few partitions of a topic, each handed on once.

    Args:
        scanned: how many records of each partition the first read has.
        clock: monotonic, seconds.
    """

    def __init__(
        self,
        tail: LogTail,
        topic: str,
        partitions: Iterable[int],
        reader: Reader,
        *,
        scanned: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tail = tail
        self._topic = topic
        self._partitions = tuple(partitions)
        self._scanned = scanned
        self._reader = reader
        self._clock = clock
        self._next: dict[int, int] = {}
        self._read_at: float | None = None
        self._lock = asyncio.Lock()

    @property
    def begun(self) -> bool:
        """Whether the end of the topic was read."""
        return self._read_at is not None

    async def update(self) -> None:
        """Take what has come; Problem 503 when the brokers do not answer."""
        async with self._lock:
            now = self._clock()
            if self._read_at is not None:
                if now - self._read_at < FRESH_SECONDS:
                    return
                if now - self._read_at > IDLE_SECONDS:
                    self._restart()
            for _ in range(MOST_READS):
                if await self._read():
                    self._reader.settle()
                    self._read_at = self._clock()
                    return
            raise Problem(503, f"{self._topic} is still being read; try again")

    async def _read(self) -> bool:
        """Take what one read finds, and return whether that is all."""
        ranges = {
            partition: OffsetRange(self._scanned, since=self._next.get(partition))
            for partition in self._partitions
        }
        tail = await self._tail.read(self._topic, ranges, lambda key: True, cut_short=True)
        if any(one.offset < self._next.get(one.partition, 0) for one in tail.first.values()):
            self._restart()  # another topic of this name has taken its place
        for partition, first in tail.first.items():
            if partition not in self._next:
                self._reader.begin_at(first)
        for count, record in enumerate(tail.records, 1):
            self._reader.take(record)
            self._next[record.partition] = record.offset + 1
            if not count % SLICE_RECORDS:
                await asyncio.sleep(0)
        return tail.whole

    def _restart(self) -> None:
        self._next.clear()
        self._reader.forget()


class Waiting:
    """A read that a page waits for a little while only.

    Args:
        read: raises Problem when the brokers do not answer.
        begun: whether something was read before, which can be shown meanwhile.
    """

    def __init__(self, read: Callable[[], Awaitable[None]], begun: Callable[[], bool]) -> None:
        self._read = read
        self._begun = begun
        self._reading: asyncio.Task[str] | None = None

    async def read_within(self, seconds: float) -> str | None:
        """Read for so long at most, and go on in the background after it.

        Returns why it could not be read, "" if it was, None if that is not known yet.
        """
        if self._reading is None or self._reading.done():
            self._reading = asyncio.ensure_future(self._reason())
        await asyncio.wait({self._reading}, timeout=seconds)
        if not self._reading.done():
            return "" if self._begun() else None
        return self._reading.result()

    def close(self) -> None:
        """Stop reading."""
        if self._reading is not None:
            self._reading.cancel()

    async def _reason(self) -> str:
        try:
            await self._read()
        except Problem as problem:
            return problem.reasons[0]
        return ""
