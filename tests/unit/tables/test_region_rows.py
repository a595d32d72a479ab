"""The rows of the stage `regions`: what is loaded from them is what was in memory."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from gridwatch.domain.regions.kept import Group
from gridwatch.domain.regions.outcome import Outcome
from gridwatch.domain.regions.processor import Processor
from gridwatch.domain.regions.state import PartitionState
from gridwatch.tables.layout import FENCE_KEY, PARTITION_KEY
from gridwatch.tables.region_rows import plain_state
from gridwatch.tables.regions import REGIONS, stored_states
from tests.unit.domain.regions.feed import LATENESS, NOON, Run, log_of, names, random_log, random_source

HOURS = 4 * 3_600_000_000
TEXTS = st.none() | st.text(max_size=3)


class Stored:
    """The rows of a partition, as commits leave them."""

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {FENCE_KEY: b""}

    def commit(self, state: PartitionState, outcome: Outcome) -> None:
        for key, row in REGIONS.rows(outcome.changed):
            if row is None:
                self.rows.pop(key, None)
            else:
                assert REGIONS.is_ours(key, row)
                self.rows[key] = row
        self.rows[PARTITION_KEY] = REGIONS.encode_partition(state, 1)

    def load(self, sources: int) -> Processor:
        state, _ = REGIONS.decode_partition(self.rows[PARTITION_KEY])
        assert state.row_count == sum(map(REGIONS.is_counted, self.rows)) == len(self.rows) - 2
        return Processor(names(sources), LATENESS, state, stored_states(sorted(self.rows.items())))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1 << 32), st.sampled_from([1, 500, 5000]))
def test_a_worker_that_resumes_from_rows_goes_on_as_if_nothing_had_been(seed: int, budget: int) -> None:
    chance = Random(seed)
    feeds = [random_source(chance, number, NOON + HOURS) for number in range(3)]
    log = log_of(random_log(chance, feeds, outs=True))
    stored, outputs = Stored(), []
    processor = Processor(names(3), LATENESS, PartitionState(0), [])
    complete = False
    while not complete:
        outcome = processor.process(log, budget=budget, onto=Outcome())
        complete = outcome.complete
        outputs += outcome.outputs
        stored.commit(processor.partition, outcome)
        if chance.random() < 0.3:
            processor = stored.load(3)
    whole, once = Run(3), Stored()
    assert outputs == whole.take(*(record.content for record in log))
    whole.state.record_time = processor.partition.record_time
    once.commit(whole.state, whole.outcome)
    assert stored.rows == once.rows


@given(st.tuples(st.text(max_size=3), TEXTS, TEXTS), st.tuples(st.text(max_size=3), TEXTS, TEXTS))
def test_two_groups_never_share_a_row(
    one: tuple[str, str | None, str | None], other: tuple[str, str | None, str | None]
) -> None:
    assert (Group(*one).name == Group(*other).name) == (one == other)


def test_a_new_partition_has_a_row_too() -> None:
    state = PartitionState(4)
    found, generation = REGIONS.decode_partition(REGIONS.encode_partition(state, 9))
    assert (plain_state(found), generation) == (plain_state(state), 9)
