"""What a worker says of the stage `regions`: windows that wait, sources that are out, loads, incidents."""

from __future__ import annotations

from collections import Counter, defaultdict
from types import SimpleNamespace
from typing import Any

import pytest

from gridwatch.health.checks import Partition
from gridwatch.health.metrics import MOST_REGIONS, WORKER, metrics_of
from gridwatch.health.regions import RegionsState, RegionsWatch
from gridwatch.settings import load_settings
from gridwatch.streaming.stage.dead_letter_limit import DeadLetterLimit, DeadLetterPolicy
from gridwatch.topics import AGGREGATES_1M, INCIDENTS, REGIONAL_AGGREGATES, REGIONAL_PARTIALS

QUARTER = 15 * 60 * 1_000_000
NOON = 1_704_110_400_000_000
ONE = Partition(REGIONAL_PARTIALS.name, 0, "regions")


class State:
    """Two sources have passed noon, a third is out: nothing waits, nothing is open."""

    def __init__(self) -> None:
        self.passed = NOON
        self.known_regions = 3
        self.sources = {name: SimpleNamespace(watermark=NOON + 60_000_000) for name in "abc"}
        self.sources_out: list[str] = []
        self.windows: dict[int, list[str]] = {NOON - QUARTER: ["north", "south"]}
        self.incidents: dict[tuple[str, str, str], object] = {}
        self.loads: dict[str, float] = {}


@pytest.fixture
def state() -> State:
    return State()


def watch(
    state: RegionsState | State, *, owned: bool = True, emitted: dict[str, int] | None = None
) -> RegionsWatch:
    """Partition 0 of the stage with this state."""
    partition = SimpleNamespace(
        state=state, batch_seconds=0.0, batch_records=0, last_commit=1.0, taken_over_at=1.0
    )
    counted: defaultdict[int, Counter[str]] = defaultdict(Counter)
    counted[0].update(emitted or {})
    pipeline: Any = SimpleNamespace(
        stage=SimpleNamespace(
            name="regions", source=REGIONAL_PARTIALS, outputs=(REGIONAL_AGGREGATES, INCIDENTS)
        ),
        owned={0: partition} if owned else {},
        emitted=counted,
        feeds=defaultdict(lambda: DeadLetterLimit(DeadLetterPolicy())),
    )
    app = SimpleNamespace(settings=load_settings(partitions=1, broker="nowhere:1"))
    return RegionsWatch(app, pipeline, named=True)


def values(state: RegionsState | State) -> dict[str, float | None]:
    return watch(state).values(ONE, NOON, state_ready=False)


def labelled(state: RegionsState | State) -> dict[tuple[str, ...], float]:
    return {(name, *labels): value for name, value, labels in watch(state).labelled(0)}


def test_windows_that_all_sources_have_passed_do_not_wait(state: State) -> None:
    found = values(state)
    assert (found["windows_unpublished"], found["unpublished_age_seconds"]) == (0, 0.0)


def test_the_oldest_window_that_waits_is_as_old_as_the_most_advanced_source_says(state: State) -> None:
    state.windows |= {NOON: ["north"], NOON + QUARTER: ["north", "south"]}
    state.sources["b"].watermark = NOON + 2 * QUARTER + 90_000_000
    found = values(state)
    assert found["windows_unpublished"] == 3
    assert found["unpublished_age_seconds"] == (QUARTER + 90_000_000) / 1e6


def test_regions_and_sources_that_are_out_are_counted(state: State) -> None:
    state.sources_out = ["c"]
    found = values(state)
    assert (found["regions_known"], found["sources_out"]) == (3, 1)


def test_incidents_are_counted_by_kind_from_zero_on(state: State) -> None:
    state.incidents = dict.fromkeys(
        [("storm", "north", "north"), ("feeder", "north", "F1"), ("feeder", "south", "F1")]
    )
    found = labelled(state)
    assert [found["incidents_open", kind] for kind in ("storm", "feeder", "transformer")] == [1, 2, 0]


def test_of_many_regions_the_ones_with_the_highest_load_are_given(state: State) -> None:
    state.loads = {f"region {number}": number / 10 for number in range(MOST_REGIONS + 50)}
    found = {key[1]: value for key, value in labelled(state).items() if key[0] == "region_load_percent"}
    assert len(found) == MOST_REGIONS
    assert min(found.values()) == 5.0
    assert found[f"region {MOST_REGIONS + 49}"] == (MOST_REGIONS + 49) / 10


def test_windows_of_regions_are_counted_and_topics_of_other_stages_are_not(state: State) -> None:
    emitted = {REGIONAL_AGGREGATES.name: 7, AGGREGATES_1M.name: 9}
    found = [one for one in watch(state, emitted=emitted).labelled(0) if one[0].endswith("_emitted")]
    assert found == [("regional_windows_emitted", 7.0, ())]


def test_a_partition_that_is_not_taken_over_says_nothing_of_regions(state: State) -> None:
    unowned = watch(state, owned=False)
    assert "regions_known" not in unowned.values(ONE, NOON, state_ready=False)
    assert [name for name, _, _ in unowned.labelled(0)] == ["regional_windows_emitted"]


def test_whatever_is_given_is_declared_with_its_labels(state: State) -> None:
    state.loads, declared = {"north": 95.0}, metrics_of(WORKER)
    assert values(state).keys() <= declared.keys()
    for name, _, labels in watch(state).labelled(0):
        assert len(declared[name].labels) == 2 + len(labels)
