"""What a replay sends does not depend on the order of its files, nor on where it was interrupted."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from replay.emission import EmissionPlan, Item, Kind, emit
from replay.faults import FaultPlan, Faults
from replay.faults.episodic import Episodic
from replay.faults.file import plan_of
from replay.ordering import TimeOrder
from replay.placement import Placement
from replay.rows import Row
from replay.undisturbed import undisturbed
from tests.unit.replay.rig import MINUTE, SECOND, at, row, sequence

PARTITIONS = 3
ROWS = st.lists(
    st.builds(
        row,
        st.sampled_from(["A", "B", "C", "D"]),
        st.integers(0, 60).map(lambda n: at("10:00") + n * 10 * MINUTE),
        st.sampled_from([0.5, 1.0]),
    ),
    min_size=1,
    max_size=60,
)
HOUR = 60 * MINUTE
#: All kinds, in episodes short enough for rows of ten hours.
EVERYTHING = tuple(
    replace(fault, every=2 * HOUR, length=(HOUR, HOUR)) if isinstance(fault, Episodic) else fault
    for fault in plan_of("everything").faults
)
PLANS = st.builds(
    FaultPlan,
    st.integers(0, 9),
    st.just(0.3),
    st.just(300 * SECOND),
    st.just(0.1),
    st.sampled_from([(), EVERYTHING]),
)


def through_files(rows: Sequence[Row], run_rows: int) -> list[Row]:
    blocks = [list(rows[start : start + 4]) for start in range(0, len(rows), 4)]
    with TimeOrder(lambda: iter(blocks), run_rows=run_rows) as order:
        return [found for block in order.blocks() for found in block]


@given(ROWS, PLANS, st.randoms(use_true_random=False), st.integers(1, 80))
@settings(max_examples=150, deadline=None)
def test_a_shuffled_file_gives_the_same_sequence(
    rows: list[Row], plan: FaultPlan, chance: random.Random, run_rows: int
) -> None:
    shuffled = chance.sample(rows, len(rows))
    assert sequence(through_files(shuffled, run_rows), plan) == sequence(through_files(rows, 1000), plan)


def records(items: list[Item], sent_before: Sequence[int]) -> list[list[int]]:
    """The row numbers that a sender appends to each partition, in order."""
    placement = Placement(PARTITIONS)
    appended: list[list[int]] = [[] for _ in range(PARTITIONS)]
    for number, item in enumerate(items):
        if item.kind is Kind.WITHHELD:
            continue
        to = range(PARTITIONS) if item.row is None else [placement.partition(item.row[1])]
        for partition in to:
            if number > sent_before[partition]:
                appended[partition].append(number)
    return appended


@given(ROWS, PLANS, st.data())
@settings(max_examples=150, deadline=None)
def test_resumed_anywhere_it_sends_the_rest_and_nothing_twice(
    rows: list[Row], plan: FaultPlan, data: st.DataObject
) -> None:
    items = sequence(rows, plan)
    whole = records(items, [-1] * PARTITIONS)
    # A killed producer leaves each partition with its own first part of what was meant for it.
    kept = [part[: data.draw(st.integers(0, len(part)))] for part in whole]
    rest = records(items, [part[-1] if part else -1 for part in kept])
    assert [before + after for before, after in zip(kept, rest, strict=True)] == whole


@given(ROWS, st.integers(1, 20), st.booleans())
@settings(max_examples=150, deadline=None)
def test_stretches_of_readings_are_the_readings_one_by_one(rows: list[Row], size: int, settle: bool) -> None:
    ordered = sorted(rows)
    blocks = [ordered[start : start + size] for start in range(0, len(ordered), size)]
    plan = EmissionPlan(10 * SECOND, 15 * MINUTE, settle=settle)
    items: list[Item] = []
    for part in undisturbed(blocks, plan):
        items += [Item(Kind.READING, r[0], r, 0, 0) for r in part] if isinstance(part, list) else [part]
    assert items == list(emit([ordered], Faults(FaultPlan()), plan))


@given(ROWS)
@settings(max_examples=100, deadline=None)
def test_row_numbers_rise_in_every_partition(rows: list[Row]) -> None:
    for part in records(sequence(rows), [-1] * PARTITIONS):
        assert part == sorted(set(part))
