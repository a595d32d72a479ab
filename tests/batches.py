"""Batches as a consumer hands them on, and a consumer that fetches them from a log in memory."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from gridwatch.streaming.faust.batches import RecordBatch
from gridwatch.streaming.faust.fetching import Fetched


def batch_of(
    topic: str,
    partition: int,
    records: Sequence[Any],
    start: int | None = None,
    end: int | None = None,
    seeks: int = 0,
) -> RecordBatch:
    """A batch of records; its range is that of their offsets unless said otherwise."""
    first = records[0].offset if start is None else start
    after = records[-1].offset + 1 if end is None else end
    return RecordBatch(topic, partition, Fetched(list(records), first, after, seeks))


class Event:
    """What Faust hands over: a batch and a way to ack it."""

    def __init__(self, batch: RecordBatch) -> None:
        self.value = batch
        self.acked = False

    def ack(self) -> None:
        self.acked = True


class FakeLog:
    """A consumer of partitions of the topic `t`, each a list of offsets that have records, and an end.

    It is what queues ask (`partition_queues.Reader`), and what fetches for them: `fetch` moves the position,
    whatever becomes of what it returns.
    """

    def __init__(self, **partitions: Sequence[int]) -> None:
        self.offsets = {int(name[1:]): list(offsets) for name, offsets in partitions.items()}
        self.ends = {number: offsets[-1] + 1 if offsets else 0 for number, offsets in self.offsets.items()}
        self.starts = dict.fromkeys(self.offsets, 0)
        self.positions = dict.fromkeys(self.offsets, 0)
        self.seeks = dict.fromkeys(self.offsets, 0)
        self.sought: list[tuple[int, int]] = []
        self.asleep: set[int] = set()
        self.stopped: set[int] = set()
        self.gone: set[int] = set()
        self.committed: dict[int, int] = {}

    def begin(self, **offsets: int) -> dict[tuple[str, int], tuple[int, int]]:
        """What the consumer does when partitions are assigned: where each is read from, and by which seek."""
        positions = {}
        for number in self.offsets:
            self.seeks[number] += 1
            self.positions[number] = offsets.get(f"p{number}", 0)
            positions["t", number] = (self.positions[number], self.seeks[number])
        return positions

    def fetch(self, partition: int, most: int = 1000) -> Event:
        """The next records of a partition, at most so many; what ends the log goes with the last of them."""
        start = max(self.positions[partition], self.starts[partition])
        ahead = [offset for offset in self.offsets[partition] if offset >= start]
        taken = ahead[:most]
        end = self.ends[partition] if len(taken) == len(ahead) else taken[-1] + 1
        self.positions[partition] = end
        records = [SimpleNamespace(offset=offset, timestamp=0) for offset in taken]
        return Event(batch_of("t", partition, records, start, end, self.seeks[partition]))

    # -- what queues ask

    async def first_offset(self, tp: tuple[str, int]) -> int | None:
        return None if tp[1] in self.gone else self.starts[tp[1]]

    async def seek(self, tp: tuple[str, int], offset: int) -> int | None:
        _, number = tp
        if number in self.gone:
            return None
        self.sought.append((number, offset))
        self.seeks[number] += 1
        self.positions[number] = offset
        self.asleep.discard(number)
        return self.seeks[number]

    def readable_end(self, tp: tuple[str, int]) -> int | None:
        return self.ends[tp[1]]

    def position(self, tp: tuple[str, int]) -> int | None:
        return self.positions[tp[1]]

    def is_fetched(self, tp: tuple[str, int]) -> bool:
        return tp[1] not in self.asleep

    def is_stopped(self, tp: tuple[str, int]) -> bool:
        return tp[1] in self.stopped

    def commit(self, batch: RecordBatch) -> None:
        self.committed[batch.partition] = batch.end
