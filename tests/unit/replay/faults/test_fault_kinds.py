"""Each kind of fault: what it does to the readings of a meter, and what the truth says of it."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from gridwatch.domain.partition.processor import Processor
from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.policy import Policy
from gridwatch.domain.reading import LogRecord
from replay.faults import FaultPlan, Faults
from replay.faults.catalogue import KINDS
from replay.files.rows import Row
from replay.order.emission import Item, Kind
from replay.truth.findings import FaultTruth, GapTruth, ReadingTruth, RefusedTruth
from tests.unit.replay.rig import DAY, HOUR, MINUTE, SECOND, at, every, findings, row, sequence

START = at("00:00")
DAYS = 30


def meter(name: str = "M", days: int = DAYS) -> list[Row]:
    """A meter whose every value tells which slot it is."""
    return [(time, name, n / 1000, 0, "") for n, (time, *_) in enumerate(every(30, name, START, 48 * days))]


def struck(kind: str, rows: list[Row] | None = None, seed: int = 1, **options: Any) -> list[Item]:
    return sequence(rows or meter(), FaultPlan(seed, faults=(KINDS[kind](kind, **options),)))


def times(items: list[Item], kind: Kind) -> list[int]:
    return [item.row[0] for item in items if item.row and item.kind is kind]


def runs(slots: list[int], step: int = 30 * MINUTE) -> list[int]:
    """How many slots each run of neighbours has."""
    found: list[int] = []
    for before, slot in zip([0, *slots], slots, strict=False):
        found.append(1) if slot != before + step else found.append(found.pop() + 1)
    return found


def test_gaps_are_single_readings_at_their_rate() -> None:
    assert 90 < len(times(struck("gap", rate=0.1), Kind.WITHHELD)) < 200


def test_bursts_are_runs_as_long_as_they_may_be() -> None:
    lost = times(struck("burst", every=3 * DAY, length=(2 * HOUR, 5 * HOUR)), Kind.WITHHELD)
    assert 8 <= len(runs(lost)) <= 12
    assert set(runs(lost)) <= set(range(4, 12))


def test_days_are_whole_utc_days() -> None:
    lost = times(struck("day", rate=0.2), Kind.WITHHELD)
    assert lost
    assert set(Counter(time // DAY for time in lost).values()) == {48}


def test_an_outage_takes_all_meters_of_a_region_and_no_other() -> None:
    rows = [r for n in range(40) for r in meter(f"M{n}", 10)]
    items = struck("outage", rows, every=4 * DAY, length=(3 * HOUR, 6 * HOUR), regions=3)
    told = {i.row[1]: i.row[4] for i in items if i.row and i.kind is Kind.READING}
    assert len(set(told.values())) == 3
    by_region: dict[str, set[tuple[int, ...]]] = {}
    for name, region in told.items():
        lost = tuple(i.row[0] for i in items if i.row and i.kind is Kind.WITHHELD and i.row[1] == name)
        by_region.setdefault(region, set()).add(lost)
    assert {len(lost) for lost in by_region.values()} == {1}
    assert len({next(iter(lost)) for lost in by_region.values()}) == 3


def test_the_regions_of_a_file_are_taken_and_meters_without_one_can_be_spared() -> None:
    here = [(time, "HERE", kwh, 0, ',"region":"north"') for time, _, kwh, _, _ in meter()]
    items = struck("outage", [*here, *meter("NOWHERE")], every=2 * DAY, regions=0)
    assert {item.row[1] for item in items if item.row and item.kind is Kind.WITHHELD} == {"HERE"}
    assert {item.row[4] for item in items if item.row and item.row[1] == "NOWHERE"} == {""}


def test_uniform_delays_lie_between_the_two() -> None:
    delays = [i.delay for i in struck("delay", rate=0.5, by=(MINUTE, HOUR)) if i.delay]
    assert len(delays) > 600
    assert MINUTE <= min(delays) < 3 * MINUTE < 57 * MINUTE < max(delays) <= HOUR


def test_heavy_delays_are_mostly_short_and_now_and_then_very_long() -> None:
    delays = sorted(
        i.delay for i in struck("delay", rate=0.9, by=(MINUTE, 12 * HOUR), shape="heavy") if i.delay
    )
    assert delays[0] >= MINUTE
    assert delays[len(delays) // 2] < 3 * MINUTE
    assert HOUR < delays[-1] <= 12 * HOUR


def test_after_a_lost_connection_everything_comes_at_once_in_order() -> None:
    items = struck("upload", every=5 * DAY, length=(4 * HOUR, 8 * HOUR))
    late = [i for i in items if i.delay]
    uploads = Counter(i.arrival for i in late)
    assert 4 <= len(uploads) <= 7
    assert all(7 <= count <= 17 for count in uploads.values())
    assert times(late, Kind.READING) == sorted(times(late, Kind.READING))
    assert not times(items, Kind.WITHHELD)


def test_duplicates_are_the_same_and_must_be_dropped() -> None:
    items = struck("duplicate", rate=0.1, after=(SECOND, 10 * MINUTE))
    copies = [i for i in items if i.faults]
    rows = [i.row for i in items if not i.faults and i.row]
    assert len(copies) > 90
    assert all(i.row in rows for i in copies)
    told = [f for f in findings(items) if isinstance(f, ReadingTruth)]
    assert {(f.kind, f.repeats) for f in told} == {("duplicate", "DUPLICATE")}


def test_revisions_have_another_value_and_must_be_marked() -> None:
    items = struck("revision", rate=0.1, after=(SECOND, 10 * MINUTE), change=0.5)
    values = {i.row[0]: i.row[2] for i in items if not i.faults and i.row}
    revised = [i.row for i in items if i.faults and i.row]
    assert len(revised) > 90
    assert all(values[r[0]] < r[2] <= values[r[0]] * 1.5 + 0.0011 for r in revised)
    told = [f for f in findings(items) if isinstance(f, ReadingTruth)]
    assert {(f.kind, f.repeats) for f in told} == {("revision", "REVISED")}


@pytest.mark.parametrize(
    ("mode", "low", "high"),
    [("fast", 60, 120), ("slow", -120, -60), ("drift", -14 * 120, 14 * 120), ("jump", -120, 120)],
)
def test_clocks_are_wrong_as_their_mode_says_and_readings_come_in_their_own_time(
    mode: str, low: int, high: int
) -> None:
    items = struck("clock", mode=mode, by=(MINUTE, 2 * MINUTE))
    offsets = [(i.row[0] - i.arrival) // SECOND for i in items if i.row and i.kind is Kind.READING]
    assert low <= min(offsets)
    assert max(offsets) <= high
    assert {"fast": 1, "slow": 1}.get(mode, 2) <= len(set(offsets))
    assert all((i.arrival - START) % (30 * MINUTE) == 0 for i in items if i.row)
    told = [f for f in findings(items) if isinstance(f, FaultTruth)]
    assert sum(f.slots for f in told) == sum(offset != 0 for offset in offsets)


def test_a_fast_clock_moves_the_watermark_and_the_truth_says_who_was_overtaken() -> None:
    rows = [r for n in range(12) for r in meter(f"M{n:02d}", 5)]
    items = struck("clock", rows, meters="M0[0-5]", mode="fast", by=(20 * MINUTE, 20 * MINUTE))
    kinds = {f.kind for f in findings(items) if isinstance(f, GapTruth) and f.meter >= "M06"}
    assert kinds == {"overtaken"}


def test_a_longer_interval_leaves_out_readings_and_keeps_the_energy() -> None:
    items = struck("interval-change", every=10 * DAY, length=(4 * DAY, 4 * DAY), to=60 * MINUTE)
    changed = [i.row for i in items if i.row and i.faults and i.kind is Kind.READING]
    assert {(r[0] - START) % HOUR for r in changed} == {0}
    slots = {time: kwh for time, _, kwh, _, _ in meter()}
    assert all(r[2] == pytest.approx(2 * slots[r[0]]) for r in changed)


def test_a_shorter_interval_has_readings_in_between_and_may_be_announced() -> None:
    items = struck(
        "interval-change", every=10 * DAY, length=(4 * DAY, 4 * DAY), to=10 * MINUTE, announce=True
    )
    sent = [i.row for i in items if i.row]
    assert {r[3] for r in sent} == {10, 30}
    assert all(f',"interval_minutes":{r[3]}' == r[4] for r in sent)
    assert sum(r[2] for r in sent) == pytest.approx(sum(r[2] for r in meter()), abs=0.002)
    assert [r[0] for r in sent] == sorted(r[0] for r in sent)


def test_a_swapped_meter_goes_on_under_another_id() -> None:
    items = struck("swap", every=10 * DAY, length=(2 * HOUR, 2 * HOUR))
    ids = list(dict.fromkeys(i.row[1] for i in items if i.row and i.kind is Kind.READING))
    assert ids[:3] == ["M", "M~2", "M~3"]
    assert runs(times(items, Kind.WITHHELD)) == [4] * (len(ids) - 1)
    silent = [f for f in findings(items) if isinstance(f, GapTruth) and f.meter == "M"]
    assert [(f.state, f.kind) for f in silent] == [("EXPIRED", "swap")]


def test_a_frozen_meter_repeats_the_first_value_of_the_episode() -> None:
    items = struck("frozen", every=10 * DAY, length=(6 * HOUR, 6 * HOUR))
    frozen = [i.row for i in items if i.faults and i.row]
    values = Counter(r[2] for r in frozen)
    assert set(values.values()) == {12}
    assert min(r[0] for r in frozen) == START + round(frozen[0][2] * 1000) * 30 * MINUTE


def test_spikes_beyond_the_limit_must_be_refused() -> None:
    items = struck("spike", rate=0.05, factor=5000.0)
    refused = [f for f in findings(items) if isinstance(f, RefusedTruth)]
    high = [i for i in items if i.faults and i.row and i.row[2] > 1000]
    assert len(refused) == len(high) > 20
    assert {(f.kind, f.reason) for f in refused} == {("spike", "OUT_OF_RANGE")}


def test_zero_runs_are_zeros() -> None:
    items = struck("zero-run", every=10 * DAY, length=(6 * HOUR, 6 * HOUR))
    assert {i.row[2] for i in items if i.faults and i.row} == {0.0}
    (first, *_) = [f for f in findings(items) if isinstance(f, FaultTruth)]
    assert (first.kind, first.slots, first.to - first.first) == ("zero-run", 12, 6 * HOUR)


def test_a_reboot_storm_loses_repeats_and_says_hello() -> None:
    rows = [r for n in range(20) for r in meter(f"M{n}", 10)]
    items = struck(
        "reboot-storm", rows, every=5 * DAY, length=(3 * HOUR, 3 * HOUR), regions=0, lose=0.5, repeats=2
    )
    storm = [i for i in items if i.faults]
    lost = [i for i in storm if i.kind is Kind.WITHHELD]
    hello = [i.row for i in storm if i.row and i.row[2] == 0.0 and (i.row[0] - START) % (30 * MINUTE)]
    sent = {(i.row[0], i.row[1]): 0 for i in storm if i.row and i.kind is Kind.READING}
    assert 0.3 < len(lost) / (len(lost) + len(hello)) < 0.7
    assert {6, 7, 8} == {(r[0] - START) % (30 * MINUTE) // MINUTE for r in hello}
    assert len(sent) == 2 * len(hello)
    assert len(storm) == len(lost) + 4 * len(hello)


@pytest.mark.parametrize(
    "form", ["truncated", "noise", "words", "member-missing", "text-for-number", "number", "empty"]
)
def test_garbage_is_no_reading_in_any_of_its_forms(form: str) -> None:
    items = struck("garbage", meter(name='Zähler "7"'), rate=0.1, forms=(form,))
    garbage = [i.row[4].encode("latin-1") for i in items if i.row and i.kind is Kind.GARBAGE]
    assert len(garbage) > 90
    log = [LogRecord(n, START, value) for n, value in enumerate(garbage)]
    outputs = Processor(Policy(partitions=1), PartitionState(0), {}).process(log).outputs
    assert {type(output).__name__ for output in outputs} == {"DeadLetter"}
    assert [output.raw for output in outputs] == garbage


@pytest.mark.parametrize("kind", KINDS)
def test_a_meter_has_the_same_faults_whoever_else_is_there(kind: str) -> None:
    rows = meter("M", 12)
    alone = struck(kind, rows)
    crowd = struck(kind, [*rows, *meter("A", 12), *meter("Z", 12)])

    def of_meter(items: list[Item]) -> list[Item]:
        return [item for item in items if item.row and item.row[1].startswith("M")]

    assert of_meter(crowd) == of_meter(alone)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_fault_keeps_to_its_meters_share_and_time(kind: str) -> None:
    rows = [r for n in range(60) for r in meter(f"M{n:02d}", 4)] + meter("OTHER", 4)
    options: dict[str, Any] = {"meters": "M*", "share": 0.5, "start": at("00:00", 2), "end": at("00:00", 4)}
    for name, value in {"every": DAY, "rate": 0.5, "length": (6 * HOUR, 9 * HOUR)}.items():
        if name in KINDS[kind].__dataclass_fields__:
            options[name] = value
    touched = [i for i in struck(kind, rows, **options) if i.faults and i.row]
    own = [i.arrival - i.delay for i in touched]
    assert touched
    assert {i.row[1] for i in touched if i.row} <= {
        f"M{n:02d}{more}" for n in range(60) for more in ("", "~2", "~3", "~4")
    }
    assert 15 < len({i.row[1].partition("~")[0] for i in touched if i.row}) < 45
    assert at("00:00", 2) <= min(own)
    assert max(own) < at("00:00", 4) + 30 * MINUTE


def test_two_faults_of_a_kind_draw_apart_and_the_order_in_a_file_does_not_matter() -> None:
    gap, late = KINDS["gap"]("gap", rate=0.1), KINDS["delay"]("delay")
    once = times(sequence(meter(), FaultPlan(1, faults=(gap,))), Kind.WITHHELD)
    twice = times(sequence(meter(), FaultPlan(1, faults=(gap, gap))), Kind.WITHHELD)
    assert set(once) < set(twice)
    assert sequence(meter(), FaultPlan(1, faults=(gap, late))) == sequence(
        meter(), FaultPlan(1, faults=(late, gap))
    )


def test_no_fault_depends_on_what_was_asked_before() -> None:
    faults = tuple(KINDS[kind](kind) for kind in KINDS if kind not in ("swap", "frozen"))
    plan = FaultPlan(3, faults=faults)
    rows = meter()
    forwards, backwards, shuffled = Faults(plan), Faults(plan), Faults(plan)
    expected = [forwards.over(r) for r in rows]
    assert [backwards.over(r) for r in reversed(rows)][::-1] == expected
    order = list(range(len(rows)))
    random.Random(5).shuffle(order)
    mixed = {n: shuffled.over(rows[n]) for n in order}
    assert [mixed[n] for n in range(len(rows))] == expected


def test_findings_name_the_fault_that_left_a_slot_empty() -> None:
    both = (KINDS["burst"]("burst", every=3 * DAY), KINDS["garbage"]("garbage", rate=0.05))
    found = findings(sequence([*meter(), row("N", START)], FaultPlan(1, faults=both)))
    kinds = Counter(f.kind for f in found if isinstance(f, GapTruth) and f.meter == "M")
    assert set(kinds) == {"burst", "garbage"}
    gaps = [f for f in found if isinstance(f, GapTruth) and f.meter == "M"]
    assert all(sum(f.causes.values()) == f.missing for f in gaps)
