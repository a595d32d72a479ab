"""The exact computation against the slow model of the rules and the stage of the regions, without a broker.

Both models were written apart, from the same rules. The bundles of the slow model go through the stage in
several interleavings: none of them may change a first row, a final one, or an incident.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from typing import Any

import pytest

from gridwatch.codecs.regions import RegionsEncoder
from gridwatch.domain.outputs import Bundle, RegionGroup, RegionLimit, RegionWindow
from gridwatch.domain.regions.processor import Processor
from gridwatch.domain.regions.records import Record as BundleRecord
from gridwatch.domain.regions.records import source_name
from gridwatch.domain.regions.state import PartitionState
from gridwatch.topics import (
    END_HEADER,
    INCIDENTS,
    OUTAGE_HEADER,
    REGION_HEADER,
    REGIONAL_AGGREGATES,
    REGISTRY_HEADER,
    REPLAY_HEADER,
    TICK_HEADER,
)
from tests.grid.compare import Exact
from tests.grid.fleet import Fleet
from tests.grid.log import Step
from tests.grid.numbers import MINUTE, QUARTER, instant, text_of
from tests.grid.partition import Rules
from tests.model.logs import Parameters
from tests.model.reference import Reference
from tests.model.wire import Record
from tests.records import PARTITIONS

_CONTROLS = {REGISTRY_HEADER: "registry", REGION_HEADER: "region", OUTAGE_HEADER: "outage"}
_POLICY = Parameters(windows=(MINUTE, QUARTER), regional=True)
Said = list[tuple[str, dict[str, Any]]]


def logs(fleet: Fleet) -> dict[int, list[Record]]:
    """The records of each partition, as a broker would have them."""
    found: dict[int, list[Record]] = defaultdict(list)
    for raw in fleet.records():
        headers = dict(raw.headers)
        control = next((kind for header, kind in _CONTROLS.items() if header in headers), None)
        log = found[raw.partition]
        log.append(
            Record(
                len(log),
                fleet.end + 200 * MINUTE,
                raw.value,
                TICK_HEADER in headers,
                REPLAY_HEADER in headers,
                headers.get(END_HEADER),
                control,
            )
        )
    return found


def steps(log: list[Record], said: Said) -> list[Step]:
    """The records of a partition, each with what the slow model said of it."""
    accepted = {record["offset"]: record for kind, record in said if kind == "validated"}
    gaps: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for kind, record in said:
        if kind == "gap_alert":
            gaps[record["offset"]].append(record)
    found = []
    for record in log:
        value = record.value or b""
        body = {} if record.tick else json.loads(value)
        kind = "tick" if record.tick else record.control or "reading"
        own = instant(value.decode()) if record.tick else 0
        at = record.offset
        found.append(Step(kind, body, own, accepted.get(at), tuple(gaps.get(at, ()))))
    return found


def window_records(said: Said) -> list[dict[str, Any]]:
    """The windows of the slow model in the shape of the topic."""
    return [
        {
            "id": f"{one['meter_id']}@{text_of(one['start'])}/{one['length'] // MINUTE}m",
            "meter_id": one["meter_id"],
            "window_start": text_of(one["start"]),
            "window_end": text_of(one["start"] + one["length"]),
            "revision": one["revision"],
            "reading_count": one["readings"],
            "expected_readings": one["expected"],
            "completeness": _completeness(one["readings"], one["expected"]),
            "energy_kwh_sum": one["energy"] / 1e9,
            **{
                f"{name}": None if one[of] is None else one[of] / scale
                for name, of, scale in (
                    ("power_kw_avg", "power", 1e6),
                    ("power_kw_min", "lowest_power", 1e6),
                    ("power_kw_max", "highest_power", 1e6),
                    ("voltage_avg", "voltage", 1e3),
                    ("current_avg", "current", 1e3),
                    ("power_factor_avg", "power_factor", 1e6),
                )
            },
        }
        for kind, one in said
        if kind == "aggregate"
    ]


def _completeness(readings: int, expected: int | None) -> float | None:
    return min(1.0, round(readings / expected, 4)) if expected else None


def bundles(said: Said) -> list[Bundle]:
    """Those of one source, in order."""
    return [
        Bundle(
            **{
                **one,
                "windows": tuple(
                    RegionWindow(**{**window, "minutes": tuple(window["minutes"])})
                    for window in one["windows"]
                ),
                "groups": tuple(
                    RegionGroup(
                        **{
                            **group,
                            "openings": tuple(map(tuple, group["openings"])),
                            "meters": tuple(group["meters"]),
                        }
                    )
                    for group in one["groups"]
                ),
                "limits": tuple(RegionLimit(**limit) for limit in one["limits"]),
            }
        )
        for kind, one in said
        if kind == "bundle"
    ]


def through_the_stage(said: dict[int, Said], chance: random.Random) -> dict[str, list[dict[str, Any]]]:
    """The rows and incidents when the bundles of the sources come in any order that keeps each one's own."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    names = [source_name("smartmeter", number) for number in range(PARTITIONS)]
    for target in range(PARTITIONS):
        waiting = [[one for one in bundles(of) if one.target == target] for of in said.values()]
        processor = Processor(names, _POLICY.allowed_lateness, PartitionState(target), ())
        encoder = RegionsEncoder()
        offset = 0
        while any(waiting):
            source = chance.choice([one for one in waiting if one])
            for _ in range(chance.choice((1, 1, 1, 30))):
                if source:
                    record = BundleRecord(offset, 0, b"", source.pop(0))
                    processor.process([record], budget=0, onto=encoder.outcome)
                    offset += 1
        for topic, messages in encoder.drain().messages.items():
            found[topic] += [json.loads(value) for _, value in messages]
    return found


@pytest.fixture(scope="module", params=[Fleet(50, 36, seed=1), Fleet(90, 36, seed=2, storm=20)], ids=str)
def run(request: pytest.FixtureRequest) -> tuple[Exact, dict[int, Said]]:
    of_partitions = logs(request.param)
    said = {number: Reference(_POLICY, number).run(log) for number, log in sorted(of_partitions.items())}
    exact = Exact.of({number: steps(of_partitions[number], said[number]) for number in said}, Rules())
    return exact, said


def test_both_models_say_the_same(run: tuple[Exact, dict[int, Said]]) -> None:
    exact, said = run
    windows = [record for of in said.values() for record in window_records(of)]
    assert len(windows) > 1000
    for seed in range(4):
        found = through_the_stage(said, random.Random(seed))
        different = exact.differences(windows, found[REGIONAL_AGGREGATES.name], found[INCIDENTS.name])
        assert different == []
