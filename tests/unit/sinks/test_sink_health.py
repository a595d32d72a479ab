"""The sink's health: why it is not ready, what it counts, and that its dead letters arrive."""

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
from faust.types import TP

from gridwatch.domain.instants import parse_instant
from gridwatch.health.checks import Observed, feed_reason, held_reason
from gridwatch.health.exposition import exposition
from gridwatch.health.metrics import SINK, metrics_of, system_metrics_of
from gridwatch.health.pages import HealthPages
from gridwatch.kafka.broker_monitor import BrokerView
from gridwatch.kafka.open_transactions import OpenTransaction
from gridwatch.kafka.packing import Packed
from gridwatch.models.dead_letter import DeadLetter
from gridwatch.settings import load_settings
from gridwatch.streaming.faust.continuity import CAUSES, Rereads
from gridwatch.streaming.faust.fetching import Undecodable, undecodable_reason
from gridwatch.streaming.stage.dead_letter_limit import DeadLetterPolicy
from gridwatch.topics import HOMELAB_ENERGY, METRICS, VALIDATED
from sinks.dead_letters import DeadLetterProducer
from sinks.health import SinkHealth, application, database
from sinks.pool import Pool
from sinks.refusals import refused
from sinks.rows import Refused, Rows
from sinks.system_metrics import Window
from sinks.writer import Writer, WriterState
from tests.batches import batch_of
from tests.unit.sinks.test_sink_store import Record, good

SLOW = 30.0


def app(**changes: Any) -> Any:
    healthy = {"should_stop": False, "crashed": False, "rebalancing": False, "assigned": {("t", 0)}} | changes

    def assignment() -> Any:
        if healthy["assigned"] is None:
            raise ConsumerNotStarted
        return healthy["assigned"]

    return SimpleNamespace(consumer=SimpleNamespace(assignment=assignment), **healthy)


def application_reasons(app: Any) -> list[str]:
    return application(app).reasons()


def database_reasons(address: str, state: WriterState, now: float, slow: float) -> list[str]:
    return Observed(SINK, database=database(address, state, now), stalled_after=slow).reasons()


def test_a_healthy_sink_has_no_reason_not_to_be_ready() -> None:
    assert application_reasons(app()) == []
    assert database_reasons("h:1/d", WriterState(), 100.0, SLOW) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"rebalancing": True}, "rebalance"),
        ({"assigned": set()}, "no partition"),
        ({"assigned": None}, "no partition"),
        ({"crashed": True}, "stopping"),
        ({"should_stop": True}, "stopping"),
    ],
)
def test_a_state_in_which_the_application_does_no_work_is_a_reason(
    changes: dict[str, Any], expected: str
) -> None:
    [reason] = application_reasons(app(**changes))
    assert expected in reason


def test_waiting_for_the_database_is_a_reason_with_its_address_and_cause() -> None:
    state = WriterState(waiting_since=90.0, last_error="connection refused")
    assert database_reasons("h:1/d", state, 100.0, SLOW) == [
        "waiting for the database at h:1/d for 10 s: connection refused"
    ]


def test_a_transaction_that_does_not_end_is_a_reason() -> None:
    state = WriterState(writing_since=0.0)
    assert database_reasons("h:1/d", state, SLOW, SLOW) == []
    assert database_reasons("h:1/d", state, SLOW + 5, SLOW) == [
        "a transaction at h:1/d has been running for 35 s"
    ]


class Sink:
    """A sink of partition 1 of two topics, healthy at first, with scripted brokers."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.undecodable: dict[Any, Undecodable] = {}
        self.skipped: Counter[str] = Counter()
        self.failing: dict[tuple[str, int], str] = {}
        self.mine = {TP(VALIDATED.name, 1), TP(METRICS.name, 1)}
        self.app = SimpleNamespace(
            should_stop=False,
            crashed=False,
            rebalancing=False,
            rereads=Rereads(),
            consumer=SimpleNamespace(
                assignment=lambda: self.mine, undecodable=self.undecodable, _committed_offset={}
            ),
        )
        pool: Any = SimpleNamespace(
            address="h:1/d",
            state=WriterState(),
            failing_feeds=self.failing,
            lost_letters=0,
            skipped=self.skipped,
        )
        dead_letters: Any = SimpleNamespace(sent=0)
        settings = load_settings(broker="nowhere:1", stalled_after=SLOW)
        self.health = SinkHealth(self.app, settings, pool, dead_letters, lambda: self.now)
        self.answer()

    def answer(self, **changes: tuple[int, int]) -> None:
        """Set the brokers' (last stable offset, end) of partition 1 of a topic; else both are 0."""
        places = [(topic, number) for topic in (VALIDATED.name, METRICS.name) for number in (1, 2)]
        ends = {place: changes.get(f"{place[0]}_{place[1]}", (0, 0)) for place in places}
        view = BrokerView(
            starts=dict.fromkeys(places, 0),
            ends={place: end for place, (_, end) in ends.items()},
            stable={place: stable for place, (stable, _) in ends.items()},
        )

        async def look() -> BrokerView:
            return view

        self.health._broker = SimpleNamespace(view=look)  # type: ignore[assignment]

    def reasons(self) -> list[str]:
        return asyncio.run(self.health.reasons())

    def text(self) -> str:
        """The metrics page."""
        return exposition(asyncio.run(self.health.samples()), "text/plain")[0].decode()


