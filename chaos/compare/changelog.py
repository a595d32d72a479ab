"""The state of a stage from its changelog: the last row of each key.

Read incrementally, so that polling is cheap. A stage is done when its position is the end of its source, and
nothing is due there.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from chaos.subject import Observed
from gridwatch.kafka.security import librdkafka_config
from gridwatch.settings import Settings
from gridwatch.tables.layout import FENCE_KEY, PARTITION_KEY, TableLayout

_READ_SECONDS = 60.0
_ANSWER_SECONDS = 10.0


class Reader:
    """Reads the partitions of one topic incrementally: each time from its position to the current end.

    GridwatchError or KafkaException when the broker does not answer.
    """

    def __init__(self, settings: Settings, topic: str) -> None:
        self._topic = topic
        self._partitions = range(settings.partitions)
        self._next: dict[int, int] = {}
        self._consumer = Consumer(
            librdkafka_config(settings)
            | {
                "log_level": 0,
                "group.id": f"{settings.app_id}-chaos",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "enable.partition.eof": True,
                "fetch.message.max.bytes": 32 * 1024 * 1024,
            }
        )

    def new(self) -> list[Message]:
        """The new records, in order of offsets within each partition."""
        ends: dict[int, int] = {}
        start: list[TopicPartition] = []
        for partition in self._partitions:
            place = TopicPartition(self._topic, partition)
            low, high = self._consumer.get_watermark_offsets(place, timeout=_ANSWER_SECONDS)
            first = max(low, self._next.get(partition, 0))
            if high > first:
                ends[partition] = high
                start.append(TopicPartition(self._topic, partition, first))
        return self._read(start, ends) if start else []

    def _read(self, start: list[TopicPartition], ends: Mapping[int, int]) -> list[Message]:
        self._consumer.assign(start)
        waiting = set(ends)
        messages: list[Message] = []
        deadline = time.monotonic() + _READ_SECONDS
        while waiting:
            if time.monotonic() > deadline:
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"reading {self._topic}"))
            for message in self._consumer.consume(10_000, timeout=0.05):
                error, partition = message.error(), message.partition()
                if error is not None and error.code() != KafkaError._PARTITION_EOF:
                    raise KafkaException(error)
                if error is None and message.offset() < ends[partition]:
                    messages.append(message)
                # Compacted offsets are never delivered: the end of the partition says when it is read.
                if error is not None or message.offset() + 1 >= ends[partition]:
                    waiting.discard(partition)
        self._next |= ends
        self._consumer.unassign()
        return messages

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close()


@dataclass
class Rows:
    """The last row of each key, by (partition, key), of one stage's changelog."""

    layout: TableLayout[Any]
    last: dict[tuple[int, bytes], bytes]
    #: By partition, the offset of the newest row (other than fences).
    ends: dict[int, int] = field(default_factory=dict)

    def partition(self, number: int) -> Any:
        """The partition row's state, None before the first commit."""
        row = self.last.get((number, PARTITION_KEY))
        return None if row is None else self.layout.decode_partition(row)[0]

    def states(self, number: int) -> Iterator[bytes]:
        """The state rows of a partition."""
        return (row for (of, key), row in self.last.items() if of == number and self.layout.is_state(key))


class State:
    """The state of one stage of a deployment."""

    def __init__(self, settings: Settings, observed: Observed) -> None:
        self._settings = settings
        self._observed = observed
        self._reader = Reader(settings, observed.stage.changelog(settings.app_id).name)
        self.rows = Rows(observed.stage.layout, {})

    def read(self) -> None:
        """Read what has been committed since the last call."""
        for message in self._reader.new():
            place = (message.partition(), message.key() or b"")
            if message.key() != FENCE_KEY:
                self.rows.ends[message.partition()] = message.offset()
            if message.value() is None:
                self.rows.last.pop(place, None)
            else:
                self.rows.last[place] = message.value() or b""

    def is_done(self, ends: Mapping[int, int]) -> bool:
        """Whether everything up to these source offsets is processed, and nothing is due."""
        return all(self._is_done(partition, end) for partition, end in ends.items() if end)

    def _is_done(self, partition: int, end: int) -> bool:
        state = self.rows.partition(partition)
        return (
            state is not None
            and state.next_offset >= end
            and self._observed.is_complete(self._settings, state, self.rows.states(partition))
        )

    def positions(self) -> dict[int, int]:
        """The source position of each partition."""
        states = {number: self.rows.partition(number) for number, _ in self.rows.last}
        return {number: state.next_offset for number, state in states.items() if state is not None}

    def plain(self) -> dict[str, Any]:
        """Every state in plain values, without what differs between two runs; by `partition/name`."""
        rows: defaultdict[int, dict[str, bytes]] = defaultdict(dict)
        for (partition, key), row in self.rows.last.items():
            if key not in (PARTITION_KEY, FENCE_KEY):
                rows[partition][key.decode()] = row
        found: dict[str, Any] = {}
        for partition in {partition for partition, _ in self.rows.last}:
            state = self.rows.partition(partition)
            if state is not None:
                found[f"{partition}/"] = self._observed.plain(state)
                states = self._observed.states(self._settings, state, rows[partition])
                found |= {f"{partition}/{name}": plain for name, plain in states.items()}
        return found

    def close(self) -> None:
        """Disconnect."""
        self._reader.close()
