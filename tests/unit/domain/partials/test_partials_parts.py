"""How many meters count where over event time, and the sums of a quarter: against the plain definition."""

from __future__ import annotations

import random

import pytest

from gridwatch.domain.consumption.aggregate import share
from gridwatch.domain.meter.usage import Place
from gridwatch.domain.partials.group import QUARTER, Group
from gridwatch.domain.partials.quarter import Quarter
from gridwatch.domain.policy import MINUTE

PLACE = Place("north", None, None, True)


@pytest.mark.parametrize("seed", range(100))
def test_a_group_counts_what_the_list_of_all_changes_says(seed: int) -> None:
    draw = random.Random(seed)
    group, changes, over = Group(PLACE), [], 0
    for _ in range(40):
        over += draw.choice([0, 0, QUARTER])
        at, joined = over + draw.randrange(-2 * QUARTER, 6 * QUARTER), draw.choice([1, 1, -1])
        group.step(at, joined, over)
        changes.append((at, joined))
        for quarter in range(over, over + 6 * QUARTER, QUARTER):
            end = quarter + QUARTER
            within = [(max(at, quarter), joined) for at, joined in changes if at < end]
            assert group.members(quarter) == sum(joined for _, joined in within)
            assert group.time(quarter) == sum(joined * (end - at) for at, joined in within)
        assert group.size == sum(joined for _, joined in changes)


@pytest.mark.parametrize("seed", range(100))
def test_a_quarter_has_its_part_of_each_energy_and_gives_back_what_it_took(seed: int) -> None:
    draw = random.Random(seed)
    quarter = Quarter("north", 4 * QUARTER)
    placed = []
    for _ in range(10):
        energy = draw.randrange(10**10)
        first = draw.randrange(3 * QUARTER, 5 * QUARTER)
        last = first + draw.choice([MINUTE, 10 * MINUTE, QUARTER, 2 * QUARTER, 4 * QUARTER])
        quarter.place(energy, first, last)
        placed.append((energy, first, last))
    mine = [share(energy, first, last, quarter.start, quarter.end) for energy, first, last in placed]
    assert quarter.flat + sum(quarter.minutes) == sum(mine)
    whole = [part for part, (_, first, last) in zip(mine, placed, strict=True)
             if first <= quarter.start and quarter.end <= last]  # fmt: skip
    assert quarter.flat == sum(whole)
    for energy, first, last in placed:
        quarter.place(-energy, first, last)
    assert quarter.is_empty


def test_the_energy_of_an_instant_is_in_its_minute() -> None:
    quarter = Quarter("north", 0)
    quarter.place_at(5, 3 * MINUTE + 1)
    assert quarter.minutes == [0, 0, 0, 5, *[0] * 11]
