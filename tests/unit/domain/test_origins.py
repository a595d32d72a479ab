"""Origins: the outputs of an upstream that crashes, stalls and fails over are each processed exactly once."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from gridwatch.domain.origins import Origins

Origin = tuple[int, int]


@st.composite
def upstream(draw: st.DrawFn) -> tuple[list[Origin], list[Origin]]:
    """The outputs of one partition in order, and what is in the topic after several restarts.

    Each run begins at or before what was last written, as a worker does that goes on from a committed
    position; a stalled former owner's run is one that begins far back.
    """
    origins = draw(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3)), unique=True, max_size=12))
    origins.sort()
    written: list[Origin] = []
    reached = 0
    for end in [*draw(st.lists(st.integers(0, len(origins)), max_size=6)), len(origins)]:
        written += origins[draw(st.integers(0, reached)) : end]
        reached = max(reached, end)
    return origins, written


@given(upstream(), st.data())
def test_every_output_is_processed_once_in_order_wherever_the_stage_itself_restarts(
    log: tuple[list[Origin], list[Origin]], data: st.DataObject
) -> None:
    origins, written = log
    taken: list[Origin] = []
    state = Origins()
    for origin in written:
        if state.advance(7, *origin):
            taken.append(origin)
        if data.draw(st.booleans()):
            state = Origins(state.highest())  # stored and read
    assert taken == origins


@given(st.lists(upstream(), min_size=2, max_size=3), st.randoms())
def test_partitions_upstream_do_not_know_of_each_other(
    logs: list[tuple[list[Origin], list[Origin]]], chance: random.Random
) -> None:
    mixed = [number for number, (_, written) in enumerate(logs) for _ in written]
    chance.shuffle(mixed)
    rest = [iter(written) for _, written in logs]
    state, taken = Origins(), [list[Origin]() for _ in logs]
    for number in mixed:
        origin = next(rest[number])
        if state.advance(number, *origin):
            taken[number].append(origin)
    assert taken == [origins for origins, _ in logs]


def test_the_highest_origins_are_listed_in_order_of_the_partitions() -> None:
    state = Origins()
    origins = ((3, 5, 0), (1, 2, 1), (3, 5, 1), (3, 5, 0))
    assert [state.advance(*one) for one in origins] == [True, True, True, False]
    assert state.highest() == ((1, (2, 1)), (3, (5, 1)))
