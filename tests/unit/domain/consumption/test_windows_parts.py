"""The parts of windows: shares of an energy, what is due, windows that changed after their end."""

from __future__ import annotations

import itertools
import random

import pytest

from gridwatch.domain.consumption.aggregate import share
from gridwatch.domain.consumption.due import DueWindows
from gridwatch.domain.consumption.ended import EndedWindows
from gridwatch.domain.consumption.sums import micro_wh
from gridwatch.domain.meter.timeliness import key_of
from gridwatch.domain.meter.usage import (
    NO_POWER,
    NO_VALUE,
    Usage,
    measures_of,
    values_by_key,
    with_measures,
)
from gridwatch.domain.policy import MINUTE, NEVER
from gridwatch.domain.reading import OpenedReading


@pytest.mark.parametrize("seed", range(200))
def test_the_shares_of_an_energy_sum_to_it_wherever_it_is_cut(seed: int) -> None:
    draw = random.Random(seed)
    energy, first = draw.randrange(10**12), draw.randrange(10**9)
    last = first + draw.randrange(1, 10**9)
    cuts = sorted({first, last, *(draw.randrange(first, last + 1) for _ in range(draw.randrange(9)))})
    shares = [share(energy, first, last, start, end) for start, end in itertools.pairwise(cuts)]
    assert sum(shares) == energy
    for (start, end), part in zip(itertools.pairwise(cuts), shares, strict=True):
        assert abs(part - energy * (end - start) / (last - first)) <= 1 + 1e-6 * part


def test_nothing_of_an_energy_is_outside_of_its_time() -> None:
    assert share(100, 10, 20, 0, 10) == share(100, 10, 20, 20, 30) == 0
    assert share(100, 10, 20, 0, 30) == 100


def test_energy_is_rounded_half_up() -> None:
    assert [micro_wh(kwh) for kwh in (0.0, 0.5e-9, 1.4999e-9, 0.000833333333)] == [0, 1, 1, 833333]


def test_windows_are_due_by_end_and_the_shorter_one_first() -> None:
    due = DueWindows()
    for end, length, meter in ((30, 15, "B"), (30, 1, "C"), (30, 15, "A"), (29, 1, "D"), (30, 15, "B")):
        due.add(end, length, meter)
    found = []
    while due.earliest()[0] < NEVER:
        found.append((due.earliest(), due.pop()))
    assert found == [((29, 1), ["D"]), ((30, 1), ["C"]), ((30, 15), ["A", "B"])]


def test_a_window_that_changed_after_its_end_counts_its_revisions() -> None:
    ended = EndedWindows()
    ended.change("M", 0, MINUTE, 1)
    ended.change("M", 0, MINUTE, 0)  # known: what was emitted last stays
    ended.change("A", 0, 15 * MINUTE, 0)
    assert ended.in_order() == [(MINUTE, MINUTE, "M"), (15 * MINUTE, 15 * MINUTE, "A")]
    ended.emitted("M", 0, MINUTE, 2)
    assert ended.of("M") == {(0, MINUTE): (2, False)}
    assert ended.in_order() == [(15 * MINUTE, 15 * MINUTE, "A")]


def test_windows_that_are_over_are_forgotten() -> None:
    ended = EndedWindows()
    ended.change("M", 0, MINUTE, 1)
    ended.change("M", MINUTE, MINUTE, 1)
    ended.emitted("M", 0, MINUTE, 2)
    ended.emitted("M", MINUTE, MINUTE, 2)
    assert list(ended.drop(MINUTE)) == ["M"]
    assert ended.of("M") == {(MINUTE, MINUTE): (2, False)}
    assert list(ended.drop(2 * MINUTE)) == ["M"]
    assert ended.of("M") is None


def reading(**measures: float) -> OpenedReading:
    return OpenedReading("M", "2024-01-01T00:00:00Z", 1.0, **measures)


def test_measures_are_whole_numbers_and_what_cannot_be_does_not_count() -> None:
    assert measures_of(reading()) == b""
    alone = (NO_POWER, NO_VALUE, NO_VALUE, NO_VALUE, 49_951)
    assert values_by_key(key_of(7) + measures_of(reading(frequency=49.9505))) == {key_of(7): alone}
    values = measures_of(reading(power_kw=1.2345675, voltage=-5.0, current=2.1e6, power_factor=1e300))
    assert values_by_key(key_of(7) + values) == {key_of(7): (1_234_568, -5000, NO_VALUE, NO_VALUE, NO_VALUE)}


@pytest.mark.parametrize("seed", range(50))
def test_remembered_measures_are_those_of_the_last_value_of_each_stamp(seed: int) -> None:
    draw = random.Random(seed)
    measures, known = b"", {}
    for _ in range(40):
        time, power = draw.randrange(20), draw.choice([None, 1.0, 2.0])
        values = b"" if power is None else measures_of(reading(power_kw=power))
        measures = with_measures(measures, time, values, b"")
        known[time] = power
    expected = {key_of(time): int(power * 1e6) for time, power in sorted(known.items()) if power is not None}
    powers = {key: values[0] for key, values in values_by_key(measures).items()}
    assert powers == expected
    assert list(powers) == list(expected)


@pytest.mark.parametrize("seed", range(100))
def test_a_quarter_is_reported_once_by_each_meter(seed: int) -> None:
    draw = random.Random(seed)
    usage, seen, newest = Usage(), set(), 100
    for _ in range(60):
        newest += draw.choice([0, 0, 0, 1, 1, 5, 90])
        quarter = newest - draw.choice([0, 0, 1, 2, 5])
        assert usage.report(quarter, newest - 6) == (quarter not in seen)
        seen.add(quarter)
