"""The truth of a replay is what the rules report for it, whatever the data, the faults and the partitions."""

from __future__ import annotations

import tempfile
from dataclasses import fields
from pathlib import Path
from typing import Any

from hypothesis import given, reject, settings
from hypothesis import strategies as st

from gridwatch.domain.policy import Policy
from replay.faults import FaultPlan
from replay.faults.base.fault import Fault
from replay.faults.catalogue import KINDS
from replay.files.rows import Row
from replay.order.emission import Kind, final_after
from replay.truth.findings import SOFT, GapTruth, NothingTruth, Unjudged
from tests.unit.replay.rig import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    at,
    every,
    findings,
    manifest,
    row,
    row_giving,
    scored,
    sequence,
)

FIRST = at("00:00")


@st.composite
def meters(draw: st.DrawFn, intervals: tuple[int, ...] = (30,), given_too: bool = False) -> list[Row]:
    """Readings of a few meters: phases of their own, jitter, holes of minutes to days, doubles."""
    rows = []
    for number in range(draw(st.integers(1, 4))):
        interval = draw(st.sampled_from(intervals))
        tells = interval if given_too and draw(st.booleans()) else 0
        time = FIRST + draw(st.integers(0, 90)) * MINUTE
        for _ in range(draw(st.integers(1, 40))):
            jitter = draw(st.sampled_from([0, 0, 0, 20 * SECOND, -15 * SECOND]))
            rows.append(
                row(
                    f"M{number}",
                    time + jitter,
                    draw(st.sampled_from([0.5, 1.0, -1.0, 2000.0] + [1.5] * 12)),
                    tells,
                )
            )
            if draw(st.integers(0, 9)) == 0:
                rows.append(row(f"M{number}", time + jitter, 0.25, tells))
            time += interval * MINUTE * draw(st.sampled_from([1] * 16 + [2, 3, 7, 60, 400]))
    return rows


@st.composite
def faults(draw: st.DrawFn) -> FaultPlan:
    rate = st.sampled_from([0.0, 0.05, 0.3, 0.6])
    longest = st.sampled_from([5 * SECOND, 5 * MINUTE, 40 * MINUTE, 3 * HOUR, 12 * HOUR])
    return FaultPlan(draw(st.integers(0, 99)), draw(rate), draw(longest), draw(rate))


DURATIONS = st.sampled_from(
    [SECOND, 20 * SECOND, MINUTE, 5 * MINUTE, 20 * MINUTE, 30 * MINUTE, HOUR, 12 * HOUR, 25 * HOUR, 3 * DAY]
)
SPANS = st.tuples(DURATIONS, DURATIONS).map(lambda both: (min(both), max(both)))
#: What the options of faults may be, by name; every other one stays as it is.
OPTIONS: dict[str, st.SearchStrategy[Any]] = {
    "share": st.sampled_from([1.0, 0.5]),
    "every": st.sampled_from([HOUR, 6 * HOUR, DAY, 3 * DAY]),
    "length": SPANS,
    "by": SPANS,
    "after": SPANS,
    "rate": st.sampled_from([0.02, 0.1, 0.5]),
    "lose": st.sampled_from([0.0, 0.5]),
    "mode": st.sampled_from(["fast", "slow", "drift", "jump"]),
    "shape": st.sampled_from(["uniform", "heavy"]),
    "to": st.sampled_from([5 * MINUTE, 10 * MINUTE, 15 * MINUTE, HOUR, 90 * MINUTE]),
    "announce": st.booleans(),
    "regions": st.sampled_from([0, 1, 3]),
    "factor": st.sampled_from([2.0, 1e4]),
}


@st.composite
def any_fault(draw: st.DrawFn, *, but: tuple[str, ...] = ()) -> Fault:
    kind = draw(st.sampled_from([kind for kind in KINDS if kind not in but]))
    options = {name: draw(values) for name, values in OPTIONS.items() if name in fields_of(kind)}
    fault = KINDS[kind](kind, **options)
    try:
        fault.check()
    except ValueError:
        reject()
    return fault


