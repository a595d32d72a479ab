"""Appends rows to partitions in the order they come in, and says when they are acknowledged.

One group of rows of a partition is under way at a time. What comes in meanwhile is the next group (group
commit): where few rows come they are sent at once, where many come they are sent in large batches. Nothing is
dropped: while the brokers are away rows wait, and `pending_bytes` says how much of them there is, for those
who can refuse more.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence

from gridwatch.kafka.emission import Emitter
from gridwatch.kafka.packing import Row, pack

logger = logging.getLogger(__name__)

Ack = asyncio.Future[None]
"""Done once rows are acknowledged by all replicas, with an exception if they never will be. Others may wait
for the same one: never cancel it, wait for it with `asyncio.wait` or behind `asyncio.shield`."""


class RecordAppender:
    """Appends through one producer; called in the event loop only."""

    def __init__(self, emitter: Emitter) -> None:
        self._emitter = emitter
        self._partitions: dict[tuple[str, int], _Partition] = {}
        #: Of keys and values that are not acknowledged yet.
        self.pending_bytes = 0

    @property
    def waited(self) -> float:
        """How long the oldest rows under way have been waiting for their ack, seconds."""
        since = self._emitter.waiting_since
        return 0.0 if since is None else max(0.0, time.time() - since)

    @property
    def problem(self) -> str:
        """The last error of the brokers; empty once they acknowledge again."""
        return self._emitter.last_error

    def append(self, topic: str, partition: int, rows: Sequence[Row]) -> Ack:
        """Append rows in their order, after all that were appended to this partition before."""
        one = self._partitions.get((topic, partition))
        if one is None:
            one = self._partitions[topic, partition] = _Partition()
        ack = one.ack
        if ack is None:
            ack = one.ack = asyncio.get_running_loop().create_future()
        one.rows += rows
        self.pending_bytes += _size(rows)
        if one.task is None:
            one.task = asyncio.ensure_future(self._send(topic, partition, one))
        return ack

    async def _send(self, topic: str, partition: int, one: _Partition) -> None:
        """Send one group after the other until none is left."""
        try:
            while one.ack is not None:
                rows, ack = one.rows, one.ack
                one.rows, one.ack = [], None
                try:
                    await self._emitter.deliver(topic, partition, pack(rows), int(time.time() * 1000))
                except Exception as error:  # no outage, those are waited for: whoever waits has to know
                    logger.exception("%s[%d]: rows cannot be sent", topic, partition)
                    ack.set_exception(error)
                else:
                    ack.set_result(None)
                self.pending_bytes -= _size(rows)
        finally:
            one.task = None

    async def stop(self) -> None:
        """Stop sending: rows that are not acknowledged by now may be there or not."""
        tasks = [one.task for one in self._partitions.values() if one.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Partition:
    """The next group of a partition: its rows and their ack, None while there are none; and who sends."""

    __slots__ = ("ack", "rows", "task")

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.ack: Ack | None = None
        self.task: asyncio.Task[None] | None = None


def _size(rows: Sequence[Row]) -> int:
    return sum([len(key or b"") + len(value or b"") for key, value in rows])
