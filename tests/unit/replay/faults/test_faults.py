"""Faults are drawn from seed, meter and time alone."""

from __future__ import annotations

from replay.faults import Fate, FaultPlan, Faults
from tests.unit.replay.rig import MINUTE, SECOND, at, row

TIMES = [at("00:00") + n * 30 * MINUTE for n in range(4000)]


WITHHELD = -1


def fate(faults: Faults, meter: str, time: int) -> int:
    """WITHHELD, or the delay of a reading."""
    sendings = faults.over(row(meter, time))
    if sendings is None:
        return 0
    (sending,) = sendings
    return WITHHELD if sending.fate is Fate.WITHHELD else sending.delay


def fates(plan: FaultPlan, meter: str = "M") -> list[int]:
    faults = Faults(plan)
    return [fate(faults, meter, time) for time in TIMES]


def test_rates_are_kept() -> None:
    drawn = fates(FaultPlan(1, 0.10, 300 * SECOND, 0.05))
    assert 150 < drawn.count(WITHHELD) < 250
    assert 330 < sum(fate > 0 for fate in drawn) < 440


def test_delays_are_whole_seconds_up_to_the_longest() -> None:
    delays = fates(FaultPlan(1, 1.0, 300 * SECOND, 0.0))
    assert min(delays) == SECOND
    assert max(delays) == 300 * SECOND
    assert all(delay % SECOND == 0 for delay in delays)


def test_the_same_seed_meter_and_time_have_the_same_fate_in_any_order() -> None:
    plan = FaultPlan(7, 0.3, 300 * SECOND, 0.3)
    backwards = Faults(plan)
    for other in range(50):
        fate(backwards, f"other {other}", TIMES[other])
    assert [fate(backwards, "M", time) for time in reversed(TIMES)] == fates(plan)[::-1]


def test_another_seed_or_meter_has_other_fates() -> None:
    plan = FaultPlan(7, 0.3, 300 * SECOND, 0.3)
    assert fates(plan) != fates(FaultPlan(8, 0.3, 300 * SECOND, 0.3))
    assert fates(plan) != fates(plan, "N")


def test_nothing_happens_unless_asked_for() -> None:
    assert set(fates(FaultPlan())) == {0}
    assert not FaultPlan().active


def test_delays_below_a_second_are_possible() -> None:
    assert set(fates(FaultPlan(1, 1.0, 2, 0.0))) == {1, 2}
