"""Which windows begin and end an anomaly: the thresholds, at their very limits."""

from __future__ import annotations

from typing import Any

import pytest

from gridwatch.domain.anomalies.kinds import (
    CRITICAL,
    HIGH,
    LOW,
    MEDIUM,
    SURE,
    UNSURE,
    Nominal,
    find,
    is_near,
)
from gridwatch.domain.anomalies.window import Judged

NOMINAL = Nominal(230_000, 50_000)
KW = 1_000_000


def window(power: int | None, **more: Any) -> Judged:
    return Judged(0, 900_000_000, power, more.get("voltage"), more.get("frequency"), more.get("factor"))


@pytest.mark.parametrize(
    ("base", "power", "kind", "severity"),
    [
        (KW, 2 * KW, None, None),  # strictly above 100%
        (KW, 2 * KW + 1, "SPIKE", LOW),
        (KW, 3 * KW, "SPIKE", LOW),
        (KW, 3 * KW + 1, "SPIKE", MEDIUM),
        (KW, 5 * KW + 1, "SPIKE", HIGH),
        (KW, 11 * KW, "SPIKE", HIGH),
        (KW, 11 * KW + 1, "SPIKE", CRITICAL),
        (KW, KW // 2, None, None),
        (KW, KW // 2 - 1, "DROP", LOW),
        (KW, KW // 4, "DROP", LOW),
        (KW, KW // 4 - 1, "DROP", MEDIUM),
        (KW, KW // 10, "DROP", MEDIUM),
        (KW, KW // 10 - 1, "DROP", HIGH),
        (KW, 0, "DROP", HIGH),
        (49_999, KW, None, None),  # the baseline is too low to measure by
        (50_000, 100_001, "SPIKE", LOW),
        (None, 100 * KW, None, None),
        (-KW, KW, None, None),
    ],
)
def test_a_window_spikes_or_drops_strictly_beyond_its_threshold(
    base: int | None, power: int, kind: str | None, severity: int | None
) -> None:
    found = find(window(power), base, SURE, NOMINAL)
    assert [(name, one.severity) for name, one in found.items()] == (
        [] if kind is None else [(kind, severity)]
    )


@pytest.mark.parametrize(
    ("base", "power", "flows"), [(0, -1, True), (None, -1, True), (-1, -KW, False), (0, 0, False)]
)
def test_power_flows_back_where_it_usually_does_not(base: int | None, power: int, *, flows: bool) -> None:
    assert ("REVERSE_FLOW" in find(window(power), base, UNSURE, NOMINAL)) == flows


@pytest.mark.parametrize(
    ("field", "value", "kind", "severity"),
    [
        ("voltage", 253_000, None, None),
        ("voltage", 253_001, "VOLTAGE", MEDIUM),
        ("voltage", 206_999, "VOLTAGE", MEDIUM),
        ("voltage", 264_500, "VOLTAGE", MEDIUM),
        ("voltage", 264_501, "VOLTAGE", HIGH),
        ("frequency", 50_500, None, None),
        ("frequency", 50_501, "FREQUENCY", MEDIUM),
        ("frequency", 49_499, "FREQUENCY", MEDIUM),
        ("frequency", 48_999, "FREQUENCY", HIGH),
        ("factor", 800_000, None, None),
        ("factor", -799_999, "LOW_POWER_FACTOR", LOW),
    ],
)
def test_electric_values_are_measured_by_the_nominal_ones(
    field: str, value: int, kind: str | None, severity: int | None
) -> None:
    found = find(window(KW, **{field: value}), None, UNSURE, NOMINAL)
    assert [(name, one.severity) for name, one in found.items()] == (
        [] if kind is None else [(kind, severity)]
    )


def test_a_low_power_factor_is_certain_only_with_some_power() -> None:
    certain = [find(window(power, factor=1), None, UNSURE, NOMINAL) for power in (199_999, 200_000, -200_000)]
    assert [one["LOW_POWER_FACTOR"].confidence for one in certain] == [UNSURE, SURE, SURE]


def test_a_window_without_power_begins_nothing() -> None:
    assert find(window(None, voltage=1, frequency=1, factor=1), KW, SURE, NOMINAL) == {}


@pytest.mark.parametrize(
    ("kind", "base", "power", "near"),
    [
        ("SPIKE", KW, 1_500_000, True),
        ("SPIKE", KW, 1_500_001, False),
        ("SPIKE", 10_000, 35_000, True),  # measured by 50 W at least
        ("SPIKE", 10_000, 35_001, False),
        ("SPIKE", None, 0, None),
        ("DROP", KW, 750_000, True),
        ("DROP", KW, 749_999, False),
        ("REVERSE_FLOW", None, 0, True),
        ("REVERSE_FLOW", 0, -1, False),
        ("REVERSE_FLOW", -1, -KW, True),
    ],
)
def test_a_window_is_near_within_half_the_threshold(
    kind: str, base: int | None, power: int, near: bool | None
) -> None:
    assert is_near(kind, window(power), base, NOMINAL) is near


@pytest.mark.parametrize(
    ("kind", "field", "value", "near"),
    [
        ("VOLTAGE", "voltage", 241_500, True),
        ("VOLTAGE", "voltage", 241_501, False),
        ("VOLTAGE", "voltage", None, None),
        ("FREQUENCY", "frequency", 49_750, True),
        ("FREQUENCY", "frequency", 49_749, False),
        ("LOW_POWER_FACTOR", "factor", -900_000, True),
        ("LOW_POWER_FACTOR", "factor", 899_999, False),
        ("LOW_POWER_FACTOR", "factor", None, None),
    ],
)
def test_so_are_electric_values(kind: str, field: str, value: int | None, near: bool | None) -> None:
    assert is_near(kind, window(KW, **{field: value}), KW, NOMINAL) is near