@pytest.fixture
def sink() -> Sink:
    return Sink()


def test_a_batch_that_cannot_be_decoded_is_a_reason(sink: Sink) -> None:
    assert sink.reasons() == []
    stop = Undecodable(7, 12, "CorruptRecordException: its CRC is wrong", 0.0, 1)
    sink.undecodable[TP(METRICS.name, 1)] = stop
    assert sink.reasons() == [undecodable_reason(METRICS.name, 1, stop)]
    sink.mine.clear()
    assert sink.reasons() == ["no partition is assigned to this sink"]


def test_a_transaction_is_a_reason_once_it_has_been_open_for_as_long_as_a_stall(sink: Sink) -> None:
    sink.answer(**{f"{METRICS.name}_1": (4, 9), f"{METRICS.name}_2": (4, 9)})
    sink.app.consumer._committed_offset[TP(METRICS.name, 1)] = 4
    assert sink.reasons() == []
    sink.now += SLOW - 0.1
    assert sink.reasons() == []
    sink.now += 0.1
    assert sink.reasons() == [held_reason(METRICS.name, 1, OpenTransaction(4, 5, SLOW))]
    sink.answer()
    assert sink.reasons() == []


def test_records_held_back_by_a_transaction_are_no_lag_and_do_not_count_as_waiting(sink: Sink) -> None:
    sink.answer(**{f"{METRICS.name}_1": (4, 9), f"{VALIDATED.name}_1": (9, 9)})
    sink.app.consumer._committed_offset[TP(METRICS.name, 1)] = 4
    assert sink.health.positions() == {}  # before the first answer
    sink.reasons()
    assert sink.health.positions() == {(METRICS.name, 1): (4, 4), (VALIDATED.name, 1): (0, 9)}
    sink.now += SLOW
    waiting = [reason for reason in sink.reasons() if "nothing was committed" in reason]
    assert waiting == [f"{VALIDATED.name}[1]: records wait, and nothing was committed for {SLOW:.0f} s"]


def test_a_failing_feed_is_a_reason(sink: Sink) -> None:
    sink.failing[METRICS.name, 1] = "the last 100 readings are all dead letters"
    assert sink.reasons() == [feed_reason(METRICS.name, 1, "the last 100 readings are all dead letters")]


def test_the_feed_of_a_topic_partition_is_judged_by_what_is_unreadable_and_what_the_database_refuses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def write(self: Writer, batch: Sequence[Rows]) -> list[Refused]:
        sources = [source for rows in batch for source in rows.sources]
        return [Refused(source, "value too long") for source in sources if source.offset == 2]

    async def sent(letters: Sequence[DeadLetter]) -> None:
        """They always are."""

    def unreadable(*offsets: int) -> Any:
        return batch_of(METRICS.name, 1, [Record(offset, b"no JSON", partition=1) for offset in offsets])

    async def scenario() -> list[dict[tuple[str, int], str]]:
        pool = Pool("postgresql://nobody@127.0.0.1:1/x", sent, 100, 2, DeadLetterPolicy(run=3, ratio=0))
        found = []
        try:
            for batch in (good(1, 0), unreadable(1), good(1, 2), good(0, 0), unreadable(3), good(1, 4)):
                await pool.store(batch)
                found.append(pool.failing_feeds)
        finally:
            await pool.stop()
        return found

    monkeypatch.setattr(Writer, "write", write)
    found = asyncio.run(scenario())
    assert [set(one) for one in found] == [set(), set(), set(), set(), {(METRICS.name, 1)}, set()]
    problem = found[4][METRICS.name, 1]
    assert problem.startswith("the last 3 readings are all dead letters, the last one: NOT_JSON: ")


