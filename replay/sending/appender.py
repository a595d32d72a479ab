"""Record batches to the partitions of a topic, from a thread of its own while the caller makes the next ones.

A partition takes its batches one at a time: the next one is sent when the one before is acknowledged, and
the first failure ends all sending. So whatever happens, a partition holds the first batches that were meant
for it, up to some one, and no gap between them. A batch that is sent again after a lost answer is recognised
by the broker (idempotent producer), and every batch is acknowledged by all replicas.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from gridwatch.kafka.producers import OUTAGES
from gridwatch.kafka.security import aiokafka_config
from gridwatch.settings import Settings

#: A topic takes batches of this size whatever its settings, unless they were made smaller.
_BATCH_BYTES = 1_000_000
_CLOSE_SECONDS = 2.0
#: How long a broker that was there a moment ago may be away at the start.
_REACH_SECONDS = 30.0
_PAUSE_SECONDS = 0.5


class Appender:
    """Sends batches; `close` must be called. `failure` is why sending has ended by itself."""

    def __init__(self, settings: Settings, topic: str, partitions: int) -> None:
        """Connects. KafkaError when the broker cannot be reached, OSError for a certificate that cannot."""
        self._settings = settings
        self._topic = topic
        self._partitions = partitions
        self._under_way = 0
        self._change = threading.Condition()
        self._started = threading.Event()
        self._producer: Any = None
        self.failure: Exception | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        self._started.wait()
        if self.failure is not None:
            self._thread.join()
            raise self.failure

    def batch(self) -> Any:
        """An empty batch: `append(timestamp=, key=, value=, headers=)` answers None once it is full."""
        return self._producer.create_batch()

    def append(self, batches: Sequence[tuple[int, Any]]) -> None:
        """Hand over batches with their partitions. Returns at once."""
        with self._change:
            self._under_way += sum(batch.record_count() for _, batch in batches)
        self._loop.call_soon_threadsafe(self._enqueue, batches)

    @property
    def under_way(self) -> int:
        """How many records were handed over and are not acknowledged."""
        return self._under_way

    def wait(self, seconds: float) -> None:
        """Return when something was acknowledged or has failed, after `seconds` at the latest."""
        with self._change:
            if self._under_way and self.failure is None:
                self._change.wait(seconds)

    def close(self) -> None:
        """Disconnect; what is under way gets a moment, what waits for it is given up."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join()

    def _enqueue(self, batches: Sequence[tuple[int, Any]]) -> None:
        for partition, batch in batches:
            self._queues[partition].put_nowait(batch)

    async def _serve(self) -> None:
        try:
            await self._send_until_closed()
        except Exception as problem:
            self._fail(problem)
        finally:
            self._started.set()

    async def _send_until_closed(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        self._queues: list[asyncio.Queue[Any]] = [asyncio.Queue() for _ in range(self._partitions)]
        self._producer = AIOKafkaProducer(
            acks="all",
            enable_idempotence=True,
            linger_ms=0,
            max_batch_size=_BATCH_BYTES,
            **aiokafka_config(self._settings),
        )
        senders: list[asyncio.Task[None]] = []
        try:
            await self._start()
            senders = [asyncio.create_task(self._send_in_order(number)) for number in range(self._partitions)]
            self._started.set()
            await self._ended.wait()
        finally:
            for sender in senders:
                sender.cancel()
            with contextlib.suppress(KafkaError, asyncio.TimeoutError):
                await asyncio.wait_for(self._producer.stop(), _CLOSE_SECONDS)
            await self._producer.client.close()

    async def _start(self) -> None:
        """Connect, also to a broker that is just coming back."""
        until = time.monotonic() + _REACH_SECONDS
        while True:
            try:
                await self._producer.start()
                break
            except OUTAGES:
                if time.monotonic() > until:
                    raise
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _send_in_order(self, partition: int) -> None:
        while self.failure is None:
            batch = await self._queues[partition].get()
            try:
                await (await self._producer.send_batch(batch, self._topic, partition=partition))
            except Exception as problem:
                self._fail(problem)
            else:
                with self._change:
                    self._under_way -= batch.record_count()
                    self._change.notify_all()

    def _fail(self, problem: Exception) -> None:
        with self._change:
            self.failure = self.failure or problem
            self._change.notify_all()
