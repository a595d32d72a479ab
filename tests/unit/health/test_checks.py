"""Ready means that what arrives now is worked on; every cause of the contrary is named."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gridwatch.health.checks import (
    CHECKS,
    TAKEN_OVER_WITHIN,
    Database,
    Observed,
    Partition,
    feed_reason,
    foreign_rows_reason,
    held_reason,
)
from gridwatch.health.metrics import BRIDGE, INGEST, SERVICES, SINK, WORKER, Service
from gridwatch.health.progress import Progress
from gridwatch.kafka.open_transactions import OpenTransaction
from gridwatch.streaming.faust.fetching import Undecodable
from gridwatch.streaming.stage.dead_letter_limit import DeadLetterLimit, DeadLetterPolicy

STALLED_AFTER = 30.0
STOP = Undecodable(7, 12, "its CRC is wrong", 0.0, 1)


def worker(**changes: Any) -> Observed:
    return Observed(WORKER, **changes)


def sink(**changes: Any) -> Observed:
    return Observed(SINK, **changes)


def raw(number: int, **changes: Any) -> Partition:
    return Partition("raw", number, **changes)


#: Check, what is observed, and what is said.
CASES: list[tuple[str, Observed, str]] = [
    ("unassigned", worker(assigned=False), "no partition is assigned to this worker"),
    ("unassigned", sink(assigned=False), "no partition is assigned to this sink"),
    ("rebalance", worker(rebalancing=True), "rebalance"),
    ("rebalance", sink(rebalancing=True), "rebalance"),
    ("recovery", worker(recovering=True), "recovered"),
    ("recovery", worker(recovering=True, recovery="63% read"), "changelog: 63% read"),
    ("stopping", worker(stopping=True), "the worker is stopping"),
    ("stopping", sink(stopping=True), "the sink is stopping"),
    ("brokers", worker(brokers=["no broker answers at x:1"]), "no broker answers at x:1"),
    ("brokers", sink(brokers=["no broker answers at x:1"]), "no broker answers at x:1"),
    ("database", sink(database=Database("h:1", waited=9.6, error="no")), "the database at h:1 for 10 s: no"),
    (
        "database",
        sink(database=Database("h:1", running=31.0)),
        "a transaction at h:1 has been running for 31",
    ),
    ("source lost", worker(partitions=[raw(5, lost="partition 5: gone")]), "partition 5: gone"),
    ("undecodable", worker(partitions=[raw(5, undecodable=STOP)]), "partition 5: the batch at offset 7"),
    ("undecodable", sink(partitions=[raw(5, undecodable=STOP)]), "partition 5: the batch at offset 7 of raw"),
    (
        "transaction",
        worker(partitions=[raw(5, held=OpenTransaction(4, 5, 30.0))]),
        "partition 5: a transaction",
    ),
    (
        "transaction",
        sink(partitions=[raw(5, held=OpenTransaction(4, 5, 30.0))]),
        "partition 5: a transaction",
    ),
    ("feed", worker(partitions=[raw(5, feed="all bad")]), "partition 5: all bad"),
    ("feed", sink(partitions=[raw(5, feed="all bad")]), "partition 5: all bad"),
    (
        "taken over",
        worker(partitions=[raw(2, not_taken_over=TAKEN_OVER_WITHIN)]),
        "partition 2: not taken over for 5 s",
    ),
    ("stalled", worker(partitions=[raw(3, stalled=STALLED_AFTER)]), "partition 3: readings wait"),
    ("stalled", sink(partitions=[raw(3, stalled=STALLED_AFTER)]), "raw[3]: records wait"),
    (
        "ticks",
        worker(partitions=[raw(4, tick_overdue=STALLED_AFTER)]),
        "partition 4: empty, and no tick came for 30 s",
    ),
    ("ack", worker(ack_wait=STALLED_AFTER), "waiting for the brokers' ack for 30 s"),
    *(
        case
        for entrance in (INGEST, BRIDGE)
        for case in (
            ("stopping", Observed(entrance, stopping=True), f"the {entrance.name} is stopping"),
            ("brokers", Observed(entrance, brokers=["topic smartmeter_raw is missing"]), "raw is missing"),
            ("ack", Observed(entrance, ack_wait=3.0, stalled_after=3.0, ack_problem="no"), "lost; no"),
        )
    ),
]


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_ready_has_no_reasons(service: Service) -> None:
    assert Observed(service).reasons() == []
    assert Observed(service, partitions=[raw(0)], database=Database("h:1")).reasons() == []


@pytest.mark.parametrize(("check", "observed", "word"), CASES)
def test_each_cause_is_a_reason(check: str, observed: Observed, word: str) -> None:
    (reason,) = observed.reasons()
    assert word in reason
    (found,) = [one.name for one in CHECKS if list(one.reasons(observed))]
    assert found == check


def test_every_check_of_every_service_is_tried() -> None:
    tried = {(check, observed.service) for check, observed, _ in CASES}
    assert tried == {(check.name, service) for check in CHECKS for service in check.services}


def test_a_check_is_declared_once_and_says_in_plain_words_when_it_fails() -> None:
    names = [check.name for check in CHECKS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z].{15,}[^.]", check.meaning) for check in CHECKS)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_service_is_not_judged_by_the_checks_of_others(check: Any) -> None:
    for _, observed, _ in CASES:
        if observed.service not in check.services:
            assert list(check.reasons(observed)) == []


def test_what_is_wrong_with_single_partitions_is_said_one_by_one_behind_what_is_wrong_with_all() -> None:
    lost = [raw(0, lost="partition 0: x"), raw(3, lost="partition 3: y")]
    here = worker(brokers=["no broker"], partitions=lost)
    assert here.reasons() == ["no broker", "partition 0: x", "partition 3: y"]


@pytest.mark.parametrize(
    "changes",
    [
        {"lost": "partition 3: gone"},
        {"undecodable": STOP},
        {"held": OpenTransaction(4, 5, STALLED_AFTER)},
        {"feed": "all bad"},
        {"not_taken_over": TAKEN_OVER_WITHIN},
        {"stalled": STALLED_AFTER},
        {"tick_overdue": STALLED_AFTER},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_reason_of_a_further_stage_begins_with_its_name(changes: dict[str, Any]) -> None:
    (first,) = worker(partitions=[Partition("raw", 3, **changes)]).reasons()
    (further,) = worker(partitions=[Partition("raw", 3, "regions", **changes)]).reasons()
    assert first.startswith("partition 3: ")
    assert further == "regions, " + first.replace("readings wait", "records wait")


def test_a_partition_stalled_for_less_than_the_limit_is_no_reason() -> None:
    just_not = STALLED_AFTER - 0.1
    stalled = raw(3, stalled=just_not, tick_overdue=just_not, held=OpenTransaction(4, 5, just_not))
    assert worker(partitions=[stalled], ack_wait=just_not).reasons() == []
    assert worker(partitions=[raw(3, not_taken_over=TAKEN_OVER_WITHIN - 0.1)]).reasons() == []
    assert sink(partitions=[stalled], database=Database("h:1", running=STALLED_AFTER)).reasons() == []


def test_the_limit_of_a_stall_is_the_setting() -> None:
    stalled = raw(3, stalled=2.0, tick_overdue=2.0)
    assert len(worker(partitions=[stalled], stalled_after=2.0).reasons()) == 2


def test_a_rebalance_is_not_told_twice_as_missing_assignment() -> None:
    assert len(worker(assigned=False, rebalancing=True).reasons()) == 1


def test_the_reason_of_a_transaction_names_partition_topic_offset_time_count_and_remedy() -> None:
    reason = held_reason("raw", 3, OpenTransaction(7, 23, 64.4))
    for part in ("partition 3", "offset 7 of raw", "64 s", "23 offsets", "remedy:", "kafka-transactions.sh"):
        assert part in reason


def test_the_reason_of_a_feed_names_partition_topic_count_example_and_remedy() -> None:
    feed = DeadLetterLimit(DeadLetterPolicy(run=120))
    feed.observe(0, 123, 123, "MISSING_FIELD: no meter_id")
    reason = feed_reason("smartmeter_raw", 4, feed.problem())
    for part in (
        "partition 4",
        "123",
        "MISSING_FIELD: no meter_id",
        "smartmeter_raw",
        "remedy:",
        "/dead-letters/",
    ):
        assert part in reason
    assert "nothing is lost" in reason


def test_foreign_rows_are_named_with_topic_count_and_remedy() -> None:
    for part in ("7 records", "app-meters-changelog", "remedy:"):
        assert part in foreign_rows_reason("app-meters-changelog", 7)


# -- progress


def test_a_position_stalled_while_readings_wait_is_timed_from_when_it_was_first_seen() -> None:
    progress = Progress()
    assert progress.observe(100.0, {0: (5, 9)}) == {0: 0.0}
    assert progress.observe(140.0, {0: (5, 12)}) == {0: 40.0}
    assert progress.observe(141.0, {0: (6, 12)}) == {0: 0.0}


def test_a_caught_up_partition_is_never_stalled() -> None:
    progress = Progress()
    progress.observe(0.0, {0: (9, 9)})
    assert progress.observe(1000.0, {0: (9, 9)}) == {0: 0.0}
    assert progress.observe(1001.0, {0: (9, 10)}) == {0: 1.0}


def test_a_partition_that_left_and_came_back_starts_over() -> None:
    progress = Progress()
    progress.observe(0.0, {0: (5, 9)})
    progress.observe(10.0, {})
    assert progress.observe(100.0, {0: (5, 9)}) == {0: 0.0}