def test_re_reads_are_counted_by_cause_on_the_metrics_page(sink: Sink) -> None:
    sink.app.rereads.note(METRICS.name, 1, 5, "asleep")
    text = sink.text()
    for cause in CAUSES:
        count = 1.0 if cause == "asleep" else 0.0
        assert f'gridwatch_sink_reread_batches_total{{cause="{cause}"}} {count}' in text
    assert "# TYPE gridwatch_sink_reread_batches_total counter" in text


def test_skipped_records_are_counted_for_the_topics_that_have_them(sink: Sink) -> None:
    sink.skipped[HOMELAB_ENERGY.name] = 3
    counted = [
        line for line in sink.text().splitlines() if line.startswith("gridwatch_sink_skipped_records_")
    ]
    assert counted == [
        'gridwatch_sink_skipped_records_total{topic="homelab.energy"} 3.0',
        'gridwatch_sink_skipped_records_total{topic="homelab.heatpump"} 0.0',
        'gridwatch_sink_skipped_records_total{topic="homelab.temperature"} 0.0',
    ]


def test_every_metric_of_the_sink_is_on_the_metrics_page(sink: Sink) -> None:
    text = sink.text()
    for metric in metrics_of(SINK).values():
        assert f"# TYPE {metric.sample} {metric.kind}" in text


def test_a_sink_is_live_until_it_stops(sink: Sink) -> None:
    pages = HealthPages(sink.health)
    assert asyncio.run(pages.live()).status == 200
    sink.app.crashed = True
    ending = asyncio.run(pages.live())
    assert ending.status == 503
    assert b"the sink is stopping" in ending.body


def test_a_window_counts_what_was_stored_in_it() -> None:
    pool = SimpleNamespace(state=WriterState(), rows_of_partition=Counter[tuple[str, int]]())
    window = Window(pool)  # type: ignore[arg-type]
    pool.rows_of_partition = Counter({("smartmeter", 0): 5, ("daily", 1): 7})
    pool.state.commits, pool.state.commit_seconds_total = 4, 2.0
    places = {("smartmeter", 0), ("daily", 1)}
    first = {(metric.metric, flow, metric.partition): metric.value for flow, metric in window.close(places)}
    assert first == {
        **{("sink_rows", "smartmeter", 0): 5.0, ("sink_rows", "daily", 1): 7.0},
        **{("sink_commit_seconds", *place): 0.5 for place in places},
    }
    pool.rows_of_partition = Counter({("smartmeter", 0): 7, ("daily", 1): 7})
    second = [metric for _, metric in window.close({("smartmeter", 0)})]
    assert [(metric.metric, metric.value, metric.scope) for metric in second] == [
        ("sink_rows", 2.0, "system")
    ]
    # As instants: a text loses the zeros at its end.
    assert parse_instant(second[0].window_start) < parse_instant(second[0].window_end)
    assert {metric for metric, *_ in first} == set(system_metrics_of(SINK))


class FakeEmitter:
    """Records what it is given."""

    def __init__(self) -> None:
        self.delivered: dict[int, list[DeadLetter]] = {}
        self.topics: set[str] = set()

    async def deliver(self, topic: str, partition: int, batches: Sequence[Packed], timestamp: int) -> None:
        records = [record for one in batches for record in MemoryRecords(built(one)).next_batch() or ()]
        letters = [msgspec.json.decode(record.value or b"", type=DeadLetter) for record in records]
        self.delivered[partition] = letters
        self.topics.add(topic)


def built(packed: Packed) -> bytes:
    return b"".join(packed.pieces(0, (-1, -1, -1)))


def letter(partition: int, topic: str = VALIDATED.name) -> DeadLetter:
    source = SimpleNamespace(topic=topic, partition=partition, offset=1, timestamp=0, value=b"x")
    return refused(source, "no")


def test_dead_letters_go_under_the_partition_of_what_they_are_about() -> None:
    emitter = FakeEmitter()
    dead_letters = DeadLetterProducer(emitter)  # type: ignore[arg-type]
    asyncio.run(dead_letters.send([letter(1), letter(4), letter(1)]))
    assert {partition: len(letters) for partition, letters in emitter.delivered.items()} == {1: 2, 4: 1}
    assert dead_letters.sent == 3
    assert emitter.topics == {"smartmeter_dead_letters"}


def test_dead_letters_go_to_the_flow_of_what_they_are_about() -> None:
    emitter = FakeEmitter()
    dead_letters = DeadLetterProducer(emitter)  # type: ignore[arg-type]
    about = ("daily_gap_alerts", "late_late_events", "a_topic_of_no_flow")
    asyncio.run(dead_letters.send([letter(1, topic) for topic in about]))
    assert emitter.topics == {"daily_dead_letters", "late_dead_letters", "smartmeter_dead_letters"}
