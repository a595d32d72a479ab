"""Events: how they are written, whom they touch, and what becomes of the readings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest

from gridwatch.domain.instants import parse_instant
from gridwatch.errors import UsageProblem
from gridwatch.models.anomaly import AnomalyKind
from gridwatch.settings import load_settings
from gridwatch.simulator.event_options import EVENT_OPTIONS
from gridwatch.simulator.events import Event, EventKind
from gridwatch.simulator.options import event_of, moment
from gridwatch.simulator.request import Request
from gridwatch.simulator.simulation import Simulation
from replay.order.emission import Item, Kind
from replay.run.progress import Quiet
from replay.truth.anomalies import ANOMALIES
from replay.truth.manifest import read_manifest

NOW = parse_instant("2026-03-02T12:00:00Z")[0]
HOUR = 3_600_000_000
METER = "R01-F0001-T1-M000001"


def request(**changes: object) -> Request:
    given = {"meters": 40, "every": 900, "regions": 2, "start": NOW - 12 * HOUR, "end": NOW, **changes}
    return Request(**given)  # type: ignore[arg-type]


def simulation(asked: Request) -> Simulation:
    return Simulation(asked, load_settings(), Quiet(), lambda _: None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", "2026-03-02T12:00:00Z"),
        ("-3h", "2026-03-02T09:00:00Z"),
        ("+30m", "2026-03-02T12:30:00Z"),
        ("2026-01-01", "2026-01-01T00:00:00Z"),
        ("2026-01-01T10:00:00+02:00", "2026-01-01T08:00:00Z"),
    ],
)
def test_instants_may_be_relative_to_now(text: str, expected: str) -> None:
    assert moment(text, NOW) == parse_instant(expected)[0]


@pytest.mark.parametrize(
    ("kind", "text", "scope", "start", "hours", "factor"),
    [
        ("outage", "R01@-2h+1h", "R01", -2, 1, 1000),
        ("outage", "R01-F0001-T1@2026-03-02T14:00:00+02:00+3h", "R01-F0001-T1", 0, 3, 1000),
        ("outage", f"{METER}@now+2h", METER, 0, 2, 1000),
        ("spike", f"{METER}@-1h+1h×5", METER, -1, 1, 5000),
        ("overload", "R02@-1h+1hx1.8", "R02", -1, 1, 1800),
        ("overload", "R02@+1h+1h*0.5", "R02", 1, 1, 500),
        ("drop", "R02@-1h+1h×0.1", "R02", -1, 1, 100),
        ("zero-run", f"{METER}@-2h+30h", METER, -2, 30, 1000),
        ("flat-line", "R01-F0001@-2h+12h", "R01-F0001", -2, 12, 1000),
        ("level-shift", f"{METER}@-2h+1h×3", METER, -2, 1, 3000),
        ("level-shift", f"{METER}@-2h×3", METER, -2, 87_600, 3000),
        ("level-shift", f"{METER}@2026-03-02T12:00:00+02:00×3", METER, -2, 87_600, 3000),
        ("reverse-flow", f"{METER}@-2h+1h=1.5", METER, -2, 1, 1500),
        ("voltage", "R02@-2h+1h=190", "R02", -2, 1, 190_000),
        ("frequency", "R02@-2h+1h=48.5", "R02", -2, 1, 48_500),
        ("power-factor", "R02@-2h+1h=0.6", "R02", -2, 1, 600),
    ],
)
def test_an_event_is_a_scope_a_time_a_duration_and_a_factor(
    kind: EventKind, text: str, scope: str, start: int, hours: int, factor: int
) -> None:
    begin = NOW + start * HOUR
    assert event_of(kind, text, NOW) == Event(kind, scope, begin, begin + hours * HOUR, factor)


@pytest.mark.parametrize(
    ("kind", "text", "problem"),
    [
        ("outage", "R01", "SCOPE@FROM"),
        ("outage", "R01@-2h", "SCOPE@FROM"),
        ("outage", "north@-2h+1h", "a region such as R01"),
        ("outage", "R01@2019-01-01+1h", "from 2020 on"),
        ("spike", f"{METER}@-1h+1h", "the factor"),
        ("voltage", f"{METER}@-1h+1h×2", "the value"),
        ("voltage", f"{METER}@-1h+1h=0", "a value from"),
        ("voltage", f"{METER}@-1h=190", "SCOPE@FROM"),
        ("zero-run", f"{METER}@-1h", "SCOPE@FROM"),
        ("level-shift", f"{METER}@soon×2", "SCOPE@FROM"),
        ("spike", f"{METER}@-1h+1h×0", "a factor from"),
        ("spike", "R01@-1h+1h×2", "a meter such as"),
        ("overload", f"{METER}@-1h+1h×2", "a region such as"),
    ],
)
def test_what_is_wrong_with_an_event_is_said(kind: EventKind, text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        event_of(kind, text, NOW)


def test_an_event_of_what_the_fleet_has_not_is_refused() -> None:
    with pytest.raises(UsageProblem, match="R03-F0001"):
        simulation(request(events=(Event("outage", "R03-F0001", NOW - HOUR, NOW),)))


def items_of(asked: Request, tmp_path: Path) -> tuple[list[Item], Path]:
    """Every item of the sequence, with the truth about it on the side."""
    truth = tmp_path / "truth.jsonl"
    seen: list[Item] = []

    made = simulation(Request(**{**vars(asked), "truth": truth}))
    sequence = made._sequence

    def kept(*arguments: object) -> object:
        for item in sequence(*arguments):  # type: ignore[arg-type]
            assert isinstance(item, Item)
            seen.append(item)
            yield item

    made._sequence = kept  # type: ignore[assignment, method-assign]
    made.plan()
    return seen, truth


@pytest.mark.parametrize("scope", ["R01", "R02-F0001", "R01-F0001-T1", METER])
def test_in_an_outage_every_meter_below_its_scope_is_silent(scope: str, tmp_path: Path) -> None:
    start, end = NOW - 6 * HOUR, NOW - 4 * HOUR
    items, truth = items_of(request(events=(Event("outage", scope, start, end),)), tmp_path)
    silent = {
        (item.row[1], item.row[0]) for item in items if item.kind is Kind.WITHHELD and item.row is not None
    }
    fleet = simulation(request()).fleet
    below = [fleet.ids[at] for at in fleet.below(scope)]
    assert silent == {(meter, time) for meter in below for time in range(start, end, 900_000_000)}
    gaps = read_manifest(truth).gaps
    assert {(gap.meter, gap.missing_from, gap.missing_to, gap.kind, gap.state) for gap in gaps} == {
        (meter, start, end, "outage", "CLOSED") for meter in below
    }


@pytest.mark.parametrize(("kind", "scope"), [("spike", METER), ("overload", "R02")])
def test_a_spike_and_an_overload_are_in_the_readings_and_in_the_truth(
    kind: EventKind, scope: str, tmp_path: Path
) -> None:
    start, end = NOW - 6 * HOUR, NOW - 4 * HOUR
    asked = request(events=(Event(kind, scope, start, end, 3000),))
    items, truth = items_of(asked, tmp_path)
    lines = [line for line in truth.read_text().splitlines() if line.startswith(f'{{"kind": "{kind}"')]
    assert read_manifest(truth).gaps == []
    plain, _ = items_of(request(), tmp_path)
    marked = {(item.row[1], item.row[0]) for item in items if kind in item.faults and item.row is not None}
    changed = {
        (one.row[1], one.row[0])
        for one, other in zip(
            [item for item in items if item.row is not None],
            [item for item in plain if item.row is not None],
            strict=True,
        )
        if one.row is not None and other.row is not None and one.row[2] > 2.9 * other.row[2]
    }
    assert marked == changed
    assert len(lines) == len({meter for meter, _ in marked})
    assert all('"expect": "nothing"' in line for line in lines)


def test_rates_drop_repeat_and_delay_their_share(tmp_path: Path) -> None:
    items, truth = items_of(request(drop=0.05, duplicate=0.1, late=0.2), tmp_path)
    readings = [item for item in items if item.row is not None]
    whole = 40 * 48
    assert 0.02 * whole < sum(item.kind is Kind.WITHHELD for item in readings) < 0.09 * whole
    assert 0.06 * whole < sum("duplicate" in item.faults for item in readings) < 0.14 * whole
    assert 0.14 * whole < sum("delay" in item.faults for item in readings) < 0.27 * whole
    manifest = read_manifest(truth)
    assert manifest.gaps
    assert manifest.late_readings
    assert manifest.head["settled_to"] == "2026-03-02T12:00:00Z"


def test_every_kind_of_anomaly_has_an_event() -> None:
    assert {ANOMALIES[kind] for _, kind, *_ in EVENT_OPTIONS if kind != "outage"} == set(
        get_args(AnomalyKind)
    )
    assert {kind for _, kind, *_ in EVENT_OPTIONS} == set(get_args(EventKind))


def said(item: Item, name: str) -> float:
    assert item.row is not None
    found: float = json.loads(f"{{{item.row[4][1:]}}}")[name]
    return found


@pytest.mark.parametrize(
    ("kind", "factor", "name", "value"),
    [
        ("zero-run", 1000, "power_kw", 0.0),
        ("reverse-flow", 1500, "power_kw", -1.5),
        ("voltage", 190_000, "voltage", 190.0),
        ("frequency", 48_500, "frequency", 48.5),
        ("power-factor", 600, "power_factor", 0.6),
    ],
)
def test_readings_say_what_an_event_makes_of_them_and_nothing_else_changes(
    kind: EventKind, factor: int, name: str, value: float, tmp_path: Path
) -> None:
    start, end = NOW - 6 * HOUR, NOW - 4 * HOUR
    plain, _ = items_of(request(), tmp_path)
    items, truth = items_of(request(events=(Event(kind, METER, start, end, factor),)), tmp_path)
    touched = [item for item in items if kind in item.faults]
    assert {(item.row[1], item.row[0]) for item in touched if item.row} == {
        (METER, time) for time in range(start, end, 900_000_000)
    }
    assert {said(item, name) for item in touched} == {value}
    for item in touched:
        volts, factor_, power = (said(item, of) for of in ("voltage", "power_factor", "power_kw"))
        assert abs(said(item, "current") * volts * factor_ / 1000 - abs(power)) < 0.0001
        assert item.row is not None
        if name == "power_kw":
            assert item.row[2] == 0.0
    times = {item.row[0] for item in touched if item.row}
    for one, other in zip(items, plain, strict=True):
        # The voltage of neighbours falls with the load, and registers keep what was not drawn.
        if one.row is not None and other.row is not None and (one.row[1] != METER or one.row[0] not in times):
            assert abs(one.row[2] - other.row[2]) < 0.0000011
    (line,) = read_manifest(truth).anomalies
    assert (line.meter, line.first, line.to, line.kind) == (METER, start, end, ANOMALIES[kind])
    assert line.size == (0.0 if kind == "zero-run" else factor / 1000)
    assert read_manifest(truth).gaps == []


def test_a_shift_without_an_end_lasts_to_the_end_of_the_run(tmp_path: Path) -> None:
    shift = event_of("level-shift", f"{METER}@-6h×3", NOW)
    _, truth = items_of(request(events=(shift,)), tmp_path)
    (line,) = read_manifest(truth).anomalies
    assert (line.first, line.to, line.size) == (NOW - 6 * HOUR, NOW, 3.0)


def test_the_truth_has_the_zone_of_registered_meters(tmp_path: Path) -> None:
    flat = Event("flat-line", METER, NOW - 6 * HOUR, NOW)
    heads = [
        read_manifest(items_of(request(events=events, registry=registry), tmp_path)[1]).head
        for events, registry in (((flat,), True), ((flat,), False), ((), True))
    ]
    assert [head.get("timezone") for head in heads] == ["Europe/Berlin", None, None]
