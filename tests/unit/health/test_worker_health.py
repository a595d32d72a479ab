"""What a worker says of the partitions of all its stages: what keeps one from being worked, since when, and
what to do."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from types import SimpleNamespace
from typing import Any

import pytest
from faust.exceptions import ConsumerNotStarted
from faust.types import TP
from prometheus_client.parser import text_string_to_metric_families

from gridwatch.agents.readings import READINGS
from gridwatch.domain.partition.state import PartitionState
from gridwatch.health.checks import TAKEN_OVER_WITHIN, feed_reason, held_reason
from gridwatch.health.exposition import exposition
from gridwatch.health.metrics import WORKER, metrics_of
from gridwatch.kafka.broker_monitor import BrokerView
from gridwatch.kafka.open_transactions import MENTIONED_AFTER, OpenTransaction
from gridwatch.settings import load_settings
from gridwatch.streaming.faust.continuity import CAUSES, Rereads
from gridwatch.streaming.faust.fetching import Undecodable, undecodable_reason
from gridwatch.streaming.stage.dead_letter_limit import DeadLetterLimit, DeadLetterPolicy
from gridwatch.tables.layout import PARTITION_KEY
from gridwatch.topics import AGGREGATES_1M, AGGREGATES_15M, ANOMALIES, RAW, VALIDATED, changelog
from gridwatch.views.watch import Watch
from tests.sums.rules import Partition as SumsState
from tests.sums.stage import STAGE as SUMS
from tests.unit.views.fakes import ME, OTHER

STALLED_AFTER = 20.0
SETTINGS = load_settings(partitions=3, broker="nowhere:1", stalled_after=STALLED_AFTER)
NUMBERS = (0, 1)
STOP = Undecodable(7, 12, "its CRC is wrong", 0.0, 1)


class Store:
    """The committed rows of a stage: those of its partitions."""

    def __init__(self, stage: Any) -> None:
        self.foreign_rows = 0
        self._rows = {number: stage.layout.encode_partition(stage.new(number), 1) for number in NUMBERS}

    def row(self, partition: int, key: bytes) -> bytes | None:
        assert key == PARTITION_KEY
        return self._rows.get(partition)


class Pipeline:
    """A stage of a worker that owns partitions 0 and 1."""

    def __init__(self, stage: Any, state: Any) -> None:
        self.stage = stage
        self.owned = {number: self._owned(number, state(number)) for number in NUMBERS}
        self.feeds: defaultdict[int, DeadLetterLimit] = defaultdict(
            lambda: DeadLetterLimit(DeadLetterPolicy(run=3))
        )
        self.emitted: defaultdict[int, Counter[str]] = defaultdict(Counter)
        self.store = Store(stage)
        self.waiting_to_be_taken_over: list[int] = []

    @staticmethod
    def _owned(partition: int, state: Any) -> Any:
        return SimpleNamespace(
            partition=partition,
            lost="",
            state=state,
            batch_seconds=0.0,
            batch_records=0,
            last_commit=0.0,
            taken_over_at=0.0,
        )

    def not_taken_over(self) -> list[int]:
        return self.waiting_to_be_taken_over

    def lag(self, partition: int) -> int:
        return 0


class Worker:
    """A worker with two stages that owns partitions 0 and 1 of three, with brokers that say what they are
    told to.

    Healthy at first: nothing waits, nothing is held back.
    """

    def __init__(self) -> None:
        self.now = 1000.0
        self.mine = {TP(topic, number) for topic in (RAW.name, VALIDATED.name) for number in NUMBERS}
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
            settings=SETTINGS,
            tables=SimpleNamespace(actives_ready=True, recovery=recovery),
            conf=SimpleNamespace(canonical_url=ME),
            assignor=assignor,
            consumer=self.consumer,
            consumer_generation_id=4,
            rereads=Rereads(),
        )
        self.readings = Pipeline(READINGS, PartitionState)
        self.sums = Pipeline(SUMS, SumsState)
        self.owned, self.feeds = self.readings.owned, self.readings.feeds
        self.emitter = SimpleNamespace(waiting_since=None, last_error="")
        self.pipelines = {"readings": self.readings, "sums": self.sums}
        self.watch = Watch(self, SETTINGS, lambda: self.now)  # type: ignore[arg-type]
        self.look()

    def look(
        self,
        stable: dict[int, int] | None = None,
        ends: dict[int, int] | None = None,
        *,
        topic: str = RAW.name,
        problems: tuple[str, ...] = (),
    ) -> None:
        """Have the brokers say where transactions begin and partitions end; by default both at offset 0."""
        nothing = {(name, number): 0 for name in (RAW.name, VALIDATED.name) for number in range(3)}
        view = BrokerView(
            problems,
            starts=nothing,
            ends=nothing | {(topic, number): end for number, end in (ends or {}).items()},
            stable=nothing | {(topic, number): end for number, end in (stable or {}).items()},
        )

        async def answer() -> BrokerView:
            return view

        health = self.watch._health
        health._broker = SimpleNamespace(view=answer)  # type: ignore[assignment]
        health._view = view

    def reasons(self) -> list[str]:
        return asyncio.run(self.watch.reasons())

    def text(self) -> str:
        """What Prometheus is told."""
        return exposition(asyncio.run(self.watch.samples()), "text/plain")[0].decode()

    def samples(self, name: str) -> list[Any]:
        families = {family.name: family for family in text_string_to_metric_families(self.text())}
        return list(families[name].samples)

    def gauge(self, name: str, stage: str = "readings") -> dict[str, float]:
        """By partition."""
        return {
            sample.labels["partition"]: sample.value
            for sample in self.samples(name)
            if sample.labels["stage"] == stage
        }


@pytest.fixture
def worker() -> Worker:
    return Worker()


def test_a_healthy_worker_has_neither_reasons_nor_warnings(worker: Worker) -> None:
    assert worker.reasons() == []
    assert worker.watch.warnings() == []


# -- open transactions


def test_an_open_transaction_is_warned_of_from_some_seconds_on_and_a_reason_only_once_stalled(
    worker: Worker,
) -> None:
    worker.look(stable={0: 4}, ends={0: 9})
    worker.owned[0].state.skip_to(4)
    assert (worker.reasons(), worker.watch.warnings()) == ([], [])
    worker.now += MENTIONED_AFTER - 0.1
    assert (worker.reasons(), worker.watch.warnings()) == ([], [])
    worker.now += 0.1
    warned = held_reason(RAW.name, 0, OpenTransaction(4, 5, MENTIONED_AFTER))
    assert (worker.reasons(), worker.watch.warnings()) == ([], [warned])
    worker.now = 1000.0 + STALLED_AFTER - 0.1
    assert [one for one in worker.reasons() if "transaction" in one] == []
    worker.now += 0.1
    reason = held_reason(RAW.name, 0, OpenTransaction(4, 5, STALLED_AFTER))
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
    worker.undecodable[TP(RAW.name, 1)] = STOP
    assert worker.reasons() == [undecodable_reason(RAW.name, 1, STOP)]
    assert worker.gauge("gridwatch_undecodable") == {"0": 0.0, "1": 1.0}
    worker.undecodable.clear()
    assert worker.reasons() == []
    assert worker.gauge("gridwatch_undecodable") == {"0": 0.0, "1": 0.0}


def test_a_batch_of_the_changelog_that_cannot_be_decoded_is_named_too(worker: Worker) -> None:
    stop = Undecodable(7, None, "UnsupportedCodecError: snappy", 0.0, 1)
    topic = changelog(SETTINGS.app_id).name
    worker.undecodable[TP(topic, 0)] = stop
    assert worker.reasons() == [undecodable_reason(topic, 0, stop)]
    assert worker.gauge("gridwatch_undecodable") == {"0": 0.0, "1": 0.0}


def test_a_worker_whose_consumer_has_not_started_knows_of_no_such_batch(worker: Worker) -> None:
    class NotYet:
        def __getattr__(self, name: str) -> Any:
            raise ConsumerNotStarted("not yet")

    worker.app.consumer = NotYet()
    for known in (worker.mine, worker.owned, worker.sums.owned):
        known.clear()
    assert worker.reasons() == ["no partition is assigned to this worker"]


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
        assert f'gridwatch_reread_batches_total{{cause="{cause}",flow="smartmeter"}} {count}' in text
    assert "# TYPE gridwatch_reread_batches_total counter" in text


def test_windows_are_counted_by_their_length_from_zero_on(worker: Worker) -> None:
    worker.readings.emitted[1].update({AGGREGATES_1M.name: 30, AGGREGATES_15M.name: 2, VALIDATED.name: 99})
    counted = {
        (one.labels["partition"], one.labels["length"]): one.value
        for one in worker.samples("gridwatch_windows_emitted")
        if one.name.endswith("_total")
    }
    assert counted == {("0", "1m"): 0.0, ("0", "15m"): 0.0, ("1", "1m"): 30.0, ("1", "15m"): 2.0}
    assert {one.labels["stage"] for one in worker.samples("gridwatch_windows_emitted")} == {"readings"}


def test_anomalies_are_counted_from_zero_on_every_revision(worker: Worker) -> None:
    worker.readings.emitted[1].update({ANOMALIES.name: 7, VALIDATED.name: 99})
    counted = {
        one.labels["partition"]: one.value
        for one in worker.samples("gridwatch_anomalies_emitted")
        if one.name.endswith("_total")
    }
    assert counted == {"0": 0.0, "1": 7.0}
    assert {one.labels["stage"] for one in worker.samples("gridwatch_anomalies_emitted")} == {"readings"}


def test_how_long_a_transaction_holds_each_partition_back_is_a_number_zero_for_none(worker: Worker) -> None:
    worker.look(stable={0: 0}, ends={0: 9})
    worker.reasons()
    worker.now += 3.0
    assert worker.gauge("gridwatch_open_transaction_seconds") == {"0": 3.0, "1": 0.0}


# -- further stages


@pytest.mark.parametrize("topic", [VALIDATED.name, changelog(SETTINGS.app_id, "sums").name])
def test_a_batch_of_a_further_stage_that_cannot_be_decoded_is_a_reason_with_its_name(
    worker: Worker, topic: str
) -> None:
    worker.undecodable[TP(topic, 1)] = STOP
    assert worker.reasons() == [f"sums, {undecodable_reason(topic, 1, STOP)}"]
    assert worker.gauge("gridwatch_undecodable") == {"0": 0.0, "1": 0.0}
    of_source = float(topic == VALIDATED.name)
    assert worker.gauge("gridwatch_undecodable", "sums") == {"0": 0.0, "1": of_source}


def test_a_further_stage_whose_partition_is_not_taken_over_is_a_reason(worker: Worker) -> None:
    worker.sums.waiting_to_be_taken_over = [1]
    assert worker.reasons() == []
    worker.now += TAKEN_OVER_WITHIN
    assert worker.reasons() == ["sums, partition 1: not taken over for 5 s"]
    worker.app.consumer_generation_id += 1
    assert worker.reasons() == []


def test_a_further_stage_that_has_lost_the_end_of_its_source_is_a_reason(worker: Worker) -> None:
    worker.sums.owned[1].lost = "partition 1: it ends before its state"
    assert worker.reasons() == ["sums, partition 1: it ends before its state"]


def test_a_further_stage_that_is_stalled_while_records_wait_is_a_reason(worker: Worker) -> None:
    worker.look(stable={1: 9}, ends={1: 9}, topic=VALIDATED.name)
    assert worker.reasons() == []
    worker.now += STALLED_AFTER
    assert worker.reasons() == ["sums, partition 1: records wait, and nothing was committed for 20 s"]
    assert worker.gauge("gridwatch_stalled_seconds", "sums") == {"0": 0.0, "1": STALLED_AFTER}
    assert worker.gauge("gridwatch_stalled_seconds") == {"0": 0.0, "1": 0.0}
    assert worker.gauge("gridwatch_consumer_lag_records", "sums") == {"0": 0.0, "1": 9.0}


def test_a_transaction_that_holds_back_a_further_stage_is_a_reason(worker: Worker) -> None:
    worker.look(stable={0: 0}, ends={0: 9}, topic=VALIDATED.name)
    worker.reasons()
    worker.now += MENTIONED_AFTER
    mentioned = held_reason(VALIDATED.name, 0, OpenTransaction(0, 9, MENTIONED_AFTER))
    assert (worker.reasons(), worker.watch.warnings()) == ([], [f"sums, {mentioned}"])
    worker.now = 1000.0 + STALLED_AFTER
    assert worker.reasons() == [
        f"sums, {held_reason(VALIDATED.name, 0, OpenTransaction(0, 9, STALLED_AFTER))}"
    ]
    assert worker.gauge("gridwatch_open_transaction_seconds", "sums") == {"0": STALLED_AFTER, "1": 0.0}
    assert worker.gauge("gridwatch_open_transaction_seconds") == {"0": 0.0, "1": 0.0}


def test_a_worthless_feed_of_a_further_stage_is_a_reason(worker: Worker) -> None:
    worker.sums.feeds[1].observe(0, 3, 3, "NOT_JSON: no")
    problem = "the last 3 readings are all dead letters, the last one: NOT_JSON: no"
    assert worker.reasons() == [f"sums, {feed_reason(VALIDATED.name, 1, problem)}"]
    assert worker.gauge("gridwatch_dead_letter_run", "sums") == {"0": 0.0, "1": 3.0}


def test_foreign_rows_in_any_changelog_are_warned_of_and_counted_by_stage(worker: Worker) -> None:
    worker.sums.store.foreign_rows = 2
    (warning,) = worker.watch.warnings()
    assert changelog(SETTINGS.app_id, "sums").name in warning
    assert worker.reasons() == []  # they were left out, and the state is whole
    counted = {one.labels["stage"]: one.value for one in worker.samples("gridwatch_foreign_changelog_rows")}
    assert counted == {"readings": 0.0, "sums": 2.0}


def test_the_topics_of_every_stage_are_looked_at(worker: Worker) -> None:
    broker = Watch(worker, SETTINGS)._health._broker  # type: ignore[arg-type]
    needed = [topic.name for stage in (READINGS, SUMS) for topic in stage.topics(SETTINGS.app_id)]
    assert sorted(broker._topics) == sorted(set(needed))
    assert broker._read == [RAW.name, VALIDATED.name]


def test_a_worker_without_partitions_of_any_stage_says_so_once(worker: Worker) -> None:
    worker.mine -= {TP(RAW.name, 0), TP(RAW.name, 1)}
    assert worker.watch._health.application().assigned
    worker.mine.clear()
    assert worker.watch._health.application().reasons() == ["no partition is assigned to this worker"]


def test_recovery_is_how_far_all_changelogs_are(worker: Worker) -> None:
    recovery = worker.app.tables.recovery
    for topic, read in (("a-changelog", 9), ("b-changelog", 4)):
        recovery.active_highwaters[TP(topic, 0)] = 9
        recovery.active_offsets[TP(topic, 0)] = read
    worker.app.in_recovery = True
    (reason,) = worker.reasons()
    assert reason.endswith("75% read, 5 rows to come; b-changelog[0] is at 50%")
    assert [one.value for one in worker.samples("gridwatch_recovery_rows_remaining")] == [5.0]


def test_an_ack_that_does_not_come_is_a_reason_once_for_all_stages(worker: Worker) -> None:
    worker.emitter.waiting_since, worker.emitter.last_error = 0.0, "no leader"
    (reason,) = worker.reasons()
    assert reason.endswith("nothing is lost; no leader")


#: What only the readings have.
OF_READINGS = {
    *("watermark_lag_seconds", "watermark_stalled_seconds", "tick_overdue_seconds"),
    *("state_meters", "open_gaps", "jump_candidates", "bundles_emitted", "anomalies_emitted"),
}
#: Only where the worker has that stage: `test_regions_health.py`.
OF_REGIONS = {
    *("regions_known", "region_load_percent", "windows_unpublished", "unpublished_age_seconds"),
    *("sources_out", "incidents_open", "regional_windows_emitted"),
}


def test_every_gauge_of_partitions_has_a_value_for_every_stage_that_has_it(worker: Worker) -> None:
    for owned in worker.owned.values():
        owned.state.watermark = 1
    worker.reasons()
    for metric in metrics_of(WORKER).values():
        if metric.name in OF_REGIONS:
            continue
        if metric.labels != ("stage", "partition"):
            assert worker.samples(metric.family), metric
            continue
        assert set(worker.gauge(metric.family)) == {"0", "1"}, metric
        sums = set() if metric.name in OF_READINGS else {"0", "1"}
        assert set(worker.gauge(metric.family, "sums")) == sums, metric
