"""What a replay sends depends on the order of rows and files only where a value comes twice, and never on
where it was interrupted."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from replay.faults import FaultPlan, Faults
from replay.faults.base.episodic import Episodic
from replay.faults.file import plan_of
from replay.files.rows import Row
from replay.files.versions import Marked
from replay.order import sorted_runs
from replay.order.emission import EmissionPlan, Item, Kind, emit
from replay.order.time_order import TimeOrder
from replay.order.undisturbed import undisturbed
from replay.sending.placement import Placement
from tests.unit.replay.rig import MINUTE, SECOND, at, row, sequence

PARTITIONS = 3
ROWS_SINGLY = st.builds(
    row,
    st.sampled_from(["A", "B", "C", "D"]),
    st.integers(0, 60).map(lambda n: at("10:00") + n * 10 * MINUTE),
    st.sampled_from([0.5, 1.0, 0.25, 2.0]),
)
ROWS = st.lists(ROWS_SINGLY, min_size=1, max_size=60)
ONCE = st.lists(ROWS_SINGLY, min_size=1, max_size=60, unique_by=lambda row: row[:2])
#: Few times and meters, so that many come twice.
CROWDED = st.lists(
    st.builds(
        row,
        st.sampled_from(["A", "B"]),
        st.integers(0, 3).map(lambda n: at("10:00") + n * 30 * MINUTE),
        st.sampled_from([0.0, 0.5, 1.0, 9.0, 3.0]),
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


#: A row with the version that its source gives it, and its device.
MARKED = st.builds(
    lambda plain, version, device: (*plain[:4], Marked(plain[4], version, device)),
    ROWS_SINGLY,
    st.integers(0, 2),
    st.sampled_from(["", "S1"]),
)


def place(row: Row) -> tuple[int, str]:
    return row[:2]


def through_files(rows: Sequence[Row], run_rows: int) -> list[Row]:
    blocks = [list(rows[start : start + 4]) for start in range(0, len(rows), 4)]
    with TimeOrder(lambda: iter(blocks), run_rows=run_rows) as order:
        return [found for block in order.blocks() for found in block]


@given(ONCE, PLANS, st.randoms(use_true_random=False), st.integers(1, 80))
@settings(max_examples=150, deadline=None)
def test_a_shuffled_file_gives_the_same_sequence(
    rows: list[Row], plan: FaultPlan, chance: random.Random, run_rows: int
) -> None:
    shuffled = chance.sample(rows, len(rows))
    assert sequence(through_files(shuffled, run_rows), plan) == sequence(through_files(rows, 1000), plan)


@given(CROWDED, st.integers(1, 80), st.integers(2, 5), st.booleans())
@settings(max_examples=200, deadline=None)
def test_rows_of_one_time_and_meter_keep_the_order_of_the_source(
    rows: list[Row], run_rows: int, fan_in: int, by_time: bool
) -> None:
    rows = sorted(rows, key=lambda one: one[0]) if by_time else rows
    with patch.object(sorted_runs, "FAN_IN", fan_in):
        assert through_files(rows, run_rows) == sorted(rows, key=place)


@given(st.lists(st.lists(CROWDED, min_size=1, max_size=3), min_size=1, max_size=3), st.integers(1, 80))
@settings(max_examples=150, deadline=None)
def test_the_last_row_of_the_last_file_of_the_last_command_stands(
    commands: list[list[list[Row]]], run_rows: int
) -> None:
    wanted = {place(one): one[2] for files in commands for rows in files for one in rows}
    sent = [one for files in commands for one in through_files([r for rows in files for r in rows], run_rows)]
    assert {place(one): one[2] for one in sent} == wanted
    once = [one for files in commands for rows in files for one in rows]
    assert {place(one): one[2] for one in through_files(once, run_rows)} == wanted


@given(st.lists(MARKED, min_size=1, max_size=60), st.integers(1, 80), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_the_highest_version_stands_and_of_one_version_the_later_row(
    rows: list[Row], run_rows: int, chance: random.Random
) -> None:
    def version(one: Row) -> int:
        return one[4].version if isinstance(one[4], Marked) else -1

    wanted = {place(one): one[2] for one in sorted(rows, key=version)}
    found = through_files(rows, run_rows)
    assert {place(one): one[2] for one in found} == wanted
    assert found == sorted(sorted(rows, key=version), key=place)
    assert not any(isinstance(one[4], Marked) for one in found)
    # Where every version comes once, neither rows nor files can change what stands.
    unique = list({(*place(one), version(one)): one for one in rows}.values())
    shuffled = chance.sample(unique, len(unique))
    assert through_files(shuffled, run_rows) == through_files(unique, run_rows)


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
    ordered = sorted(rows, key=place)
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
