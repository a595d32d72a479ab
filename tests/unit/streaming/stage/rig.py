"""A pipeline over a real store and the real rules of a stage; its brokers are fakes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.record.memory_records import MemoryRecords

from gridwatch.agents.readings import READINGS
from gridwatch.kafka.packing import Packed, Row
from gridwatch.settings import load_settings
from gridwatch.streaming.faust.batches import RecordBatch, TakeOverEvent
from gridwatch.streaming.faust.continuity import Rereads
from gridwatch.streaming.stage import pipeline as module
from gridwatch.streaming.stage.declaration import Stage
from gridwatch.streaming.stage.pipeline import Pipeline
from gridwatch.streaming.stage.take_over import OwnedPartition
from gridwatch.tables.layout import PARTITION_KEY
from gridwatch.tables.readings import METERS
from gridwatch.tables.states import StoredStates
from tests.stores import store_in


class Emitter:
    """Keeps what is delivered; acks come some turns of the loop later, each topic's at another."""

    last_error = ""
    waiting_since = None

    def __init__(self, journal: list[str]) -> None:
        self._journal = journal
        self.delivered: dict[str, list[Any]] = {}

    async def deliver(self, topic: str, partition: int, batches: Sequence[Packed], timestamp: int) -> None:
        self._journal.append(f"sent {topic}")
        for _ in range(len(topic)):
            await asyncio.sleep(0)
        for one in batches:
            built = MemoryRecords(b"".join(one.pieces(timestamp, (-1, -1, -1)))).next_batch()
            assert built is not None
            self.delivered.setdefault(topic, []).extend(json.loads(each.value or b"") for each in built)
        self._journal.append(f"acked {topic}")


class Writer:
    """A changelog that accepts appends, or fails with `failure`."""

    def __init__(self, journal: list[str]) -> None:
        self._journal = journal
        self.commits: list[list[Row]] = []
        self.end = 1  # after the fence
        self.failure: Exception | None = None
        self.closed = 0

    async def append(self, changed: Sequence[Row], timestamp: int) -> int:
        self._journal.append("append")
        await asyncio.sleep(0)
        if self.failure is not None:
            raise self.failure
        self.commits.append(list(changed))
        self.end += len(changed)
        self._journal.append("appended")
        return self.end - 1

    async def close(self) -> None:
        self.closed += 1

    def positions(self) -> list[tuple[int, int]]:
        """(offset to resume from, index within it) of each commit's partition row, its last; of readings."""
        found = []
        for changed in self.commits:
            key, value = changed[-1]
            assert (key, value is not None) == (PARTITION_KEY, True)
            state, _ = METERS.decode_partition(value or b"")
            found.append((state.next_offset, state.index))
        return found


class Rig:
    """A pipeline over a real store and the real rules; brokers are fakes."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, stage: Stage[Any] = READINGS, **settings: Any
    ) -> None:
        self.stage = stage
        self.journal: list[str] = []
        self.assigned: set[Any] = set()
        self.app = SimpleNamespace(
            consumer_generation_id=1,
            rereads=Rereads(),
            consumer=SimpleNamespace(assignment=lambda: self.assigned, highwater=lambda tp: 9),
        )
        self.store = store_in(folder, stage.layout, stage.table)
        buffer = self.store.buffer

        def buffered(*commit: Any) -> None:
            buffer(*commit)
            self.journal.append("buffered")

        monkeypatch.setattr(self.store, "buffer", buffered)
        self.emitter = Emitter(self.journal)
        self.changelog = Writer(self.journal)
        self.taken = 0
        self.lost = ""
        made = load_settings(partitions=1, broker="nowhere:1", **settings)
        table = SimpleNamespace(data=self.store)
        self.pipeline = Pipeline(self.app, made, stage, self.emitter, table)  # type: ignore[arg-type]
        monkeypatch.setattr(module, "take_over", self.take_over)
        monkeypatch.setattr(module, "source_truncation", self.source_truncation)

    async def take_over(
        self, stage: Stage[Any], partition: int, app: Any, settings: Any, table: Any
    ) -> OwnedPartition[Any]:
        self.taken += 1
        row = self.store.row(partition, PARTITION_KEY)
        state = stage.new(partition) if row is None else stage.layout.decode_partition(row)[0]
        index = stage.index(list(self.store.rows(partition)))
        states: StoredStates[Any] = StoredStates(self.store, stage.layout, partition, 1000)
        processor = stage.open(settings, state, states, index)
        changelog: Any = self.changelog
        return OwnedPartition(partition, app.consumer_generation_id, processor, states, changelog)

    async def source_truncation(self, settings: Any, topic: str, partition: int, position: int) -> str:
        self.journal.append(f"asked for the raw end, from {position}")
        return self.lost

    def work(self, *batches: RecordBatch | TakeOverEvent) -> list[int | None]:
        """Work batches one after the other; the position of the partition after each."""

        async def scenario() -> list[int | None]:
            return [await self.pipeline.work(one) for one in batches]

        return asyncio.run(scenario())

    def on(self, step: str, act: Callable[[], Any]) -> None:
        """Call `act` at a step of a commit."""
        self.pipeline.watch = lambda reached: act() if reached == step else None

    def stored_position(self) -> int | None:
        """The position in the store."""
        row = self.store.row(0, PARTITION_KEY)
        return None if row is None else self.stage.layout.decode_partition(row)[0].next_offset
