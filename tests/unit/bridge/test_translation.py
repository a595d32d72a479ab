"""A message becomes a row of its kind, and a reading of the meter that the worker accepts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from gridwatch.bridge.rules import DEFAULT_RULES, Rule
from gridwatch.bridge.translation import Translator
from gridwatch.domain.instants import format_instant
from gridwatch.domain.policy import SECOND
from tests.unit.bridge.translating import (
    ENERGY,
    NOW,
    POLICY,
    RAW,
    content,
    message,
    refused,
    translated,
    translator,
)


@settings(max_examples=150, deadline=None)
@given(
    some.sampled_from(["plug-1", "ü" * 64, "a b", "$x", "a.b:c"]),
    some.integers(0, 10**9).map(lambda number: number / 1000),
    some.none() | some.integers(-20_000, 20_000),
    some.none() | some.floats(0, 500, allow_nan=False),
    some.none() | some.floats(-1, 1, allow_nan=False),
    some.integers(0, 10 * 365 * 86_400),
    some.none() | some.sampled_from([10, 60, 900]),
)
def test_a_valid_message_of_energy_is_a_row_and_a_reading_that_is_accepted(
    device: str,
    register: float,
    power: int | None,
    voltage: float | None,
    factor: float | None,
    before: int,
    interval: int | None,
) -> None:
    payload = {
        "timestamp": format_instant(NOW - before * SECOND),
        "total_energy_kwh": register,
        "power_w": power,
        "voltage": voltage,
        "power_factor": factor,
    }
    machine = translator(Rule("plugs", "e/+", "energy", interval=interval))
    row, reading = machine.translate(message(f"e/{device}", payload))
    assert (row.topic, reading.topic) == ("homelab.energy", RAW)
    assert (row.key, row.partition) == (reading.key, reading.partition)
    assert content(row)["total_energy_kwh"] == content(reading)["energy_register_kwh"] == register
    assert content(row)["timestamp"] == content(reading)["timestamp"] == payload["timestamp"]
    assert "flags" not in content(row)
    assert refused(reading) == []


def test_power_is_a_reading_where_the_rule_knows_the_interval() -> None:
    payload = {"timestamp": ENERGY["timestamp"], "power_w": 1250}
    assert [one.topic for one in translated(payload)] == ["homelab.energy"]
    machine = translator(Rule("plugs", "e/+", "energy", interval=60))
    _, reading = machine.translate(message("e/a", payload))
    assert content(reading)["interval_seconds"] == 60
    assert content(reading)["power_kw"] == 1.25
    assert refused(reading) == []


@pytest.mark.parametrize(
    ("rule", "topics"),
    [
        (Rule("r", "e/+", "energy"), ["homelab.energy", RAW]),
        (Rule("r", "e/+", "energy", readings=False), ["homelab.energy"]),
        (Rule("r", "e/+", "heatpump"), ["homelab.heatpump"]),
    ],
)
def test_only_devices_of_energy_become_readings(rule: Rule, topics: list[str]) -> None:
    outputs = translator(rule).translate(message("e/a", ENERGY))
    assert [one.topic for one in outputs] == topics


def test_the_readings_go_to_the_raw_topic_of_the_flow() -> None:
    machine = Translator(DEFAULT_RULES, POLICY, "b", "other_raw")
    assert [one.topic for one in machine.translate(message("homelab/energy/a", ENERGY))][1] == "other_raw"


@settings(max_examples=100)
@given(some.lists(some.integers(-5, 5), min_size=1, max_size=30))
def test_assigned_times_ascend_strictly_even_if_the_clock_does_not(steps: list[int]) -> None:
    machine, received = translator(), NOW
    times = []
    for step in steps:
        received += step
        (row, _) = machine.translate(message("homelab/energy/a", {"total_energy_kwh": 1}, received=received))
        value = content(row)
        assert value["flags"] == ["TIME_ASSIGNED"]
        times.append(value["timestamp"])
        assert value["received_at"] == format_instant(received)
    whole = [text if "." in text else text.replace("Z", ".0Z") for text in times]
    assert len(set(whole)) == len(whole)
    padded = [text.removesuffix("Z").ljust(26, "0") for text in whole]
    assert padded == sorted(padded)
    assert machine.counts["energy"].assigned == len(steps)


def test_a_retained_message_without_a_time_gives_no_reading() -> None:
    machine = translator()
    (row,) = machine.translate(message("homelab/energy/a", {"total_energy_kwh": 1}, retained=True))
    assert row.topic == "homelab.energy"
    assert content(row)["source"]["retained"] is True
    with_time = machine.translate(message("homelab/energy/a", ENERGY, retained=True))
    assert [one.topic for one in with_time] == ["homelab.energy", RAW]
    assert machine.counts["energy"].retained == 2
