"""Random logs: the outputs are those of the definitions, and depend on no order among the sources, on no
repetition, and on no cut."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridwatch.domain.policy import DAY, HOUR
from gridwatch.domain.regions.outcome import Outcome
from gridwatch.domain.regions.processor import Processor
from gridwatch.domain.regions.records import FINAL, PRELIMINARY, UPDATED, Incident, RegionRow
from gridwatch.domain.regions.state import PartitionState
from tests.unit.domain.regions.feed import (
    LATENESS,
    NOON,
    Run,
    lasting,
    log_of,
    names,
    random_log,
    random_source,
)
from tests.unit.domain.regions.slow import Slow

seeds = st.integers(0, 1 << 32)


def feeds_of(chance: Random, sources: int, end: int = NOON + 5 * HOUR) -> list[list[object]]:
    """The bundles of all sources, the last of each long after the others."""
    return [[*random_source(chance, number, end)] for number in range(sources)]


@settings(max_examples=40, deadline=None)
@given(seeds, st.integers(1, 4), st.booleans())
def test_outputs_are_those_of_the_definitions(seed: int, sources: int, outs: bool) -> None:
    chance = Random(seed)
    log = random_log(chance, feeds_of(chance, sources), outs=outs)  # type: ignore[arg-type]
    assert Run(sources).take(*log) == Slow(names(sources), LATENESS).run(log)


@settings(max_examples=40, deadline=None)
@given(seeds)
def test_first_and_final_rows_and_incidents_do_not_depend_on_the_order_among_the_sources(seed: int) -> None:
    chance = Random(seed)
    feeds = feeds_of(chance, 3, NOON + 2 * DAY)
    first, second = Run(3), Run(3)
    one = first.take(*random_log(chance, feeds))  # type: ignore[arg-type]
    other = second.take(*random_log(chance, feeds))  # type: ignore[arg-type]
    assert lasting(one) == lasting(other)
    assert [x for x in one if isinstance(x, Incident)] == [x for x in other if isinstance(x, Incident)]
    assert first.state.finalized == second.state.finalized


@settings(max_examples=40, deadline=None)
@given(seeds, st.integers(1, 2000))
def test_outputs_do_not_depend_on_where_commits_are_cut(seed: int, budget: int) -> None:
    chance = Random(seed)
    log = log_of(random_log(chance, feeds_of(chance, 3), outs=True))  # type: ignore[arg-type]
    processor = Processor(names(3), LATENESS, PartitionState(0), [])
    outputs: list[object] = []
    commits = 0
    while True:
        outcome = processor.process(log, budget=budget, onto=Outcome())
        outputs += outcome.outputs
        commits += 1
        if outcome.complete:
            break
    assert outputs == Run(3).take(*(record.content for record in log))
    assert processor.partition.next_offset == len(log)
    assert commits > 1


def test_the_random_logs_have_everything_in_them() -> None:
    states: set[object] = set()
    kinds: set[object] = set()
    for seed in range(30):
        chance = Random(seed)
        run = Run(3)
        for one in run.take(*random_log(chance, feeds_of(chance, 3), outs=True)):  # type: ignore[arg-type]
            if isinstance(one, RegionRow):
                states |= {(one.state, one.complete), ("load", one.percentage is not None)}
            elif isinstance(one, Incident):
                kinds |= {(one.kind, one.state), ("parent", one.parent is not None)}
    wanted = {(state, True) for state in (PRELIMINARY, UPDATED, FINAL)} | {(PRELIMINARY, False)}
    assert states >= wanted | {("load", True), ("load", False), (UPDATED, False)}
    assert kinds >= {
        (kind, state) for kind in ("storm", "feeder", "transformer") for state in ("OPEN", "CLOSED")
    }
    assert ("parent", True) in kinds


@pytest.mark.parametrize("jump", [DAY, 400 * DAY])
def test_a_jump_costs_as_much_as_a_minute(jump: int) -> None:
    run = Run(2)
    chance = Random(1)
    for number in range(2):
        run.take(*random_source(chance, number, NOON + HOUR))
    later = [one for number in range(2) for one in random_source(chance, number, NOON + HOUR)[:1]]
    moved = [one._replace(watermark=NOON + jump) for one in later]
    calls = 0

    class Counted(dict):  # type: ignore[type-arg]
        def pop(self, *args: object) -> object:
            nonlocal calls
            calls += 1
            return super().pop(*args)

    run.state.waiting = Counted(run.state.waiting)
    run.take(*moved)
    assert calls <= 200
    assert run.state.finalized == NOON + jump
    assert not run.state.windows
