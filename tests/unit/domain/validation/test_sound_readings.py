"""The fast check whether a reading is sound and the slow one that finds every reason agree."""

from __future__ import annotations

from typing import Any

import pytest

from gridwatch.domain.instants import format_instant
from gridwatch.domain.policy import MINUTE, Policy
from gridwatch.domain.reading import OpenedReading, Reading
from gridwatch.domain.validation.rules import check, is_sound
from tests.unit.domain.log import at

POLICY = Policy(partitions=1, max_kwh=50.0, min_interval=5 * MINUTE, max_interval=60 * MINUTE)
NOW = at("10:00:00")


def answers(time: int = NOW, **fields: Any) -> tuple[bool, bool]:
    """Sound, by the fast check and by the slow one."""
    element = {"meter_id": "A", "timestamp": format_instant(time), "consumption_kwh": 1.0, **fields}
    latest = NOW + POLICY.max_future_skew
    result = check(element, 0, NOW, POLICY)
    return is_sound(OpenedReading(**element), time, latest, POLICY), isinstance(result, Reading)


@pytest.mark.parametrize(
    ("kwh", "sound"),
    [(-0.000_001, False), (-0.0, True), (0.0, True), (50.0, True), (50.000_001, False)],
)
def test_consumption(kwh: float, sound: bool) -> None:
    assert answers(consumption_kwh=kwh) == (sound, sound)


@pytest.mark.parametrize(("after", "sound"), [(-1, True), (0, True), (1, False)])
def test_a_stamp_at_the_latest_allowed(after: int, sound: bool) -> None:
    assert answers(NOW + POLICY.max_future_skew + after) == (sound, sound)


@pytest.mark.parametrize(
    ("minutes", "sound"),
    [(4.0, False), (5.0, True), (5.5, True), (5.51, False), (60.0, True), (61.0, False), (-5.0, False)],
)
def test_an_interval(minutes: float, sound: bool) -> None:
    assert answers(interval_minutes=minutes) == (sound, sound)


@pytest.mark.parametrize(
    ("seconds", "sound"),
    [(299.0, False), (300.0, True), (300.04, True), (300.06, False), (299.96, True), (3601.0, False)],
)
def test_an_interval_in_seconds(seconds: float, sound: bool) -> None:
    assert answers(interval_seconds=seconds) == (sound, sound)


@pytest.mark.parametrize("name", ["region", "sent_at"])
@pytest.mark.parametrize(
    ("text", "sound"),
    [
        ("", True),
        ("a\tb\x01\x7f", True),
        ("計", True),
        ("a\x00", False),
        ("\ud800", False),
        ("\udfff", False),
    ],
)
def test_a_text(name: str, text: str, sound: bool) -> None:
    fields: dict[str, Any] = {name: text}
    assert answers(**fields) == (sound, sound)


@pytest.mark.parametrize(
    ("codes", "sound"),
    [
        ([], True),
        (["E"], True),
        (["E"] * 16, True),
        (["E"] * 17, False),
        (["E" * 64], True),
        (["E" * 65], False),
        (["E", ""], False),
        (["ZERO"], False),
        (["zero"], True),
        (["a\x00"], False),
    ],
)
def test_the_codes_it_brings(codes: list[str], sound: bool) -> None:
    assert answers(flags=codes) == (sound, sound)
