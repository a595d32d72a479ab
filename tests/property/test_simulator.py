"""However time is cut, from whatever seed: readings agree, registers telescope, energy adds up."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from gridwatch.simulator.model.fleet import make_fleet
from gridwatch.simulator.model.readings import Boost, Meters
from gridwatch.simulator.rows import Rows
from replay.files.rows import Row

#: From 2020 to 2026, in seconds since the Unix epoch.
SECONDS = st.integers(1_577_836_800, 1_767_225_600)
ZONES = st.sampled_from(["Europe/Berlin", "UTC", "America/St_Johns", "Pacific/Auckland", "Asia/Kathmandu"])
EVERY = st.sampled_from([1, 7, 10, 60, 300, 900, 3600, 25_200, 86_400])


def rows(meters: Meters, start: int, end: int) -> list[Row]:
    return [row for block in Rows(meters).of(meters.between(start, end)) for row in block]


@settings(max_examples=25, deadline=None)
@given(
    st.integers(-(2**40), 2**40),
    st.integers(1, 40),
    st.integers(1, 3),
    ZONES,
    EVERY,
    SECONDS,
    st.lists(st.integers(0, 40), max_size=4),
    st.booleans(),
)
def test_windows_of_one_seed_agree_wherever_they_are_cut(
    seed: int, count: int, regions: int, zone: str, every: int, start: int, cuts: list[int], boosted: bool
) -> None:
    fleet = make_fleet(seed, count, regions)
    end = start + 40 * every
    boosts = [Boost(fleet.below("R01"), start + 5 * every + 1, start + 17 * every, 2300)] if boosted else []
    whole = rows(Meters(fleet, zone, every, boosts), start, end)
    pieces: list[Row] = []
    edges = [start, *sorted(start + cut * every for cut in cuts), end]
    for begin, stop in pairwise(edges):
        # Each by a simulator that has not seen what came before.
        pieces += rows(Meters(fleet, zone, every, boosts), begin, stop)
    assert pieces == whole
    assert len(whole) == 40 * count


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), ZONES, EVERY, st.integers(2, 12), SECONDS)
def test_longer_intervals_are_the_sums_of_shorter_ones(
    seed: int, zone: str, every: int, times: int, start: int
) -> None:
    fleet = make_fleet(seed, 25, 2)
    start -= start % (every * times)
    end = start + 3 * every * times
    short = list(Meters(fleet, zone, every).between(start, end))
    energy = sum(block.energy.sum(axis=0) for block in short)
    fed_in = sum(block.fed_in.sum(axis=0) for block in short)
    (long,) = Meters(fleet, zone, every * times).between(start, end)
    assert (long.energy.sum(axis=0) == energy).all()
    assert (long.fed_in.sum(axis=0) == fed_in).all()
    assert (long.register[-1] == short[-1].register[-1]).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), ZONES, EVERY, SECONDS)
def test_registers_never_fall(seed: int, zone: str, every: int, start: int) -> None:
    meters = Meters(make_fleet(seed, 60, 2), zone, every)
    for block in meters.between(start, start + 100 * every):
        assert block.energy.min() >= 0
        assert block.power.min() > 0
        assert block.fed_in.size == 0 or block.fed_in.min() >= 0
