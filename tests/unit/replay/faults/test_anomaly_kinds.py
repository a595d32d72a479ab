"""Faults that are anomalies: what they do to energy and power, and what the truth says of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from replay.faults import FaultPlan
from replay.faults.base.members import member, with_energy, with_member
from replay.faults.catalogue import KINDS
from replay.files.rows import Row
from replay.order.emission import Item
from replay.truth.findings import FaultTruth, RefusedTruth
from tests.unit.replay.rig import DAY, HOUR, MINUTE, at, findings, manifest, sequence

START = at("00:00")
EPISODES = {"every": 5 * DAY, "length": (3 * HOUR, 3 * HOUR)}
LONG = {"every": 10 * DAY, "length": (2 * DAY, 2 * DAY)}


def meter(name: str = "M", days: int = 20, more: str = ',"power_kw":0.4,"current":1.8') -> list[Row]:
    """A meter that always uses the same, and says so."""
    return [(START + n * 30 * MINUTE, name, 0.2, 0, more) for n in range(48 * days)]


def struck(kind: str, rows: list[Row], **options: Any) -> list[Item]:
    return sequence(rows, FaultPlan(1, faults=(KINDS[kind](kind, **options),)))


def changed(items: list[Item]) -> list[Row]:
    return [item.row for item in items if item.row and item.faults]


def says(row: Row, name: str) -> float | None:
    return member(row[4], name)


@pytest.mark.parametrize(
    ("kind", "options", "kwh", "power", "current"),
    [
        ("surge", {**EPISODES, "factor": 6.0}, 1.2, 2.4, 10.8),
        ("drop", {**EPISODES, "factor": 0.1}, 0.02, 0.04, 0.18),
        ("level-shift", {**LONG, "factor": 3.0}, 0.6, 1.2, 5.4),
        ("level-shift", {**LONG, "factor": 1.0, "add": 0.3}, 0.5, 1.0, 4.5),
        ("zero-run", LONG, 0.0, 0.0, 0.0),
        ("spike", {"rate": 0.05, "factor": 20.0}, 4.0, 8.0, 36.0),
        ("reverse-flow", {**EPISODES, "kw": 1.5}, 0.0, -1.5, 0.0),
    ],
)
def test_power_and_current_go_along_with_the_energy(
    kind: str, options: dict[str, Any], kwh: float, power: float, current: float
) -> None:
    rows = changed(struck(kind, meter(), **options))
    assert len(rows) > 10
    assert {(row[2], says(row, "power_kw"), says(row, "current")) for row in rows} == {(kwh, power, current)}


@pytest.mark.parametrize(
    ("kind", "option", "name", "value"),
    [
        ("voltage", "volts", "voltage", 260.0),
        ("frequency", "hertz", "frequency", 51.5),
        ("power-factor", "factor", "power_factor", 0.4),
    ],
)
@pytest.mark.parametrize("more", ["", ',"voltage":230.5,"frequency":50.0,"power_factor":0.98'])
def test_a_measure_is_said_also_where_there_was_none(
    kind: str, option: str, name: str, value: float, more: str
) -> None:
    items = struck(kind, meter(more=more), **EPISODES, **{option: value})
    rows = changed(items)
    assert {says(row, name) for row in rows} == {value}
    assert {row[2] for row in rows} == {0.2}
    assert {row[4] for row in (i.row for i in items if i.row and not i.faults)} == {more}
    assert len(json.loads(f"{{{rows[0][4][1:]}}}")) == (3 if more else 1)


def test_a_frozen_meter_keeps_its_power_too() -> None:
    rows: list[Row] = [
        (time, name, n / 1000, 0, f',"power_kw":{n / 500!r}')
        for n, (time, name, *_) in enumerate(meter(more=""))
    ]
    frozen = changed(struck("frozen", rows, **LONG))
    assert len(frozen) > 96
    assert {says(row, "power_kw") == round(row[2] * 2, 6) for row in frozen} == {True}
    assert len({row[2] for row in frozen}) < 4


def test_an_episode_lasts_as_long_as_it_may() -> None:
    (first, *_) = [f for f in findings(struck("surge", meter(), **EPISODES)) if isinstance(f, FaultTruth)]
    assert (first.kind, first.slots, first.to - first.first, first.size) == ("surge", 6, 3 * HOUR, 5.0)


def test_a_shift_that_stays_begins_once_a_meter_and_never_ends() -> None:
    rows = [row for n in range(5) for row in meter(f"M{n}")]
    options = {"start": at("00:00", 5), "every": 3 * DAY, "stays": True}
    rows = changed(struck("level-shift", rows, **options))
    starts = {}
    for time, name, *_ in rows:
        starts.setdefault(name, time)
    assert len(set(starts.values())) == 5
    assert all(at("00:00", 5) <= time < at("00:00", 8) for time in starts.values())
    assert len(rows) == sum((START + 20 * DAY - time) // (30 * MINUTE) for time in starts.values())


def test_a_power_of_nothing_becomes_the_mean_where_the_interval_is_given() -> None:
    given = with_energy((START, "M", 0.0, 30, ',"interval_minutes":30,"power_kw":0.0'), 0.5)
    assert says(given, "power_kw") == 1.0
    assert says(with_energy((START, "M", 0.0, 0, ',"power_kw":0.0'), 0.5), "power_kw") == 0.0


def test_a_number_is_put_in_the_place_of_its_own_and_no_other() -> None:
    row: Row = (START, "M", 1.0, 0, ',"region":"\\",\\"voltage\\":7","voltage":-2.5e2,"power_kw":1')
    assert says(row, "voltage") == -250.0
    assert with_member(row, "voltage", 190.0)[4] == (
        ',"region":"\\",\\"voltage\\":7","voltage":190.0,"power_kw":1'
    )


def test_a_surge_beyond_the_limit_must_be_refused() -> None:
    refused = [
        f for f in findings(struck("surge", meter(), **EPISODES, factor=1e4)) if isinstance(f, RefusedTruth)
    ]
    assert {(f.kind, f.reason) for f in refused} == {("surge", "OUT_OF_RANGE")}
    assert len(refused) > 10


def test_the_manifest_has_meter_kind_time_and_size_of_each(tmp_path: Path) -> None:
    plan = FaultPlan(
        1,
        faults=(
            KINDS["surge"]("surge", **EPISODES, factor=6.0),
            KINDS["voltage"]("voltage", **EPISODES, volts=190.0),
            KINDS["frozen"]("frozen", **LONG),
            KINDS["duplicate"]("duplicate", rate=0.1),
        ),
    )
    items = sequence(meter(), plan)
    truth = manifest(items, tmp_path)
    found = {(one.fault, one.kind, one.size) for one in truth.anomalies}
    assert {("surge", "SPIKE", 6.0), ("voltage", "VOLTAGE", 190.0)} <= found
    assert {(fault, kind) for fault, kind, _ in found} == {
        ("surge", "SPIKE"), ("voltage", "VOLTAGE"), ("frozen", "FLATLINE"),
    }  # fmt: skip
    surged = {item.row[0] for item in items if item.row and "surge" in item.faults}
    inside = {
        time
        for one in truth.anomalies
        for time in range(one.first, one.to, 30 * MINUTE)
        if one.fault == "surge"
    }
    assert inside == surged
    assert all(one.meter == "M" for one in truth.anomalies)
