"""Taking a partition over: its changelog is fenced before anything is believed, and put right before work."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from gridwatch.agents.readings import READINGS
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.partition.state import PartitionState
from gridwatch.kafka.packing import Row
from gridwatch.settings import load_settings
from gridwatch.streaming.stage import changelog
from gridwatch.streaming.stage import take_over as module
from gridwatch.streaming.stage.changelog import FencedError
from gridwatch.streaming.stage.pipeline import Pipeline
from gridwatch.streaming.stage.take_over import OwnedPartition, take_over
from gridwatch.tables.layout import FENCE_KEY, PARTITION_KEY
from gridwatch.tables.meter_rows import METER
from gridwatch.tables.readings import METERS
from gridwatch.tables.store import DamagedError, Store, TopicIdentity
from gridwatch.topics import RAW
from tests.stores import store_in
from tests.unit.streaming.stage.test_changelog import Partition, Producer

PLACE = 5
SETTINGS = load_settings(broker="nowhere:1", partitions=6)
FENCE = (FENCE_KEY, b"")


def meter(name: str, due: int = 7) -> tuple[bytes, bytes]:
    state = MeterState(0, 60)
    state.due = due
    return (name.encode(), METER.encode(state))


def partition_row(position: int, meters: int = 0) -> tuple[bytes, bytes]:
    state = PartitionState(PLACE, meters=meters)
    state.skip_to(position)
    return (PARTITION_KEY, METERS.encode_partition(state, 1))


class Site:
    """A changelog partition at its broker, and a worker's store that has recovered it."""

    def __init__(self, folder: Path, *recovered: Row) -> None:
        self.store = store_in(folder)
        self.log = Partition(*recovered)
        self.earliest = 0
        self.assigned = {TP("log", PLACE)}
        if recovered:
            changed = [(key or b"", value) for key, value in recovered]
            self.store.write(PLACE, changed, len(recovered) - 1)
        consumer = SimpleNamespace(assignment=lambda: self.assigned, earliest_offsets=self.earliest_offsets)
        self.app = SimpleNamespace(consumer_generation_id=3, consumer=consumer)
        self.table = SimpleNamespace(data=self.store, changelog_topic_name="log")

    async def earliest_offsets(self, tp: Any) -> dict[Any, int]:
        return {tp: self.earliest}

    def take_over(self) -> OwnedPartition:
        return asyncio.run(take_over(READINGS, PLACE, self.app, SETTINGS, self.table))

    def appended(self, recovered: int) -> list[Row]:
        """What was added to the log behind what had been recovered."""
        return self.log.rows[recovered:]

    @property
    def writer(self) -> Producer:
        """The one producer that connected."""
        (one,) = self.log.producers
        return one


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Site]]:
    """Makes a site of the rows that its worker has recovered."""
    monkeypatch.setattr(module, "_UNASSIGNED_PAUSE_SECONDS", 0.0)

    def made(*recovered: Row) -> Site:
        one = Site(tmp_path, *recovered)
        monkeypatch.setattr(changelog, "start_producer", one.log.start_producer)
        return one

    yield made
    gc.collect()


STATE = (FENCE, meter("M1", 70), meter("M2", 20), partition_row(9, meters=2))


def test_a_partition_without_anything_begins_with_a_fence_alone(site: Callable[..., Site]) -> None:
    here = site()
    owned = here.take_over()
    assert here.log.rows == [FENCE]
    assert dict(here.store.rows(PLACE)) == dict([FENCE])
    assert (owned.partition, owned.generation, owned.state.next_offset, owned.lost) == (PLACE, 3, 0, "")
    assert here.store.applied_offset(PLACE) == 0
    assert not here.writer.stopped


def test_state_is_resumed_after_a_new_fence(site: Callable[..., Site]) -> None:
    here = site(*STATE)
    owned = here.take_over()
    assert here.appended(len(STATE)) == [FENCE]
    assert owned.state.next_offset == 9
    assert here.store.applied_offset(PLACE) == len(STATE)
    assert owned.states.get("M1") is not None
    # The deadlines are there: whatever a tick reaches is settled.
    assert owned.processor.process(()).complete


