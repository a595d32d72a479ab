"""The newest records of a topic, read from the topic itself, when somebody looks.

Dead letters and the history of a meter are not kept in the worker: they are in the log, for as long as the
broker keeps them. A page reads a bounded number of records from the end of a few partitions, in a thread of
its own, with a consumer that is in no group and commits nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from gridwatch.http.reply import Problem
from gridwatch.kafka.security import librdkafka_config
from gridwatch.settings import Settings

#: How long one look may take, seconds.
PATIENCE = 2.0
_AT_A_TIME = 1000
#: librdkafka's way to say "so many records before the end".
_FROM_END = -2000


@dataclass(frozen=True)
class Record:
    """A record as the broker has it. `timestamp` in ms."""

    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes


@dataclass(frozen=True)
class Stretch:
    """What of a partition to read: the last `count` records, or those before an offset."""

    count: int
    before: int | None = None

    @property
    def start(self) -> int:
        return _FROM_END - self.count if self.before is None else max(0, self.before - self.count)


@dataclass
class Tail:
    """What was read, and of each partition the first record looked at, wanted or not."""

    records: list[Record] = field(default_factory=list)
    first: dict[int, Record] = field(default_factory=dict)


class LogTail:
    """Reads ends of topics, one question after the other."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="log-tail")
        self._consumer: Consumer | None = None

    async def read(
        self, topic: str, stretches: Mapping[int, Stretch], wanted: Callable[[bytes | None], bool]
    ) -> Tail:
        """The records of these stretches (by partition) whose key is wanted; Problem 503 without brokers."""
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, self._read, topic, stretches, wanted
        )

    async def close(self) -> None:
        """Disconnect."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._let_go)
        self._thread.shutdown(wait=False)

    def _read(
        self, topic: str, stretches: Mapping[int, Stretch], wanted: Callable[[bytes | None], bool]
    ) -> Tail:
        try:
            return self._consume(self._connected(), topic, stretches, wanted)
        except KafkaException as problem:
            self._let_go()
            raise Problem(503, f"{topic} cannot be read: {problem.args[0].str()}") from problem

    def _consume(
        self,
        consumer: Consumer,
        topic: str,
        stretches: Mapping[int, Stretch],
        wanted: Callable[[bytes | None], bool],
    ) -> Tail:
        found = Tail()
        left = {partition: stretch.count for partition, stretch in stretches.items()}
        consumer.assign([TopicPartition(topic, number, one.start) for number, one in stretches.items()])
        until = time.monotonic() + PATIENCE
        try:
            while left:
                if time.monotonic() > until:
                    raise Problem(503, f"{topic} cannot be read: no answer within {PATIENCE:g} s")
                for message in consumer.consume(_AT_A_TIME, timeout=0.05):
                    partition, error = message.partition(), message.error()
                    if error is not None:
                        if error.code() != KafkaError._PARTITION_EOF:
                            raise KafkaException(error)
                        left.pop(partition, None)
                        continue
                    if partition not in left:
                        continue
                    offset, before = message.offset(), stretches[partition].before
                    if before is not None and offset >= before:
                        del left[partition]
                        continue
                    if partition not in found.first:
                        found.first[partition] = _record(message)
                    if wanted(message.key()):
                        found.records.append(_record(message))
                    left[partition] -= 1
                    if not left[partition] or offset + 1 == before:
                        del left[partition]
        finally:
            consumer.unassign()
        return found

    def _connected(self) -> Consumer:
        if self._consumer is None:
            self._consumer = Consumer(
                librdkafka_config(self._settings)
                | {
                    "group.id": "gridwatch-pages",
                    "client.id": "gridwatch-pages",
                    "enable.auto.commit": False,
                    "enable.partition.eof": True,
                    "auto.offset.reset": "earliest",
                    "fetch.wait.max.ms": 20,
                    "queued.max.messages.kbytes": 16 * 1024,
                    # librdkafka would repeat on stderr what the page says once.
                    "log_level": 0,
                    "error_cb": lambda _error: None,
                }
            )
        return self._consumer

    def _let_go(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            with contextlib.suppress(KafkaException, RuntimeError):
                consumer.close()


def _record(message: Message) -> Record:
    timestamp: int = message.timestamp()[1]
    return Record(message.partition(), message.offset(), timestamp, message.key(), message.value() or b"")
