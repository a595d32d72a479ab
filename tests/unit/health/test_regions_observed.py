"""The metrics of the stage `regions`, of its real state."""

from __future__ import annotations

import pytest

from gridwatch.domain.outputs import RegionLimit
from gridwatch.domain.policy import HOUR, MINUTE
from gridwatch.domain.regions.records import QUARTER
from gridwatch.health.regions import RegionsState
from tests.unit.domain.regions.feed import LATENESS, NOON, Run, bundle, group, out, window
from tests.unit.health.test_regions_health import labelled, values

END = NOON + QUARTER
#: What 20 kWh in a quarter of an hour are a third of.
LIMIT = RegionLimit("north", 1, 240.0, None)


@pytest.fixture
def run() -> Run:
    """Two sources that were heard of before noon; the region has a capacity."""
    run = Run()
    run.take(bundle(0, NOON, limits=[LIMIT]), bundle(1, NOON))
    return run


def state(run: Run) -> RegionsState:
    return run.state


def loads(run: Run) -> dict[str, float]:
    return {key[1]: value for key, value in labelled(state(run)).items() if key[0] == "region_load_percent"}


def test_a_window_waits_until_every_source_has_passed_it(run: Run) -> None:
    run.take(bundle(0, END + 2 * MINUTE, [window()]))
    found = values(state(run))
    assert (found["windows_unpublished"], found["unpublished_age_seconds"]) == (1, 120.0)
    run.take(bundle(1, END, [window()]))
    found = values(state(run))
    assert (found["windows_unpublished"], found["unpublished_age_seconds"]) == (0, 0.0)
    assert found["regions_known"] == 1


def test_the_load_is_that_of_the_newest_window_not_of_the_one_published_last(run: Run) -> None:
    assert loads(run) == {}
    run.take(bundle(0, END, [window()]), bundle(1, END, [window()]))
    assert loads(run) == {"north": 33.3}
    second = [window(start=END, flat=20 * 10**9)]
    run.take(bundle(0, END + QUARTER, second), bundle(1, END + QUARTER, second))
    assert loads(run) == {"north": 66.7}
    final = END + LATENESS
    assert [row.state for row in run.rows(bundle(0, final), bundle(1, final))] == ["FINAL"]
    assert loads(run) == {"north": 66.7}


def test_a_region_whose_newest_window_has_no_load_has_no_value(run: Run) -> None:
    run.take(bundle(0, END, [window()]), bundle(1, END, [window()]))
    little = [window(start=END, received=QUARTER)]
    run.take(bundle(0, END + QUARTER, little), bundle(1, END + QUARTER, little))
    assert loads(run) == {}


def test_a_source_that_is_out_and_an_incident_that_is_open_are_counted(run: Run) -> None:
    run.take(bundle(0, END, groups=[group(4, 3)]), out(1))
    assert values(state(run))["sources_out"] == 1
    assert labelled(state(run))["incidents_open", "feeder"] == 1  # it speaks for its transformer
    run.take(bundle(1, END + HOUR))
    assert values(state(run))["sources_out"] == 0