def test_the_fence_comes_before_the_state_is_read(
    site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = site(*STATE)
    order: list[str] = []
    append, index = changelog.ChangelogWriter._append, module._index

    async def appending(self: Any, changed: Any, timestamp: int) -> int:
        order.append("fenced")
        return await append(self, changed, timestamp)

    async def reading(stage: Any, store: Store, partition: int) -> tuple[int, list[Any]]:
        order.append("read")
        return await index(stage, store, partition)

    monkeypatch.setattr(changelog.ChangelogWriter, "_append", appending)
    monkeypatch.setattr(module, "_index", reading)
    here.take_over()
    assert order == ["fenced", "read"]


def test_a_changelog_with_new_rows_is_not_taken_over(site: Callable[..., Site]) -> None:
    here = site(*STATE)
    here.log.rows.append(meter("M3"))  # by the former owner, after our recovery
    before = dict(here.store.rows(PLACE))
    with pytest.raises(FencedError, match=r"log\[5\] is at 5, read up to 4"):
        here.take_over()
    assert here.writer.stopped
    assert dict(here.store.rows(PLACE)) == before
    assert here.store.applied_offset(PLACE) == len(STATE) - 1


def test_a_changelog_that_starts_after_the_recovered_offset_is_taken_over_at_its_start(
    site: Callable[..., Site],
) -> None:
    here = site()
    here.log.rows += [FENCE, FENCE]
    here.earliest = 2  # retention or deletion has emptied it
    here.take_over()
    assert here.store.applied_offset(PLACE) == 2


def test_a_partition_whose_changelog_is_not_assigned_is_not_taken_over(site: Callable[..., Site]) -> None:
    here = site(*STATE)
    here.assigned = {TP("log", PLACE + 1), TP("other", PLACE)}
    with pytest.raises(FencedError, match="not assigned"):
        here.take_over()
    assert here.log.producers == []


def test_a_generation_that_ends_during_the_take_over_is_the_one_of_the_partition(
    site: Callable[..., Site],
) -> None:
    here = site(*STATE)

    async def earliest_offsets(tp: Any) -> dict[Any, int]:
        here.app.consumer_generation_id += 1
        return {tp: 0}

    here.app.consumer.earliest_offsets = earliest_offsets
    assert here.take_over().generation == 3  # so its first commit is given up


def test_a_partition_with_more_or_fewer_meters_than_it_counted_is_not_taken_over_and_its_writer_closed(
    site: Callable[..., Site],
) -> None:
    here = site(FENCE, meter("M1"), partition_row(9, meters=2))
    with pytest.raises(DamagedError, match="out of date"):
        here.take_over()
    assert here.writer.stopped


# -- a changelog without its beginning


def test_a_partition_row_without_a_fence_is_ignored(
    site: Callable[..., Site], caplog: pytest.LogCaptureFixture
) -> None:
    without = STATE[1:]
    here = site(*without)
    with caplog.at_level(logging.ERROR):
        owned = here.take_over()
    assert owned.state.next_offset == 0
    assert owned.state.meters == 0
    assert owned.states.get("M1") is None
    nothing = (PARTITION_KEY, METERS.encode_partition(PartitionState(PLACE), 0))
    empty = [(b"M1", None), (b"M2", None), nothing, FENCE]
    assert here.appended(len(without)) == empty
    assert here.log.batches == [len(empty)]  # at once: no half of it can be recovered
    assert dict(here.store.rows(PLACE)) == dict([nothing, FENCE])
    assert "lost its beginning" in caplog.text


def test_meters_without_a_partition_row_and_fence_are_removed_without_an_error(
    site: Callable[..., Site], caplog: pytest.LogCaptureFixture
) -> None:
    here = site(meter("M1"))
    here.take_over()
    assert here.appended(1) == [(b"M1", None), FENCE]
    assert dict(here.store.rows(PLACE)) == dict([FENCE])
    assert "lost its beginning" not in caplog.text


# -- what somebody else wrote


def test_keys_with_foreign_records_are_written_again_after_the_fence(
    site: Callable[..., Site],
) -> None:
    foreign: Row = (b"M1", b"not ours")
    here = site(*STATE)
    here.log.rows += [foreign, (b"unknown", b"x"), (b"\x00what", b"x")]
    here.store.write(PLACE, [], len(here.log.rows) - 1)
    here.store.foreign_keys[PLACE] = {b"M1", b"unknown", b"\x00what", FENCE_KEY}
    end = len(here.log.rows)
    here.take_over()
    # What we have is the last of its key again, and what we never had is removed.
    assert here.appended(end) == [FENCE, FENCE, (b"\x00what", None), STATE[1], (b"unknown", None)]
    assert here.store.applied_offset(PLACE) == len(here.log.rows) - 1
    assert here.store.foreign_keys == {}
    assert here.store.row(PLACE, b"M1") == STATE[1][1]


def test_many_keys_with_foreign_records_are_written_again_some_at_a_time(
    site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REWRITTEN_ROWS", 2)
    meters = [meter(f"M{number}") for number in range(5)]
    here = site(FENCE, *meters, partition_row(9, meters=5))
    here.store.foreign_keys[PLACE] = {key for key, _ in meters if key}
    here.take_over()
    assert here.log.batches == [1, 2, 2, 1]
    assert here.appended(7) == [FENCE, *meters]


def test_a_writer_that_is_fenced_while_it_rewrites_keys_is_closed(site: Callable[..., Site]) -> None:
    here = site(*STATE)
    here.store.foreign_keys[PLACE] = {b"M1"}

    class GoesOn(list[Any]):
        """Faults of a log to which somebody adds a row once it is fenced."""

        def __bool__(self) -> bool:
            if len(here.log.batches) == 1:
                here.log.rows.append(meter("M9"))
            return False

    here.log.faults = GoesOn()
    with pytest.raises(FencedError):
        here.take_over()
    assert here.writer.stopped


# -- where the raw partitions are read on


def resume_offsets(store: Store, partitions: set[Any]) -> dict[Any, int]:
    table = SimpleNamespace(data=store)
    emitter: Any = SimpleNamespace()
    pipeline = Pipeline(SimpleNamespace(), SETTINGS, READINGS, emitter, table)
    return dict(pipeline.resume_offsets(partitions))


def test_a_raw_partition_is_read_on_from_its_row_and_from_the_start_without_one(
    site: Callable[..., Site],
) -> None:
    here = site(*STATE)
    here.store.write(1, [partition_row(4)], 0)  # without a fence
    raw = {TP(RAW.name, number) for number in (0, 1, PLACE)}
    found = resume_offsets(here.store, raw | {TP("log", PLACE)})
    assert found == {TP(RAW.name, 0): 0, TP(RAW.name, 1): 0, TP(RAW.name, PLACE): 9}


def test_a_raw_partition_whose_database_is_damaged_or_incomplete_is_left_to_its_take_over(
    site: Callable[..., Site],
) -> None:
    here = site(*STATE)
    here.store._damaged.add(0)
    here.store.changelog = TopicIdentity(b"log", {PLACE: 0}, {PLACE: 99})
    gap = SimpleNamespace(topic="log", partition=PLACE, records=[], start=7, end=8, offset=7)
    here.store.apply_changelog_batch([SimpleNamespace(value=gap)], None, None)
    found = resume_offsets(here.store, {TP(RAW.name, number) for number in (0, 1, PLACE)})
    assert found == {TP(RAW.name, 1): 0}
    with pytest.raises(DamagedError):
        here.take_over()
    assert here.log.producers == []
