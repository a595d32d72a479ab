"""The table of kinds: when each of the first six begins and is near, how severe and how sure it is."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.model.anomalies.baseline import SURE, Baseline
from tests.model.anomalies.window import Window

SIX = ("SPIKE", "DROP", "REVERSE_FLOW", "VOLTAGE", "FREQUENCY", "LOW_POWER_FACTOR")
RUNS = ("FLATLINE", "ZERO_RUN")
KINDS = (*SIX, *RUNS, "LEVEL_SHIFT")
SEVERITIES = ("low", "medium", "high", "critical")
CONFIDENCES = ("low", "high")
LEAST = 50_000  # mW of a baseline
ONE = 1_000_000  # the power factor that is usual

Began = tuple[str, str]  # severity and confidence


@dataclass
class Sight:
    """A window with its baseline."""

    window: Window
    baseline: Baseline | None
    policy: Any

    @property
    def x(self) -> int | None:
        return self.window.x

    @property
    def sure(self) -> bool:
        return self.x is not None and self.baseline is not None and self.baseline.is_sure(self.x)

    @property
    def nominal_voltage(self) -> int:
        return math.floor(self.policy.nominal_voltage * 1000 + 0.5)

    @property
    def nominal_frequency(self) -> int:
        return math.floor(self.policy.nominal_frequency * 1000 + 0.5)

    # -- what the kinds say of it ---------------------------------------------------------------------------

    def begins(self, kind: str) -> Began | None:
        """Severity and confidence, if an anomaly of the kind would begin."""
        return BEGINS[kind](self)

    def near(self, kind: str) -> bool | None:
        """Whether it lets an anomaly of the kind end; None if it does not have what the kind needs."""
        return NEAR[kind](self)

    def value(self, kind: str) -> int | None:
        if kind == "VOLTAGE":
            return self.window.voltage
        if kind == "FREQUENCY":
            return self.window.frequency
        return self.window.factor if kind == "LOW_POWER_FACTOR" else self.x

    def usual(self, kind: str) -> int | None:
        """The baseline of the record."""
        if kind == "VOLTAGE":
            return self.nominal_voltage
        if kind == "FREQUENCY":
            return self.nominal_frequency
        if kind == "LOW_POWER_FACTOR":
            return ONE
        return None if self.baseline is None else self.baseline.b


def confident(high: bool) -> str:
    return "high" if high else "low"


def spike(sight: Sight) -> Began | None:
    if sight.baseline is None or sight.x is None:
        return None
    b = sight.baseline.b
    more = sight.x - b
    if not (b >= LEAST and more > b):
        return None
    severity = (
        "critical" if more > 10 * b else "high" if more > 4 * b else "medium" if more > 2 * b else "low"
    )
    return severity, confident(sight.sure)


def near_spike(sight: Sight) -> bool | None:
    if sight.baseline is None or sight.x is None:
        return None
    b = sight.baseline.b
    return 2 * (sight.x - b) <= max(abs(b), LEAST)


def drop(sight: Sight) -> Began | None:
    if sight.baseline is None or sight.x is None:
        return None
    b, x = sight.baseline.b, sight.x
    if not (b >= LEAST and 2 * x < b):
        return None
    return "high" if 10 * x < b else "medium" if 4 * x < b else "low", confident(sight.sure)


def near_drop(sight: Sight) -> bool | None:
    if sight.baseline is None or sight.x is None:
        return None
    b = sight.baseline.b
    return 4 * (b - sight.x) <= max(abs(b), LEAST)


def reverse_flow(sight: Sight) -> Began | None:
    if sight.x is None or sight.x >= 0 or (sight.baseline is not None and sight.baseline.b < 0):
        return None
    return "low", confident(sight.sure)


def near_reverse_flow(sight: Sight) -> bool | None:
    if sight.x is None:
        return None
    return sight.x >= 0 or (sight.baseline is not None and sight.baseline.b < 0)


def voltage(sight: Sight) -> Began | None:
    v, nominal = sight.window.voltage, sight.nominal_voltage
    if v is None or 10 * abs(v - nominal) <= nominal:
        return None
    return "high" if 20 * abs(v - nominal) > 3 * nominal else "medium", "high"


def near_voltage(sight: Sight) -> bool | None:
    v, nominal = sight.window.voltage, sight.nominal_voltage
    return None if v is None else 20 * abs(v - nominal) <= nominal


def frequency(sight: Sight) -> Began | None:
    f, nominal = sight.window.frequency, sight.nominal_frequency
    if f is None or 100 * abs(f - nominal) <= nominal:
        return None
    return "high" if 50 * abs(f - nominal) > nominal else "medium", "high"


def near_frequency(sight: Sight) -> bool | None:
    f, nominal = sight.window.frequency, sight.nominal_frequency
    return None if f is None else 200 * abs(f - nominal) <= nominal


def low_power_factor(sight: Sight) -> Began | None:
    p = sight.window.factor
    if p is None or abs(p) >= 800_000:
        return None
    return "low", confident(sight.x is not None and abs(sight.x) >= SURE)


def near_power_factor(sight: Sight) -> bool | None:
    p = sight.window.factor
    return None if p is None else abs(p) >= 900_000


BEGINS: dict[str, Callable[[Sight], Began | None]] = {
    "SPIKE": spike, "DROP": drop, "REVERSE_FLOW": reverse_flow, "VOLTAGE": voltage, "FREQUENCY": frequency,
    "LOW_POWER_FACTOR": low_power_factor,
}  # fmt: skip
NEAR: dict[str, Callable[[Sight], bool | None]] = {
    "SPIKE": near_spike, "DROP": near_drop, "REVERSE_FLOW": near_reverse_flow, "VOLTAGE": near_voltage,
    "FREQUENCY": near_frequency, "LOW_POWER_FACTOR": near_power_factor,
}  # fmt: skip
