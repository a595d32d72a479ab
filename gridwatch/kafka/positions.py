"""Offsets of topics and the committed offsets of a consumer group, from the broker.

A partition's *end* is the offset of its next record; *committed* is where the group would resume after a
restart. The difference is the lag of the group.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from gridwatch.errors import GridwatchError
from gridwatch.kafka.security import librdkafka_config
from gridwatch.settings import Settings

ANSWER_SECONDS = 10.0
_PAUSE_SECONDS = 0.1
_COORDINATOR_COMING = (
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
)


@dataclass(frozen=True)
class Position:
    """One partition of one topic; `committed` None: the group has not committed there yet."""

    topic: str
    partition: int
    end: int
    committed: int | None

    @property
    def lag(self) -> int:
        """Records that the group has not committed yet."""
        return max(0, self.end - (self.committed or 0))


class Positions:
    """Asks the broker. GridwatchError when it does not answer in time, or a topic is missing."""

    def __init__(self, settings: Settings, timeout: float = ANSWER_SECONDS) -> None:
        self._bootstrap = settings.bootstrap
        self._partitions = settings.partitions
        self._timeout = timeout
        # librdkafka would log to stderr repeatedly what the error below reports once.
        self._conf = librdkafka_config(settings) | {"log_level": 0, "error_cb": lambda _error: None}
        self._admin = AdminClient(self._conf)

    def starts(self, topics: Iterable[str]) -> dict[tuple[str, int], int]:
        """The first offset of every partition of these topics."""
        return self._offsets(topics, OffsetSpec.earliest())

    def ends(self, topics: Iterable[str]) -> dict[tuple[str, int], int]:
        """The end offset of every partition of these topics, open transactions included."""
        return self._offsets(topics, OffsetSpec.latest())

    def stable_ends(self, topics: Iterable[str]) -> dict[tuple[str, int], int]:
        """The last stable offset of every partition: the first one of an open transaction, else the end."""
        return self._offsets(topics, OffsetSpec.latest(), isolation_level=IsolationLevel.READ_COMMITTED)

    def _offsets(self, topics: Iterable[str], spec: OffsetSpec, **more: Any) -> dict[tuple[str, int], int]:
        asked = dict.fromkeys(self._partitions_of(topics), spec)
        try:
            answers = self._admin.list_offsets(asked, request_timeout=self._timeout, **more)
            return {
                (tp.topic, tp.partition): future.result(self._timeout).offset
                for tp, future in answers.items()
            }
        except (KafkaException, TimeoutError) as problem:
            raise self._unanswered(problem) from problem

    def newest_record_time(self, topic: str) -> float | None:
        """Timestamp of the newest record of `topic`, seconds since the epoch; None while it is empty."""
        asked = {tp: OffsetSpec.max_timestamp() for tp in self._partitions_of([topic])}
        try:
            answers = self._admin.list_offsets(asked, request_timeout=self._timeout)
            stamps = [future.result(self._timeout).timestamp for future in answers.values()]
        except (KafkaException, TimeoutError) as problem:
            raise self._unanswered(problem) from problem
        newest = max(stamps, default=-1)
        return newest / 1000 if newest >= 0 else None

    def of_group(self, group: str, topics: Iterable[str]) -> list[Position]:
        """The position of `group` in every partition of these topics; does not join the group."""
        names = list(topics)
        ends = self.ends(names)
        # Not AdminClient.list_consumer_group_offsets: while the coordinator is still loading, its answer
        # crashes librdkafka (2.16) and the whole process. A consumer that never subscribes is safe.
        consumer = Consumer(self._conf | {"group.id": group, "enable.auto.commit": False})
        try:
            found = self._committed(consumer, self._partitions_of(names))
        finally:
            consumer.close()
        committed = {(tp.topic, tp.partition): tp.offset for tp in found if tp.offset >= 0}
        return [
            Position(topic, partition, end, committed.get((topic, partition)))
            for (topic, partition), end in ends.items()
        ]

    def _committed(self, consumer: Consumer, partitions: list[TopicPartition]) -> list[TopicPartition]:
        deadline = time.monotonic() + self._timeout
        while True:
            try:
                return list(consumer.committed(partitions, timeout=self._timeout))
            except KafkaException as problem:
                # The first request about a group makes the broker load its coordinator.
                if problem.args[0].code() not in _COORDINATOR_COMING or time.monotonic() > deadline:
                    raise self._unanswered(problem) from problem
            time.sleep(_PAUSE_SECONDS)

    def _partitions_of(self, topics: Iterable[str]) -> list[TopicPartition]:
        return [TopicPartition(topic, partition) for topic in topics for partition in range(self._partitions)]

    def _unanswered(self, problem: Exception) -> GridwatchError:
        reason = problem.args[0].str() if isinstance(problem, KafkaException) else "no answer in time"
        return GridwatchError(
            f"the broker at {self._bootstrap} does not say where its topics end: {reason}",
            "compare the topics with: gridwatch topics check",
        )
