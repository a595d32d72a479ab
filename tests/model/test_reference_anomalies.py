"""The slow model of anomalies: which windows it judges, by hand; and the domain against it on random logs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.model.anomalies.table import KINDS
from tests.model.compare import check
from tests.model.reference import Reference
from tests.model.stamps import DAY, MINUTE, QUARTER, show
from tests.model.test_reference import METER
from tests.model.test_reference_controls import Step, at, entry, outage, reading, run, tick
from tests.model.usual import UsualLogMaker

SEEDS = (  # logs of every style, that have everything between them
    1, 4, 7, 9, 15, 24, 30, 33, 35, 40, 42, 44, 46, 50, 53, 54, 58, 88, 144, 170, 226,
)  # fmt: skip
LIVES = (("OPEN", None), ("CLOSED", "RETURNED"), ("CLOSED", "SILENT"), ("RETRACTED", "REVISED"))
SEVERITIES = {
    "SPIKE": "low medium high critical", "DROP": "low medium high", "REVERSE_FLOW": "low",
    "VOLTAGE": "medium high", "FREQUENCY": "medium high", "LOW_POWER_FACTOR": "low", "FLATLINE": "medium",
    "ZERO_RUN": "medium", "LEVEL_SHIFT": "low",
}  # fmt: skip


# -- which windows are judged


def spikes(*steps: Step, **settings: Any) -> list[tuple[Any, ...]]:
    """(first window, minutes, state, region, value, baseline) of each revision of a spike."""
    settings = {"judges": True, "default_interval": 15 * MINUTE, "windows": (MINUTE, QUARTER), **settings}
    return [
        (show(one["start"])[11:16], one["length"] // MINUTE, one["state"], one["region"], one["value"],
         one["baseline"])
        for kind, one in run(*steps, **settings)
        if kind == "anomaly" and one["kind"] == "SPIKE"
    ]  # fmt: skip


def quarters(first: str, *kwh: float | None, **more: Any) -> list[Step]:
    """Readings of quarters of an hour, None for one that does not come."""
    start = at(first)
    times = [show(start + number * QUARTER)[11:16] for number in range(len(kwh))]
    return [
        reading(time, consumption_kwh=value, interval_minutes=15, **more)
        for time, value in zip(times, kwh, strict=True)
        if value is not None
    ]


def test_windows_are_judged_as_they_are_emitted() -> None:
    steps = quarters("10:00", 1, 1, 1, 3, region="north")
    assert spikes(*steps, tick("10:59:59")) == []
    found = [("10:45", 15, "OPEN", "north", 12_000_000, 4_000_000)]
    assert spikes(*steps, tick("11:00")) == found
    assert spikes(*steps, tick("11:00"), judges=False) == []
    assert spikes(*steps, tick("11:00"), windows=(MINUTE,)) == []  # no slots: its interval is not too long
    assert spikes(*steps, tick("11:00"), judged_window=MINUTE) == found  # its slots
    assert spikes(*steps, judged_window=None, windows=()) == found


def test_a_window_that_is_incomplete_is_not_judged() -> None:
    for count, judged in ((12, True), (11, False)):  # of 15
        steps = [*quarters("10:00", 1, 1, 1), tick("10:45")]
        steps += [reading(f"10:{45 + n}", consumption_kwh=0.2, interval_minutes=1) for n in range(count)]
        assert bool(spikes(*steps, tick("11:00"))) == judged


def test_a_window_that_is_complete_too_late_is_not_judged_at_all() -> None:
    steps = [*quarters("10:00", 1, 1, 1, None, 1), tick("11:15")]
    late = reading("10:45", consumption_kwh=3, interval_minutes=15)
    assert spikes(*steps, late, tick("11:16")) == []
    assert spikes(*steps[:-2], tick("11:00"), late, tick("11:01")) != []


def test_slots_have_the_power_of_their_reading_else_its_energy() -> None:
    def hours(last: dict[str, Any], **settings: Any) -> list[tuple[Any, ...]]:
        steps = [reading(f"01-0{day} 10:00", consumption_kwh=1, interval_minutes=60) for day in (1, 2, 3)]
        return spikes(*steps, reading("01-04 10:00", interval_minutes=60, **last), **settings)

    assert hours({"consumption_kwh": 3}) == [("10:00", 60, "OPEN", None, 3_000_000, 1_000_000)]
    assert hours({"consumption_kwh": 1, "power_kw": 4})[0][4] == 4_000_000
    assert hours({"consumption_kwh": 3}, anchor="end")[0][0] == "09:00"


def test_no_slot_is_judged_that_is_extra_planned_or_over_a_gap() -> None:
    usual = [reading(f"01-0{day} 10:00", consumption_kwh=1, interval_minutes=60) for day in (1, 2, 3)]
    high = reading("01-04 10:00", consumption_kwh=3, interval_minutes=60)
    settings = {"max_watermark_jump": DAY}
    assert spikes(*usual, high, **settings) != []
    planned = outage(1, "meter", METER, "01-04 10:00", "01-04 11:00")
    assert spikes(*usual, planned, high, **settings) == []
    assert spikes(entry(1, "suspended", as_of="01-01 09:00"), *usual, high, **settings) == []
    extra = reading("01-04 10:01", consumption_kwh=3, interval_minutes=60)
    normal = reading("01-04 10:00", consumption_kwh=1, interval_minutes=60)
    assert spikes(*usual, normal, extra, **settings) == []


# -- the random logs


@pytest.fixture(scope="module")
def found() -> list[dict[str, Any]]:
    """Every revision of every anomaly of the logs, by the model."""
    makers = [UsualLogMaker(seed) for seed in SEEDS]
    runs = (Reference(maker.policy, maker.partition).run(maker.make()) for maker in makers)
    return [record for outputs in runs for kind, record in outputs if kind == "anomaly"]


def test_the_random_logs_have_every_life_of_every_kind(found: list[dict[str, Any]]) -> None:
    lives = {(one["kind"], one["state"], one["reason"]) for one in found}
    expected = {(kind, state, reason) for kind in KINDS for state, reason in LIVES}
    expected.remove(("LEVEL_SHIFT", "RETRACTED", "REVISED"))
    assert lives == expected | {("LEVEL_SHIFT", "CLOSED", "LEARNED")}


def test_the_random_logs_have_every_severity_and_confidence(found: list[dict[str, Any]]) -> None:
    severities = {(one["kind"], one["severity"]) for one in found}
    assert severities == {(kind, severity) for kind, ways in SEVERITIES.items() for severity in ways.split()}
    confidences = {(one["kind"], one["confidence"]) for one in found}
    always = {"VOLTAGE", "FREQUENCY", "LEVEL_SHIFT"}
    assert confidences == {(kind, "high") for kind in KINDS} | {(kind, "low") for kind in {*KINDS} - always}


def test_the_random_logs_have_anomalies_that_grow_worse(found: list[dict[str, Any]]) -> None:
    worse = {one["kind"] for one in found if one["state"] == "OPEN" and one["revision"] > 1}
    assert worse == {*KINDS} - {"FLATLINE", "ZERO_RUN"}


@pytest.mark.parametrize("seed", SEEDS)
def test_the_domain_has_the_anomalies_of_the_model(seed: int) -> None:
    report = check(seed, UsualLogMaker)
    assert report is None, report
