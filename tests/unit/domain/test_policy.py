"""The numbers that the rules depend on, as the documentation of the settings has them."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

import pytest

from gridwatch.domain.partition.outcome import Outcome
from gridwatch.domain.policy import DAY, HOUR, MINUTE, NEVER, SECOND, Policy

DEFAULTS = {
    "partitions": 6,
    "default_interval": 30 * 60_000_000,
    "grace": 15 * 60_000_000,
    "max_out_of_orderness": 10_000_000,
    "allowed_lateness": 3_600_000_000,
    "state_ttl": 7 * 86_400_000_000,
    "max_future_skew": 5 * 60_000_000,
    "max_watermark_jump": 86_400_000_000,
    "gap_memory": 86_400_000_000,
    "metrics_window": 5 * 60_000_000,
    "timezone": "UTC",
    "anchor": "start",
    "never_heard_after": 86_400_000_000,
    "flow": "smartmeter",
    "windows": (),
    "regional": False,
    "judges": False,
    "judged_window": 15 * 60_000_000,
    "nominal_voltage": 230.0,
    "nominal_frequency": 50.0,
    "max_kwh": 1000.0,
    "max_power_kw": 1000.0,
    "max_register_kwh": 1_000_000_000.0,
    "register_digits": None,
    "max_meter_id_bytes": 128,
    "max_record_bytes": 1_000_000,
    "min_interval": 1_000_000,
    "max_interval": 32 * 86_400_000_000,
    "max_learned_interval": 86_400_000_000,
    "max_remembered_gaps": 32,
    "hot_readings": 12,
    "block_readings": 64,
    "max_held": 64,
}


def test_the_defaults_are_those_documented() -> None:
    assert asdict(Policy()) == DEFAULTS


def test_durations_are_microseconds() -> None:
    assert (SECOND, MINUTE, HOUR, DAY) == (1_000_000, 60_000_000, 3_600_000_000, 86_400_000_000)
    assert NEVER > 10_000 * 366 * DAY


@pytest.mark.parametrize(
    "field", [field.name for field in fields(Policy) if type(DEFAULTS[field.name]) in {int, float}]
)
@pytest.mark.parametrize("value", [0, -1])
def test_every_number_must_be_above_zero(field: str, value: Any) -> None:
    # Compiled, a field of floats makes one of the number.
    with pytest.raises(ValueError, match=rf"^{field} must be above zero, not {value}(\.0)?$"):
        Policy(**{field: value})


@pytest.mark.parametrize(
    ("limits", "fits"),
    [
        ({"min_interval": 30 * MINUTE}, True),
        ({"min_interval": 30 * MINUTE + 1}, False),
        ({"max_interval": 30 * MINUTE}, True),
        ({"max_interval": 30 * MINUTE - 1}, False),
        ({"min_interval": 30 * MINUTE, "max_interval": 30 * MINUTE}, True),
    ],
)
def test_the_default_interval_lies_within_the_limits_of_intervals(limits: dict[str, Any], fits: bool) -> None:
    if fits:
        assert Policy(**limits).default_interval == 30 * MINUTE
    else:
        with pytest.raises(ValueError, match="default_interval must lie between"):
            Policy(**limits)


def test_the_limits_of_intervals_are_not_the_wrong_way_round() -> None:
    with pytest.raises(ValueError, match="min_interval must not be above max_interval"):
        Policy(min_interval=HOUR, max_interval=HOUR - 1)


def test_an_outcome_begins_empty() -> None:
    outcome = Outcome()
    assert (outcome.outputs, outcome.changed, outcome.weight, outcome.complete) == ([], {}, 0, True)
