"""One fetch of one partition as one Faust event.

Faust delivers records to agents one by one, at about 60 µs each before any work is done. Here the scheduler,
a setting of Faust's, turns each partition's fetched list into a single record-like object whose value is the
list. Everything after it (conductor, stream, agent, ack) runs once a batch.

The object has the *last* offset of the range that the fetch covers (`fetching.py`). With the acks of
`transport.py` (a batch is acked only when it is processed, in order within its partition) the committed
offset is always the end of that range, also where offsets without records, such as transaction markers, come
last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import faust
from faust.transport.utils import DefaultSchedulingStrategy

from gridwatch.streaming.faust.fetching import Fetched


class RecordBatch:
    """The records of one fetch of one partition, in offset order, and its offsets [start, end).

    Has the attributes that Faust reads from a single record; `value` is the batch itself. In a batch without
    records the offsets of the range have none.
    """

    __slots__ = ("count", "done", "end", "partition", "records", "seeks", "start", "topic")

    timestamp = None
    timestamp_type = 1
    headers = None
    key = None
    checksum = None
    serialized_key_size = 0
    serialized_value_size = 0

    def __init__(self, topic: str, partition: int, fetched: Fetched) -> None:
        self.topic = topic
        self.partition = partition
        #: The consumer of the batch may remove them one by one.
        self.records: list[Any] = fetched
        self.count = len(fetched)
        #: The first offset of the range, and the one after its last.
        self.start = fetched.start
        self.end = fetched.end
        #: How often the partition had been sought before these were fetched.
        self.seeks = fetched.seeks
        #: True once the whole batch is committed to state; only then may its offsets be committed.
        self.done = False

    @property
    def offset(self) -> int:
        """The last offset of the range."""
        return self.end - 1

    @property
    def value(self) -> RecordBatch:
        """What the agent gets."""
        return self


@dataclass
class TakeOverEvent:
    """An artificial event for an assigned partition that has had no records yet.

    Its owner takes the partition over, finishes what the last owner left, and sends idle ticks. It commits no
    offset.
    """

    topic: str
    partition: int
    records: list[Any] = field(default_factory=list)
    count: int = 0
    done: bool = False

    @property
    def value(self) -> TakeOverEvent:
        """Itself: what the partition's queue processes."""
        return self

    def ack(self) -> None:
        """Nothing: Faust does not know this event."""


@dataclass
class SkippedOffsets:
    """An artificial event: offsets that retention has deleted, as a batch without records."""

    value: RecordBatch
    commit: Callable[[RecordBatch], None]

    def ack(self) -> None:
        """Commit the offsets, once the batch is done."""
        if self.value.done:
            self.commit(self.value)


def follows(batch: RecordBatch | TakeOverEvent, other: RecordBatch | TakeOverEvent) -> bool:
    """Whether `other` starts at the offset at which `batch` ends."""
    return isinstance(batch, RecordBatch) and isinstance(other, RecordBatch) and other.start == batch.end


def joined(batches: Sequence[RecordBatch | TakeOverEvent]) -> RecordBatch | TakeOverEvent:
    """Merge batches that follow each other; their records move into the result."""
    first, last = batches[0], batches[-1]
    if not isinstance(first, RecordBatch) or not isinstance(last, RecordBatch) or first is last:
        return first
    records: list[Any] = []
    for batch in batches:
        records += batch.records
        batch.records = []
    fetched = Fetched(records, first.start, last.end, first.seeks)
    return RecordBatch(first.topic, first.partition, fetched)


def batch_scheduler(topics: frozenset[str]) -> type[DefaultSchedulingStrategy]:
    """A scheduler class that delivers `topics` in batches and everything else record by record."""

    class BatchScheduler(DefaultSchedulingStrategy):  # type: ignore[misc, unused-ignore]
        """Delivers each partition's fetch of the batched topics as one record."""

        @classmethod
        def map_from_records(cls, records: Mapping[Any, Any]) -> Any:
            return super().map_from_records(
                {
                    tp: [RecordBatch(tp.topic, tp.partition, got)] if tp.topic in topics else got
                    for tp, got in records.items()
                }
            )

    return BatchScheduler


class BatchSchema(faust.Schema):  # type: ignore[misc, unused-ignore]
    """Passes a batch through: decoding is done later, where invalid input gets its reasons."""

    def loads_key(self, app: Any, message: Any, **kwargs: Any) -> Any:
        """A batch has no key of its own."""
        return message.key

    def loads_value(self, app: Any, message: Any, **kwargs: Any) -> Any:
        """The batch itself."""
        return message.value
