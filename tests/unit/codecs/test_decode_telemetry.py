"""Readings with their energy under other names are decoded as the rules read them, alone and in arrays."""

from __future__ import annotations

import json
from math import isnan
from typing import Any

import pytest

from gridwatch.codecs.decode import decode_telemetry
from gridwatch.domain.policy import Policy
from gridwatch.domain.reading import Reading
from gridwatch.domain.validation.rules import check

STAMP = "2024-01-01T10:00:00Z"
LATER = 1_893_456_000_000_000


@pytest.mark.parametrize(
    "energy",
    [
        {"energy_kwh": 1.5},
        {"energy_register_kwh": 100.5},
        {"total_energy_kwh": 100.5},
        {"total_energy_kwh": 7.0, "energy_register_kwh": 100.5},
        {"power_kw": 0.5},
        {"consumption_kwh": None, "energy_kwh": 1.5, "total_energy_kwh": 7.0},
        {"consumption_kwh": 2.0, "energy_kwh": 1.5, "total_energy_kwh": 7.0},
        {"consumption_kwh": 2.0, "energy_register_kwh": 100.5},
    ],
)
def test_the_fast_decoder_and_the_slow_check_read_the_same_fields(energy: dict[str, Any]) -> None:
    element = {"meter_id": "A", "timestamp": STAMP, **energy}
    slow = check(element, 0, LATER, Policy(partitions=1))
    assert isinstance(slow, Reading)
    alone, beside = decode_telemetry(json.dumps(element).encode()), [element, {**element, "power_kw": 1}]
    decoded = decode_telemetry(json.dumps(beside).encode())
    assert isinstance(decoded, list)
    assert not isinstance(alone, list)
    for fast in (alone, decoded[0]):
        assert fast.energy_register_kwh == slow.raw.energy_register_kwh
        if isnan(slow.raw.consumption_kwh):
            assert isnan(fast.consumption_kwh)
        else:
            assert fast.consumption_kwh == slow.raw.consumption_kwh
