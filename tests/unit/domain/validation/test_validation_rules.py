"""What a record must be, and every reason why it is not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gridwatch.domain.outputs import DeadLetter, LateEvent, Validated
from gridwatch.domain.partitioning import murmur2, partition_of
from gridwatch.domain.policy import Policy
from gridwatch.domain.validation.rules import element_texts
from tests.unit.domain.log import Log, reading, reasons, statuses

GOOD = {"meter_id": "A", "timestamp": "2024-01-01T10:00:00Z", "consumption_kwh": 1}


def with_(**fields: Any) -> bytes:
    return json.dumps({**GOOD, **fields}).encode()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ["NOT_JSON"]),
        (b"", ["NOT_JSON"]),
        (b"{", ["NOT_JSON"]),
        (b"[" * 100_000, ["NOT_JSON"]),
        (b'{"meter_id": "\xff"}', ["NOT_UTF8"]),
        (json.dumps({**GOOD, "x": "y"}).encode().replace(b"y", b"\xff"), ["NOT_UTF8"]),
        (b"[]", ["NOT_AN_OBJECT"]),
        (b"null", ["NOT_AN_OBJECT"]),
        (b"3", ["NOT_AN_OBJECT"]),
        (b"{}", ["MISSING_FIELD"]),
        (with_(meter_id=None), ["MISSING_FIELD"]),
        (with_(region=5), ["UNKNOWN_TYPE"]),
        (with_(region="a\x00b"), ["UNKNOWN_TYPE"]),
        (with_(sent_at=["x"]), ["UNKNOWN_TYPE"]),
        (with_(flags="E"), ["UNKNOWN_TYPE"]),
        (with_(flags=["E", 7]), ["UNKNOWN_TYPE"]),
        (with_(flags=["E"] * 17), ["OUT_OF_RANGE"]),
        (with_(flags=["E" * 65]), ["OUT_OF_RANGE"]),
        (with_(flags=[""]), ["OUT_OF_RANGE"]),
        (with_(flags=["a\x00b"]), ["OUT_OF_RANGE"]),
        (with_(flags=["REVISED"]), ["OUT_OF_RANGE"]),
        (with_(timestamp=5), ["BAD_TIMESTAMP"]),
        (with_(timestamp="2024-02-30T00:00:00Z"), ["BAD_TIMESTAMP"]),
        (with_(timestamp="2031-01-01T00:00:00Z"), ["FUTURE_TIMESTAMP"]),
        (with_(meter_id=5), ["BAD_METER_ID"]),
        (with_(meter_id=""), ["BAD_METER_ID"]),
        (with_(meter_id="é" * 65), ["BAD_METER_ID"]),
        (with_(meter_id="a\nb"), ["BAD_METER_ID"]),
        (with_(meter_id="\ud800"), ["BAD_METER_ID"]),
        (with_(consumption_kwh="1"), ["NOT_A_NUMBER"]),
        (with_(consumption_kwh=True), ["NOT_A_NUMBER"]),
        (with_(voltage="230"), ["NOT_A_NUMBER"]),
        (with_(consumption_kwh=float("nan")), ["NOT_FINITE"]),
        (with_(current=float("-inf")), ["NOT_FINITE"]),
        (with_().replace(b": 1}", b": 1e999}"), ["NOT_FINITE"]),
        (with_().replace(b": 1}", b": 1" + b"0" * 5000 + b"}"), ["NOT_FINITE"]),
        (with_(consumption_kwh=-0.5), ["NEGATIVE"]),
        (with_(consumption_kwh=1000.5), ["OUT_OF_RANGE"]),
        (with_(interval_minutes=0), ["OUT_OF_RANGE"]),
        (with_(interval_minutes=46081), ["OUT_OF_RANGE"]),
        (with_(interval_minutes=7.51), ["OUT_OF_RANGE"]),
        (with_(interval_seconds=0), ["OUT_OF_RANGE"]),
        (with_(interval_seconds=-10), ["OUT_OF_RANGE"]),
        (with_(interval_seconds=0.5), ["OUT_OF_RANGE"]),
        (with_(interval_seconds=33 * 86_400), ["OUT_OF_RANGE"]),
        (with_(interval_seconds="10"), ["NOT_A_NUMBER"]),
        (with_(x="y" * 1_000_000), ["TOO_LARGE"]),
        (with_(meter_id=" ", timestamp="x", consumption_kwh=-1), ["BAD_TIMESTAMP", "NEGATIVE"]),
        (
            b'{"timestamp": "x", "meter_id": 1, "voltage": "v", "current": NaN, "region": 1}',
            ["MISSING_FIELD", "UNKNOWN_TYPE", "BAD_TIMESTAMP", "BAD_METER_ID", "NOT_A_NUMBER", "NOT_FINITE"],
        ),
    ],
)
@pytest.mark.parametrize("fast", [True, False])
def test_every_reason_is_found(value: bytes | None, expected: list[str], fast: bool) -> None:
    log = Log() if fast else Log(decode=None)
    assert reasons(log.raw(value)) == [tuple(expected)]
    assert log.meters == {}
    assert log.partition.watermark is None
    (letter,) = log.of(DeadLetter)
    assert letter.raw == (value or b"")
    assert letter.id("smartmeter_raw") == "smartmeter_raw-0-0-0"


@pytest.mark.parametrize(
    "value",
    [
        with_(unknown={"a": [1, float("nan")]}),
        with_(region=None, voltage=None, interval_minutes=None, flags=None),
        with_(flags=[]),
        with_(flags=["E" * 64] * 16),
        with_(consumption_kwh=1000, interval_minutes=1440),
        with_(meter_id="Zähler 7"),
        with_(meter_id="é" * 64),
        b" [ " + with_() + b" ] ",
    ],
)
def test_what_is_not_forbidden_counts(value: bytes) -> None:
    log = Log()
    assert statuses(log.raw(value))[0][0] == "OK"


@pytest.mark.parametrize("fast", [True, False])
def test_the_codes_that_a_reading_brought_follow_our_own_flags(fast: bool) -> None:
    log = Log() if fast else Log(decode=None)
    log.read(
        reading("A", "10:00:00", kwh=0, flags=["NEM12_E"]),
        reading("A", "10:30:00", flags=["NEM12_A", "NEM12_F"]),
        reading("A", "18:00:00"),
        reading("A", "11:00:00", flags=["NEM12_S"]),
    )
    assert [one.flags for one in log.of(Validated)] == [
        ("ZERO", "FIRST", "NEM12_E"),
        ("NEM12_A", "NEM12_F"),
        (),
    ]
    assert [one.flags for one in log.of(LateEvent)] == [("NEM12_S",)]


def test_one_bad_element_of_an_array_does_not_harm_the_others() -> None:
    log = Log()
    log.raw(
        b'[{"meter_id":"A","timestamp":"2024-01-01T10:00:00Z","consumption_kwh":1} , 7 ,\n'
        b'{"meter_id":"B","timestamp":"2024-01-01T10:00:00Z","consumption_kwh":1}]'
    )
    assert [one.id for one in log.of(Validated)] == ["0-0-0", "0-0-2"]
    (letter,) = log.of(DeadLetter)
    assert (letter.index, letter.raw, letter.reasons) == (1, b"7", ("NOT_AN_OBJECT",))


def test_the_text_of_each_element_is_unchanged() -> None:
    assert element_texts(b' [ 1.0 ,{"a" : "]"},[ ] , "\xc3\xa9"]') == [
        b"1.0",
        b'{"a" : "]"}',
        b"[ ]",
        b'"\xc3\xa9"',
    ]


def test_a_meter_of_another_partition_is_refused_and_the_message_says_where_it_belongs() -> None:
    log = Log(Policy(partitions=6))
    strangers = [f"M{number}" for number in range(20) if partition_of(f"M{number}", 6) != 0]
    log.read(*(reading(meter, "10:00:00") for meter in strangers))
    assert reasons(log.outputs) == [("WRONG_PARTITION",)] * len(strangers)
    assert f"partition 0 instead of {partition_of(strangers[0], 6)}" in log.of(DeadLetter)[0].message
    assert log.of(DeadLetter)[0].meter_id == strangers[0]


@pytest.mark.parametrize(
    ("key", "signed"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"abc", 479470107),
    ],
)
def test_murmur2_is_that_of_kafka(key: bytes, signed: int) -> None:
    assert murmur2(key) == signed % (1 << 32)


def test_dead_letters_before_the_first_watermark_count_in_its_window() -> None:
    log = Log()
    log.raw(b"x")
    log.read(reading("A", "10:00:10"))
    log.tick("10:05:00")
    assert log.metrics["readings_invalid", "2024-01-01T10:00:00Z"] == 1


def test_a_policy_that_cannot_work_names_its_field() -> None:
    with pytest.raises(ValueError, match="grace"):
        Policy(grace=0)
    with pytest.raises(ValueError, match="default_interval"):
        Policy(default_interval=1)
