"""Which kinds of anomaly a window alone begins, and when it is near enough to what is usual to end one."""

from __future__ import annotations

from typing import Final, NamedTuple

from gridwatch.domain.anomalies.anomaly import (
    DROP,
    FREQUENCY,
    LEAST_BASE,
    LOW_POWER_FACTOR,
    REVERSE_FLOW,
    SPIKE,
    VOLTAGE,
)
from gridwatch.domain.anomalies.habit import LEAST_DEVIATION
from gridwatch.domain.anomalies.window import Judged

LOW, MEDIUM, HIGH, CRITICAL = range(4)
"""Severities; confidences are the first two."""
UNSURE, SURE = range(2)
_FACTOR: Final = 1_000_000
_LEAST_FACTOR: Final = 800_000
_NEAR_FACTOR: Final = 900_000


class Nominal(NamedTuple):
    """What the grid should have: mV, mHz."""

    voltage: int
    frequency: int


class Finding(NamedTuple):
    """What begins with a window."""

    value: int
    baseline: int | None
    severity: int
    confidence: int


_NONE: Final[dict[str, Finding]] = {}


def find(window: Judged, base: int | None, confidence: int, nominal: Nominal) -> dict[str, Finding]:
    """The kinds that a window begins, or would if they had not begun yet. ``base``: its baseline, if it has
    one; ``confidence``: whether it is sure to be out of the ordinary."""
    power = window.power
    if power is None:
        return _NONE
    electric = window.voltage is not None or window.frequency is not None or window.factor is not None
    if not electric and power >= 0 and (base is None or base < LEAST_BASE or base <= 2 * power <= 4 * base):
        return _NONE  # as nearly always
    found: dict[str, Finding] = {}
    if base is not None and base >= LEAST_BASE:
        above = power - base
        if above > base:
            found[SPIKE] = Finding(power, base, _spike(above, base), confidence)
        elif 2 * power < base:
            severity = HIGH if 10 * power < base else MEDIUM if 4 * power < base else LOW
            found[DROP] = Finding(power, base, severity, confidence)
    if power < 0 and (base is None or base >= 0):
        found[REVERSE_FLOW] = Finding(power, base, LOW, confidence)
    voltage, frequency, factor = window.voltage, window.frequency, window.factor
    if voltage is not None and 10 * (off := abs(voltage - nominal.voltage)) > nominal.voltage:
        severity = HIGH if 20 * off > 3 * nominal.voltage else MEDIUM
        found[VOLTAGE] = Finding(voltage, nominal.voltage, severity, SURE)
    if frequency is not None and 100 * (off := abs(frequency - nominal.frequency)) > nominal.frequency:
        severity = HIGH if 50 * off > nominal.frequency else MEDIUM
        found[FREQUENCY] = Finding(frequency, nominal.frequency, severity, SURE)
    if factor is not None and abs(factor) < _LEAST_FACTOR:
        found[LOW_POWER_FACTOR] = Finding(factor, _FACTOR, LOW, is_large(power))
    return found


def _spike(above: int, base: int) -> int:
    if above > 10 * base:
        return CRITICAL
    if above > 4 * base:
        return HIGH
    return MEDIUM if above > 2 * base else LOW


def is_large(power: int) -> int:
    """The confidence that follows from the power alone."""
    return SURE if abs(power) >= LEAST_DEVIATION else UNSURE


def is_near(kind: str, window: Judged, base: int | None, nominal: Nominal) -> bool | None:
    """Whether a window is within half the threshold of a kind; None if it lacks what that needs."""
    power = window.power
    if power is None:
        return None
    if kind == REVERSE_FLOW:
        return power >= 0 or (base is not None and base < 0)
    if kind in {SPIKE, DROP}:
        if base is None:
            return None
        measure = max(abs(base), LEAST_BASE)
        return 2 * (power - base) <= measure if kind == SPIKE else 4 * (base - power) <= measure
    if kind == VOLTAGE:
        value, usual, part = window.voltage, nominal.voltage, 20
    elif kind == FREQUENCY:
        value, usual, part = window.frequency, nominal.frequency, 200
    else:
        return None if window.factor is None else abs(window.factor) >= _NEAR_FACTOR
    return None if value is None else part * abs(value - usual) <= usual
