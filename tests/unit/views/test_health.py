"""Ready means that readings which arrive now are worked on; every cause of the contrary is named."""

from __future__ import annotations

import pytest

from gridwatch.health.condition import TAKEN_OVER_WITHIN, Condition
from gridwatch.health.progress import Progress

STALLED_AFTER = 30.0
READY = Condition(assigned=True, rebalancing=False, recovering=False, stopping=False)


def test_ready_has_no_reasons() -> None:
    assert READY.reasons() == []


@pytest.mark.parametrize(
    ("condition", "word"),
    [
        (Condition(False, False, False, False), "no partition is assigned"),
        (Condition(True, True, False, False), "rebalance"),
        (Condition(True, False, True, False), "recovered"),
        (Condition(True, False, False, True), "stopping"),
        (Condition(True, False, True, recovery="63% read"), "changelog: 63% read"),
        (Condition(True, brokers=["no broker answers at x:1"]), "no broker answers at x:1"),
        (Condition(True, partitions=["partition 5: cannot be decoded"]), "partition 5: cannot be decoded"),
        (Condition(True, not_taken={2: TAKEN_OVER_WITHIN}), "partition 2: not taken over for 5 s"),
        (Condition(True, standing={3: STALLED_AFTER}), "partition 3: readings wait"),
        (Condition(True, ticks_overdue={4: STALLED_AFTER}), "partition 4: empty, and no tick came for 30 s"),
        (Condition(True, ack_wait=STALLED_AFTER), "waiting for the brokers' ack for 30 s"),
    ],
)
def test_each_cause_is_a_reason(condition: Condition, word: str) -> None:
    (reason,) = condition.reasons()
    assert word in reason


def test_what_is_wrong_with_single_partitions_is_said_one_by_one_behind_what_is_wrong_with_all() -> None:
    here = Condition(True, brokers=["no broker"], partitions=["partition 0: x", "partition 3: y"])
    assert here.reasons() == ["no broker", "partition 0: x", "partition 3: y"]


def test_a_partition_that_stands_for_less_than_the_limit_is_no_reason() -> None:
    just_not = STALLED_AFTER - 0.1
    here = Condition(True, standing={3: just_not}, ticks_overdue={3: just_not}, ack_wait=just_not)
    assert here.reasons() == []
    assert Condition(True, not_taken={3: TAKEN_OVER_WITHIN - 0.1}).reasons() == []


def test_the_limit_of_a_stall_is_the_setting() -> None:
    assert len(Condition(True, standing={3: 2.0}, ticks_overdue={3: 2.0}, stalled_after=2.0).reasons()) == 2


def test_a_rebalance_is_not_told_twice_as_missing_assignment() -> None:
    assert len(Condition(False, True, False, False).reasons()) == 1


def test_a_position_that_stands_while_readings_wait_is_timed_from_when_it_was_first_seen() -> None:
    progress = Progress()
    assert progress.observe(100.0, {0: (5, 9)}) == {0: 0.0}
    assert progress.observe(140.0, {0: (5, 12)}) == {0: 40.0}
    assert progress.observe(141.0, {0: (6, 12)}) == {0: 0.0}


def test_a_caught_up_partition_never_stands() -> None:
    progress = Progress()
    progress.observe(0.0, {0: (9, 9)})
    assert progress.observe(1000.0, {0: (9, 9)}) == {0: 0.0}
    assert progress.observe(1001.0, {0: (9, 10)}) == {0: 1.0}


def test_a_partition_that_left_and_came_back_starts_anew() -> None:
    progress = Progress()
    progress.observe(0.0, {0: (5, 9)})
    progress.observe(10.0, {})
    assert progress.observe(100.0, {0: (5, 9)}) == {0: 0.0}
