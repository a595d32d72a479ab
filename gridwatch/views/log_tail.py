"""Reads the newest records of a topic on demand.

The worker keeps neither dead letters nor the history of a meter: both are in the log, for as long as the
broker retains it. A page reads a bounded number of records from the end of a few partitions, on a separate
thread, with a consumer that joins no group and commits nothing.
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

#: How long one read may take, seconds.
TIMEOUT_SECONDS = 2.0
_MAX_POLL_RECORDS = 1000
#: librdkafka's base for offsets relative to the end of a partition (RD_KAFKA_OFFSET_TAIL_BASE).
_FROM_END = -2000


@dataclass(frozen=True)
class Record:
    """A consumed record. `timestamp` in ms."""

    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes


@dataclass(frozen=True)
class OffsetRange:
    """Part of a partition to read: the last `count` offsets, the last `count` before an offset, or the first
    `count` from an offset on."""

    count: int
    before: int | None = None
    since: int | None = None

    @property
    def start(self) -> int:
        if self.since is not None:
            return self.since
        return _FROM_END - self.count if self.before is None else max(0, self.before - self.count)


@dataclass
class Tail:
    """The matching records, and the first record read of each partition, matching or not. It is whole unless
    a read that may be cut short took too long."""

    records: list[Record] = field(default_factory=list)
    first: dict[int, Record] = field(default_factory=dict)
    whole: bool = True


class LogTail:
    """Reads the ends of topics, one request at a time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="log-tail")
        self._consumer: Consumer | None = None

    async def read(
        self,
        topic: str,
        ranges: Mapping[int, OffsetRange],
        wanted: Callable[[bytes | None], bool],
        *,
        cut_short: bool = False,
    ) -> Tail:
        """The records in these ranges (by partition) whose key is wanted; Problem 503 without brokers.

        Args:
            cut_short: what was read is returned when the time is over, if it is anything.
        """
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, self._read, topic, ranges, wanted, cut_short
        )

    async def close(self) -> None:
        """Disconnect."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        self._thread.shutdown(wait=False)

    def _read(
        self,
        topic: str,
        ranges: Mapping[int, OffsetRange],
        wanted: Callable[[bytes | None], bool],
        cut_short: bool,
    ) -> Tail:
        found = Tail()
        try:
            self._consume(topic, ranges, wanted, found)
            return found
        except TimeoutError as late:
            if cut_short and found.first:
                found.whole = False
                return found
            raise Problem(503, f"{topic} cannot be read: {late}") from late
        except KafkaException as problem:
            self._disconnect()
            raise Problem(503, f"{topic} cannot be read: {problem.args[0].str()}") from problem

    def _consume(
        self,
        topic: str,
        ranges: Mapping[int, OffsetRange],
        wanted: Callable[[bytes | None], bool],
        found: Tail,
    ) -> None:
        """Add the records to what is found; TimeoutError when the time is over."""
        consumer = self._connected()
        left = {partition: offset_range.count for partition, offset_range in ranges.items()}
        consumer.assign([TopicPartition(topic, number, one.start) for number, one in ranges.items()])
        until = time.monotonic() + TIMEOUT_SECONDS
        try:
            while left:
                if time.monotonic() > until:
                    raise TimeoutError(f"no answer within {TIMEOUT_SECONDS:g} s")
                for message in consumer.consume(_MAX_POLL_RECORDS, timeout=0.05):
                    partition, error = message.partition(), message.error()
                    if error is not None:
                        if error.code() != KafkaError._PARTITION_EOF:
                            raise KafkaException(error)
                        left.pop(partition, None)
                        continue
                    if partition not in left:
                        continue
                    offset, before = message.offset(), ranges[partition].before
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
                    # The page reports the error; librdkafka would repeat it on stderr.
                    "log_level": 0,
                    "error_cb": lambda _error: None,
                }
            )
        return self._consumer

    def _disconnect(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            with contextlib.suppress(KafkaException, RuntimeError):
                consumer.close()


def _record(message: Message) -> Record:
    timestamp: int = message.timestamp()[1]
    return Record(message.partition(), message.offset(), timestamp, message.key(), message.value() or b"")
