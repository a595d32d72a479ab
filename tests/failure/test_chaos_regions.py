"""What chaos compares of regions is the same in two runs, however their sources ran ahead of each other."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.compare.snapshot import last_revisions
from chaos.subject import GRIDWATCH
from gridwatch.domain.policy import DAY
from gridwatch.settings import load_settings
from gridwatch.tables.regions import REGIONS
from gridwatch.topics import REGIONAL_AGGREGATES
from tests.unit.domain.regions.feed import NOON, Run, random_log, random_source

pytestmark = pytest.mark.failure

ROW = {"id": "north@T", "revision": 2, "state": "PRELIMINARY", "energy_kwh_sum": 1.0}


def compared(log: list[Any]) -> tuple[Any, dict[str, Any]]:
    """The partition and its states after a log, as a snapshot has them."""
    [observed] = [one for one in GRIDWATCH.stages if one.stage.layout is REGIONS]
    run = Run(3)
    run.take(*log)
    changed = {name: state for name, state in run.outcome.changed.items() if state is not None}
    rows = {key.decode(): row or b"" for key, row in REGIONS.rows(changed)}
    state, _ = REGIONS.decode_partition(REGIONS.encode_partition(run.state, 1))
    return observed.plain(state), observed.states(load_settings(), state, rows)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1 << 32))
def test_states_of_two_runs_are_the_same(seed: int) -> None:
    chance = Random(seed)
    feeds = [random_source(chance, number, NOON + DAY) for number in range(3)]
    one, other = (compared(random_log(chance, feeds)) for _ in range(2))
    assert one == other
    assert one[1]


def test_the_first_and_the_final_row_count_and_updates_between_them_do_not() -> None:
    final = ROW | {"revision": 4, "state": "FINAL"}
    update = ROW | {"revision": 3, "state": "UPDATED"}
    found, reported = last_revisions(REGIONAL_AGGREGATES.name, [ROW, update, final, dict(ROW)])
    assert found == {"north@T PRELIMINARY": ROW, "north@T FINAL": final}
    assert reported == []


def test_two_rows_of_one_state_and_revision_that_differ_are_reported() -> None:
    for state in ("PRELIMINARY", "UPDATED", "FINAL"):
        one = ROW | {"state": state}
        _, reported = last_revisions(REGIONAL_AGGREGATES.name, [one, one | {"energy_kwh_sum": 2.0}])
        assert len(reported) == 1


def test_incidents_are_compared_whatever_their_state() -> None:
    found, _ = last_revisions("incidents", [{"id": "storm:north@T", "revision": 1, "state": "OPEN"}])
    assert list(found) == ["storm:north@T"]
