"""The numbers in a dead letter's message are the right ones, in seconds, bytes, minutes and kWh."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gridwatch.domain.outputs import DeadLetter
from gridwatch.domain.policy import HOUR, MINUTE, Policy
from tests.unit.domain.log import Log, at, reading

NOW = at("10:00:00")


def message(log: Log) -> str:
    (letter,) = log.of(DeadLetter)
    text: str = letter.message
    return text


@pytest.mark.parametrize(
    ("clock", "seconds"), [("10:05:01", "301 s"), ("10:05:00.5", "300.5 s"), ("12:00:00", "7200 s")]
)
def test_a_stamp_of_the_future_says_by_how_many_seconds(clock: str, seconds: str) -> None:
    log = Log()
    log.read(reading("A", clock), record_time=NOW)
    assert f"timestamp is {seconds} after its record" in message(log)


@pytest.mark.parametrize(("clock", "seconds"), [("10:05:01", "301 s"), ("10:05:00.5", "300.5 s")])
def test_a_tick_of_the_future_says_by_how_many_seconds(clock: str, seconds: str) -> None:
    log = Log()
    log.tick(clock, record_time=NOW)
    assert f"the tick is {seconds} after its record" in message(log)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"consumption_kwh": 1000.5}, "consumption_kwh is 1000.5, at most 1000 is allowed"),
        ({"consumption_kwh": -0.25}, "consumption_kwh is negative: -0.25"),
        (
            {"interval_minutes": 1441},
            "interval_minutes must be a whole number of seconds from 120 to 3600, not 1441",
        ),
        (
            {"interval_seconds": 130.5},
            "interval_seconds must be a whole number of seconds from 120 to 3600, not 130.5",
        ),
        ({"meter_id": "M" * 129}, "meter_id must be 1 to 128 bytes of text without control characters"),
        ({"flags": ["E"] * 17}, "at most 16 codes of 1 to 64 characters"),
    ],
)
def test_what_is_out_of_its_limits_says_the_value_and_the_limits(
    fields: dict[str, Any], expected: str
) -> None:
    log = Log(Policy(partitions=1, min_interval=2 * MINUTE, max_interval=HOUR))
    log.read({**reading("A", "10:00:00"), **fields})
    assert expected in message(log)


def test_a_record_that_is_too_large_says_how_large_it_is_and_may_be() -> None:
    log = Log(Policy(partitions=1, max_record_bytes=200))
    value = json.dumps(reading("A", "10:00:00", x="y" * 200)).encode()
    log.raw(value)
    assert f"{len(value)} bytes, at most 200 are allowed" in message(log)


@pytest.mark.parametrize("size", [199, 200, 201])
@pytest.mark.parametrize("fast", [True, False])
def test_the_limit_of_a_record_is_allowed_itself(size: int, fast: bool) -> None:
    log = Log(Policy(partitions=1, max_record_bytes=200))
    if not fast:
        log = Log(log.policy, decode=None)
    value = json.dumps(reading("A", "10:00:00")).encode()
    log.raw(value + b" " * (size - len(value)))
    assert len(log.of(DeadLetter)) == (size > 200)


@pytest.mark.parametrize(
    ("value", "what"), [(b"[]", "an empty array"), (b"null", "null"), (b"3", "a number"), (b'"x"', "text")]
)
def test_what_holds_no_reading_says_what_it_is(value: bytes, what: str) -> None:
    log = Log()
    log.raw(value)
    assert f"expected an object or an array of objects, not {what}" in message(log)
