"""What a worker says of its partitions: what keeps one from being worked, since when, and what to do."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import pytest
from faust.exceptions import ConsumerNotStarted
from faust.types import TP
from prometheus_client.parser import text_string_to_metric_families

from gridwatch.domain.partition.state import PartitionState
from gridwatch.health.prometheus import exposition
from gridwatch.kafka.broker_monitor import BrokerView
from gridwatch.kafka.open_transactions import MENTIONED_AFTER, Held, held_reason
from gridwatch.settings import load_settings
from gridwatch.streaming.faust.continuity import CAUSES, Rereads
from gridwatch.streaming.faust.fetching import Undecodable, undecodable_reason
from gridwatch.streaming.stage.dead_letter_limit import DeadLetterLimit, DeadLetterPolicy, feed_reason
from gridwatch.topics import RAW
from gridwatch.views import watch as module
from gridwatch.views.watch import Watch
from tests.unit.views.fakes import ME, OTHER
from tests.unit.views.test_state import store

STALLED_AFTER = 20.0
SETTINGS = load_settings(partitions=3, broker="nowhere:1", stalled_after=STALLED_AFTER)


class Worker:
    """A worker that owns partitions 0 and 1 of three, with brokers that say what they are told to.

    Healthy at first: nothing waits, nothing is held back.
    """

    def __init__(self) -> None:
        self.now = 1000.0
        self.mine = {TP(RAW.name, 0), TP(RAW.name, 1)}
        self.undecodable: dict[Any, Undecodable] = {}
        self.consumer = SimpleNamespace(
            assignment=lambda: set(self.mine), highwater=lambda tp: 0, undecodable=self.undecodable
        )
        assignor = SimpleNamespace(
            assigned_actives=lambda: self.mine,
            external_topics_metadata=lambda: {ME: {RAW.name: [0, 1]}, OTHER: {RAW.name: [2]}},
        )
        recovery = SimpleNamespace(active_highwaters={}, active_offsets={})
        self.app = SimpleNamespace(
            rebalancing=False,
            in_recovery=False,
            should_stop=False,
            crashed=None,
            tables=SimpleNamespace(actives_ready=True, recovery=recovery),
            conf=SimpleNamespace(canonical_url=ME),
            assignor=assignor,
            consumer=self.consumer,
            consumer_generation_id=4,
            rereads=Rereads(),
        )
        self.owned = {number: self._owned(number) for number in (0, 1)}
        self.feeds: defaultdict[int, DeadLetterLimit] = defaultdict(
            lambda: DeadLetterLimit(DeadLetterPolicy(run=3))
        )
        kept = store({number: {} for number in (0, 1)})[0]
        setattr(kept, "foreign_rows", 0)  # noqa: B010  a fake store has not got it
        pipeline: Any = SimpleNamespace(
            owned=self.owned,
            feeds=self.feeds,
            store=kept,
            ack_wait=lambda: (0.0, ""),
            not_taken_over=list,
            lag=lambda partition: 0,
        )
        self.watch = Watch(self.app, SETTINGS, pipeline)
        self.look()

    @staticmethod
    def _owned(partition: int) -> Any:
        return SimpleNamespace(
            partition=partition,
            lost="",
            state=PartitionState(partition),
            batch_seconds=0.0,
            batch_records=0,
            last_commit=0.0,
            taken=0.0,
        )

    def look(self, stable: dict[int, int] | None = None, ends: dict[int, int] | None = None) -> None:
        """Have the brokers say where transactions begin and partitions end; by default both at offset 0."""
        nothing = dict.fromkeys(range(3), 0)
        view = BrokerView(
            starts={(RAW.name, number): 0 for number in nothing},
            ends={(RAW.name, number): end for number, end in (nothing | (ends or {})).items()},
            stable={(RAW.name, number): end for number, end in (nothing | (stable or {})).items()},
        )

        async def answer() -> BrokerView:
            return view

        self.watch._broker = SimpleNamespace(look=answer)  # type: ignore[assignment]
        self.watch._view = view

    def reasons(self) -> list[str]:
        return asyncio.run(self.watch.reasons())

    def text(self) -> str:
        """What Prometheus is told."""
        return exposition(asyncio.run(self.watch.scrape()), "text/plain")[0].decode()

    def gauge(self, name: str) -> dict[str, float]:
        """By partition."""
        families = {family.name: family for family in text_string_to_metric_families(self.text())}
        return {sample.labels["partition"]: sample.value for sample in families[name].samples}


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    made = Worker()
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: made.now))
    return made


def test_a_healthy_worker_has_neither_reasons_nor_warnings(worker: Worker) -> None:
    assert worker.reasons() == []
    assert worker.watch.warnings() == []


# -- open transactions


def test_an_open_transaction_is_warned_of_from_some_seconds_on_and_a_reason_only_once_stalled(
    worker: Worker,
) -> None:
    worker.look(stable={0: 4}, ends={0: 9})
    worker.owned[0].state.pass_over(4)
    assert (worker.reasons(), worker.watch.warnings()) == ([], [])
    worker.now += MENTIONED_AFTER - 0.1
    assert (worker.reasons(), worker.watch.warnings()) == ([], [])
    worker.now += 0.1
    warned = held_reason((RAW.name, 0), Held(4, 5, MENTIONED_AFTER))
    assert (worker.reasons(), worker.watch.warnings()) == ([], [warned])
    worker.now = 1000.0 + STALLED_AFTER - 0.1
    assert [one for one in worker.reasons() if "transaction" in one] == []
    worker.now += 0.1
    reason = held_reason((RAW.name, 0), Held(4, 5, STALLED_AFTER))
    assert [one for one in worker.reasons() if "transaction" in one] == [reason]
    assert worker.watch.warnings() == [reason]


def test_a_transaction_that_ended_is_no_reason_any_more(worker: Worker) -> None:
    worker.look(stable={0: 0}, ends={0: 9})
    worker.reasons()
    worker.now += STALLED_AFTER
    assert len(worker.reasons()) == 1
    worker.look(stable={0: 9}, ends={0: 9})
    assert [one for one in worker.reasons() if "transaction" in one] == []
    assert worker.watch.warnings() == []


def test_what_holds_back_the_partitions_of_others_is_for_them_to_say(worker: Worker) -> None:
    worker.look(stable={2: 4}, ends={2: 9})
    worker.reasons()
    worker.now += STALLED_AFTER
    assert worker.reasons() == []
    assert worker.watch.warnings() == []


def test_readings_held_back_by_a_transaction_do_not_count_as_waiting_to_be_committed(worker: Worker) -> None:
    worker.look(stable={0: 0, 1: 9}, ends={0: 9, 1: 9})
    worker.reasons()
    worker.now += STALLED_AFTER
    waiting = [one for one in worker.reasons() if "nothing was committed" in one]
    assert len(waiting) == 1
    assert waiting[0].startswith("partition 1:")


# -- batches that cannot be decoded


def test_a_batch_that_cannot_be_decoded_is_a_reason_at_once_and_goes_with_it(worker: Worker) -> None:
    stop = Undecodable(7, 12, "CorruptRecordException: its CRC is wrong", 0.0, 1)
    worker.undecodable[TP(RAW.name, 1)] = stop
    assert worker.reasons() == [undecodable_reason(RAW.name, 1, stop)]
    assert worker.gauge("gridwatch_undecodable") == {"0": 0.0, "1": 1.0}
    worker.undecodable.clear()
    assert worker.reasons() == []
    assert worker.gauge("gridwatch_undecodable") == {"0": 0.0, "1": 0.0}


def test_a_batch_of_the_changelog_that_cannot_be_decoded_is_named_too(worker: Worker) -> None:
    stop = Undecodable(7, None, "UnsupportedCodecError: snappy", 0.0, 1)
    worker.undecodable[TP("meters-changelog", 0)] = stop
    assert worker.reasons() == [undecodable_reason("meters-changelog", 0, stop)]


def test_a_worker_whose_consumer_has_not_started_knows_of_no_such_batch(worker: Worker) -> None:
    class NotYet:
        def __getattr__(self, name: str) -> Any:
            raise ConsumerNotStarted("not yet")

    worker.app.consumer = NotYet()
    assert worker.watch._undecodable() == {}


def test_the_reason_of_an_undecodable_batch_names_place_cause_and_remedy() -> None:
    known = undecodable_reason("raw", 1, Undecodable(7, 12, "its CRC is wrong", 0.0, 1))
    for part in ("partition 1", "offset 7 of raw", "its CRC is wrong", "before offset 12", "remedy:"):
        assert part in known
    unknown = undecodable_reason("raw", 1, Undecodable(7, None, "no header", 0.0, 1))
    assert "None" not in unknown
    assert "remedy:" in unknown


# -- feeds that are wrong as a whole


def test_a_worthless_feed_is_a_reason_until_a_good_reading_comes(worker: Worker) -> None:
    worker.feeds[1].observe(0, 2, 2, "NOT_JSON: no")
    assert worker.reasons() == []
    worker.feeds[1].observe(0, 1, 1, "NOT_JSON: no")
    problem = "the last 3 readings are all dead letters, the last one: NOT_JSON: no"
    assert worker.reasons() == [feed_reason(RAW.name, 1, problem)]
    assert worker.gauge("gridwatch_dead_letter_run") == {"0": 0.0, "1": 3.0}
    worker.feeds[1].observe(1, 0)
    assert worker.reasons() == []


def test_the_feed_of_a_partition_that_is_not_ours_is_no_reason(worker: Worker) -> None:
    worker.feeds[2].observe(0, 9, 9, "NOT_JSON: no")
    assert worker.reasons() == []


def test_lost_readings_are_a_reason(worker: Worker) -> None:
    worker.owned[1].lost = "partition 1: the raw topic was made anew"
    assert worker.reasons() == ["partition 1: the raw topic was made anew"]


def test_whatever_is_wrong_with_single_partitions_is_all_named(worker: Worker) -> None:
    worker.look(stable={0: 0}, ends={0: 9})
    worker.reasons()
    worker.now += STALLED_AFTER
    worker.owned[0].lost = "partition 0: lost"
    worker.undecodable[TP(RAW.name, 1)] = Undecodable(7, 12, "no", 0.0, 1)
    worker.feeds[1].observe(0, 3, 3, "NOT_JSON: no")
    words = ("lost", "cannot be decoded", "transaction", "dead letters")
    assert [word in reason for word, reason in zip(words, worker.reasons(), strict=True)] == [True] * 4
    assert worker.watch.last_reasons() == worker.reasons()


# -- numbers


def test_re_reads_are_counted_by_cause_in_what_prometheus_reads(worker: Worker) -> None:
    for cause, times in (("gap", 2), ("idle", 1)):
        for _ in range(times):
            worker.app.rereads.note(RAW.name, 0, 5, cause)
    text = worker.text()
    expected = dict.fromkeys(CAUSES, 0.0) | {"gap": 2.0, "idle": 1.0}
    for cause, count in expected.items():
        assert f'gridwatch_reread_batches_total{{cause="{cause}"}} {count}' in text
    assert "# TYPE gridwatch_reread_batches_total counter" in text


def test_how_long_a_transaction_holds_each_partition_back_is_a_number_zero_for_none(worker: Worker) -> None:
    worker.look(stable={0: 0}, ends={0: 9})
    worker.reasons()
    worker.now += 3.0
    assert worker.gauge("gridwatch_open_transaction_seconds") == {"0": 3.0, "1": 0.0}
