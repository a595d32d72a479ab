"""What the sink says of itself: why it is not ready, what it counted, and that its dead letters arrive."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from aiokafka.record.memory_records import MemoryRecords
from faust.exceptions import ConsumerNotStarted

from gridwatch.models.dead_letter import DeadLetter
from gridwatch.streaming.packing import Packed
from sinks.dead_letters import DeadLetterOffice
from sinks.health import application_reasons, database_reasons
from sinks.refusals import refused
from sinks.system_metrics import SYSTEM_METRICS, Window
from sinks.writer import WriterState

SLOW = 30.0


def app(**changes: Any) -> Any:
    healthy = {"should_stop": False, "crashed": False, "rebalancing": False, "assigned": {("t", 0)}} | changes

    def assignment() -> Any:
        if healthy["assigned"] is None:
            raise ConsumerNotStarted
        return healthy["assigned"]

    return SimpleNamespace(consumer=SimpleNamespace(assignment=assignment), **healthy)


def test_a_healthy_sink_has_no_reason_not_to_be_ready() -> None:
    assert application_reasons(app()) == []
    assert database_reasons("h:1/d", WriterState(), 100.0, SLOW) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rebalancing": True}, "rebalance"),
        ({"assigned": set()}, "no partition"),
        ({"assigned": None}, "no partition"),
        ({"crashed": True}, "stopping"),
        ({"should_stop": True}, "stopping"),
    ],
)
def test_what_keeps_the_application_from_working_is_said(changes: dict[str, Any], said: str) -> None:
    [reason] = application_reasons(app(**changes))
    assert said in reason


def test_waiting_for_the_database_is_said_with_its_address_and_cause() -> None:
    state = WriterState(waiting_since=90.0, last_error="connection refused")
    assert database_reasons("h:1/d", state, 100.0, SLOW) == [
        "waiting for the database at h:1/d for 10 s: connection refused"
    ]


def test_a_transaction_that_does_not_end_is_said() -> None:
    state = WriterState(writing_since=0.0)
    assert database_reasons("h:1/d", state, SLOW, SLOW) == []
    assert database_reasons("h:1/d", state, SLOW + 5, SLOW) == [
        "a transaction at h:1/d has been running for 35 s"
    ]


def test_a_window_counts_what_was_stored_in_it() -> None:
    pool = SimpleNamespace(state=WriterState(), rows_of_partition=Counter[int]())
    window = Window(pool)  # type: ignore[arg-type]
    pool.rows_of_partition = Counter({0: 5, 1: 7})
    pool.state.commits, pool.state.commit_seconds_total = 4, 2.0
    first = {(metric.metric, metric.partition): metric.value for metric in window.close({0, 1})}
    assert first == {
        **{("sink_rows", 0): 5.0, ("sink_rows", 1): 7.0},
        **{("sink_commit_seconds", 0): 0.5, ("sink_commit_seconds", 1): 0.5},
    }
    pool.rows_of_partition = Counter({0: 7, 1: 7})
    second = window.close({0})
    assert [(metric.metric, metric.value, metric.scope) for metric in second] == [
        ("sink_rows", 2.0, "system")
    ]
    assert second[0].window_start < second[0].window_end
    assert {metric for metric, _ in first} == set(SYSTEM_METRICS)


class FakeEmitter:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.delivered: dict[int, list[DeadLetter]] = {}

    async def deliver(self, topic: str, partition: int, batches: Sequence[Packed], timestamp: int) -> None:
        records = [record for one in batches for record in MemoryRecords(built(one)).next_batch() or ()]
        letters = [msgspec.json.decode(record.value or b"", type=DeadLetter) for record in records]
        self.delivered[partition] = letters


def built(packed: Packed) -> bytes:
    return b"".join(packed.pieces(0, (-1, -1, -1)))


def letter(partition: int) -> DeadLetter:
    source = SimpleNamespace(topic="t", partition=partition, offset=1, timestamp=0, value=b"x")
    return refused(source, "no")


def test_dead_letters_go_under_the_partition_of_what_they_are_about() -> None:
    emitter = FakeEmitter()
    office = DeadLetterOffice(emitter)  # type: ignore[arg-type]
    asyncio.run(office.send([letter(1), letter(4), letter(1)]))
    assert {partition: len(letters) for partition, letters in emitter.delivered.items()} == {1: 2, 4: 1}
    assert office.sent == 3