def fields_of(kind: str) -> set[str]:
    return {field.name for field in fields(KINDS[kind])}


POLICIES = st.builds(
    Policy,
    partitions=st.integers(1, 3),
    grace=st.sampled_from([15 * MINUTE, 5 * MINUTE, 70 * MINUTE]),
    state_ttl=st.sampled_from([7 * DAY, DAY]),
)


@given(meters(), faults(), POLICIES, st.booleans(), st.booleans())
@settings(max_examples=80, deadline=None)
def test_a_perfect_detector_scores_perfectly(
    rows: list[Row], plan: FaultPlan, policy: Policy, every_minute: bool, settle: bool
) -> None:
    items = sequence(rows, plan, policy, every_minute=every_minute and len(rows) < 20, settle=settle)
    with tempfile.TemporaryDirectory() as folder:
        result = scored(items, Path(folder), policy)
    assert [str(difference) for difference in result.differences] == []


@given(meters(intervals=(15, 30, 60, 1), given_too=True), faults(), POLICIES)
@settings(max_examples=80, deadline=None)
def test_other_intervals_are_judged_from_where_they_are_known(
    rows: list[Row], plan: FaultPlan, policy: Policy
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        result = scored(sequence(rows, plan, policy), Path(folder), policy)
    assert [str(difference) for difference in result.differences] == []


@given(st.integers(0, 1000), st.sampled_from([15, 60]))
@settings(max_examples=30, deadline=None)
def test_what_is_not_judged_ends_when_the_interval_is_known(seed: int, minutes: int) -> None:
    rows = [row("M", FIRST + n * minutes * MINUTE) for n in range(60)]
    items = sequence(rows, FaultPlan(seed, gap_rate=0.02))
    with tempfile.TemporaryDirectory() as folder:
        truth = manifest(items, Path(folder))
        result = scored(items, Path(folder))
    assert result.perfect
    known_after = max((to for stretches in truth.unjudged.values() for _, to in stretches), default=FIRST)
    assert known_after < FIRST + 30 * minutes * MINUTE


@given(
    meters(intervals=(30, 30, 15, 60), given_too=True),
    st.lists(any_fault(), min_size=1, max_size=3).map(tuple),
    st.integers(0, 99),
    POLICIES,
)
@settings(max_examples=80, deadline=None)
def test_the_truth_of_any_faults_is_what_the_rules_report(
    rows: list[Row], chosen: tuple[Fault, ...], seed: int, policy: Policy
) -> None:
    items = sequence(rows, FaultPlan(seed, faults=chosen), policy)
    with tempfile.TemporaryDirectory() as folder:
        result = scored(items, Path(folder), policy)
    assert [str(difference) for difference in result.differences] == []


@given(
    st.integers(0, 9999),
    st.lists(any_fault(but=("spike", "surge", "level-shift", "garbage")), min_size=1, max_size=3).map(tuple),
)
@settings(max_examples=40, deadline=None)
def test_every_reading_that_was_withheld_is_accounted_for_once(seed: int, chosen: tuple[Fault, ...]) -> None:
    rows = [one for n in range(3) for one in every(30, f"M{n}", FIRST, 300)]
    items = sequence(rows, FaultPlan(seed, faults=chosen))
    withheld = sum(item.kind is Kind.WITHHELD and item.faults[-1] not in SOFT for item in items)
    told = findings(items)
    accounted = sum(
        one.injected if isinstance(one, GapTruth | Unjudged) else one.slots
        for one in told
        if isinstance(one, GapTruth | Unjudged | NothingTruth)
    )
    assert accounted == withheld


INTERVALS = st.sampled_from([1, 2, 5, 7, 10, 10, 15, 30, 45, 59, 60, 90, 300, 900, 1800, 3600, 7200])
SHORT_DURATIONS = st.sampled_from(
    [SECOND, 2 * SECOND, 7 * SECOND, 20 * SECOND, 45 * SECOND, 3 * MINUTE, 20 * MINUTE, 70 * MINUTE]
)
SHORT_SPANS = st.tuples(SHORT_DURATIONS, SHORT_DURATIONS).map(lambda both: (min(both), max(both)))
SHORT_OPTIONS: dict[str, st.SearchStrategy[Any]] = OPTIONS | {
    "every": st.sampled_from([3 * MINUTE, 20 * MINUTE, 2 * HOUR]),
    "length": SHORT_SPANS,
    "by": SHORT_SPANS,
    "after": SHORT_SPANS,
    "before": st.sampled_from([10 * SECOND, 30 * SECOND, MINUTE]),
    "to": st.sampled_from([5 * SECOND, 10 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE]),
}


@st.composite
def short_meters(draw: st.DrawFn) -> list[Row]:
    """Readings of a few meters of any interval from a second on, which may change; given or to be learned."""
    rows = []
    for number in range(draw(st.integers(1, 4))):
        interval, tells = draw(INTERVALS) * SECOND, draw(st.booleans())
        time = FIRST + draw(st.integers(0, 300)) * SECOND
        change = draw(st.integers(5, 80))
        for place in range(draw(st.integers(1, 60))):
            if place == change:
                interval = draw(INTERVALS) * SECOND
                tells = draw(st.sampled_from([tells, tells, True]))
            jitter = draw(st.sampled_from([0] * 6 + [1, 3, -4])) * interval // 20
            value = draw(st.sampled_from([0.5, -1.0, 2000.0] + [1.5] * 12))
            rows.append(row_giving(f"M{number}", time + jitter, value, interval if tells else 0))
            if draw(st.integers(0, 15)) == 0:
                rows.append(row_giving(f"M{number}", time + jitter, 0.25, interval if tells else 0))
            time += interval * draw(st.sampled_from([1] * 16 + [2, 3, 7, 60, 400]))
    return rows


SHORT_POLICIES = st.builds(
    Policy,
    partitions=st.integers(1, 3),
    grace=st.sampled_from([15 * MINUTE, 5 * MINUTE]),
    default_interval=st.sampled_from([30 * MINUTE, MINUTE, 10 * SECOND, SECOND]),
    allowed_lateness=st.sampled_from([HOUR, 5 * MINUTE]),
    state_ttl=st.sampled_from([7 * DAY, 3 * HOUR]),
    max_watermark_jump=st.sampled_from([DAY, HOUR]),
    gap_memory=st.sampled_from([DAY, 2 * HOUR]),
)


@st.composite
def short_faults(draw: st.DrawFn) -> Fault:
    kind = draw(st.sampled_from([kind for kind in KINDS if kind != "day"]))
    options = {name: draw(values) for name, values in SHORT_OPTIONS.items() if name in fields_of(kind)}
    fault = KINDS[kind](kind, **options)
    try:
        fault.check()
    except ValueError:
        reject()
    return fault


@given(
    short_meters(),
    st.lists(short_faults(), max_size=3).map(tuple),
    st.integers(0, 99),
    SHORT_POLICIES,
    st.sampled_from(["not", "settled", "final"]),
)
@settings(max_examples=60, deadline=None)
def test_the_truth_of_intervals_from_a_second_on_is_what_the_rules_report(
    rows: list[Row], chosen: tuple[Fault, ...], seed: int, policy: Policy, settling: str
) -> None:
    after = final_after(policy, policy.allowed_lateness) if settling == "final" else None
    plan = FaultPlan(seed, faults=chosen)
    items = sequence(rows, plan, policy, settle=settling != "not", settle_after=after)
    with tempfile.TemporaryDirectory() as folder:
        result = scored(items, Path(folder), policy)
    assert [str(difference) for difference in result.differences] == []
