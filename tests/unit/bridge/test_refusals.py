"""What is no measurement becomes one dead letter with its reasons, and nothing else is lost by it."""

from __future__ import annotations

import base64
import json

import pytest

from gridwatch.bridge import translation
from gridwatch.bridge.formats import FORMATS
from gridwatch.bridge.formats.measured import Asked, Malformed, Measured
from gridwatch.bridge.rules import Rule
from gridwatch.bridge.translation import MOST_PAYLOAD_BYTES
from gridwatch.domain.instants import format_instant
from tests.unit.bridge.translating import (
    ENERGY,
    LETTERS,
    NOW,
    POLICY,
    RAW,
    content,
    letter,
    message,
    translated,
    translator,
)


@pytest.mark.parametrize(
    ("stamp", "reason"),
    [
        ("1970-01-01T00:00:00Z", "CLOCK_NOT_SET"),
        ("1999-12-31T23:59:59.999999Z", "CLOCK_NOT_SET"),
        ("0002-01-01T00:00:00Z", "CLOCK_NOT_SET"),
        ("2036-01-01T00:00:00Z", "FUTURE_TIMESTAMP"),
        ("9998-12-30T00:00:00Z", "FUTURE_TIMESTAMP"),
        ("0001-01-01T00:00:00Z", "BAD_TIMESTAMP"),
        ("9999-12-31T23:59:59Z", "BAD_TIMESTAMP"),
        ("yesterday", "BAD_TIMESTAMP"),
    ],
)
def test_clocks_that_are_wrong_are_refused(stamp: str, reason: str) -> None:
    assert letter(translated({**ENERGY, "timestamp": stamp}))["reasons"] == [reason]


def test_the_edges_of_what_is_a_time_are_times() -> None:
    latest = format_instant(NOW + POLICY.max_future_skew)
    for stamp in ("2000-01-01T00:00:00Z", latest):
        assert content(translated({**ENERGY, "timestamp": stamp})[0])["timestamp"] == stamp
    late = {**ENERGY, "timestamp": format_instant(NOW + POLICY.max_future_skew + 1)}
    assert letter(translated(late))["reasons"] == ["FUTURE_TIMESTAMP"]


@pytest.mark.parametrize("name", ["", "a+b", "+", "#", "a#", "a\nb", "\x7f", "x" * 129, "ü" * 65, "\x9f"])
def test_a_name_that_no_device_has_is_refused(name: str) -> None:
    one = letter(translated(ENERGY, f"homelab/energy/{name}"))
    assert one["reasons"] == ["BAD_DEVICE_ID"] and "`device` of the rule" in one["message"]
    if name:
        assert letter(translated({**ENERGY, "device_id": name}))["reasons"] == ["BAD_DEVICE_ID"]
    assert letter(translated(ENERGY, "homelab/energy"))["reasons"] == ["BAD_DEVICE_ID"]


def test_a_message_that_no_rule_matches_is_a_dead_letter() -> None:
    machine = translator()
    one = letter(machine.translate(message("other/energy/a", ENERGY, redelivered=True)))
    assert one["reasons"] == ["NO_RULE"] and "other/energy/a" in one["message"] and one["device_id"] is None
    counts = machine.counts[""]
    assert (counts.messages, counts.redelivered, counts.reasons) == (1, 1, {"NO_RULE": 1})


def test_a_payload_that_is_too_large_is_not_read() -> None:
    text = json.dumps({**ENERGY, "more": "x" * MOST_PAYLOAD_BYTES}).encode()
    one = letter(translated(text))
    assert one["reasons"] == ["TOO_LARGE"]
    assert (one["raw_size"], one["raw_truncated"], len(one["raw"])) == (len(text), True, 64 * 1024)
    just = text[:-2][: MOST_PAYLOAD_BYTES - 2] + b'"}'
    assert len(just) == MOST_PAYLOAD_BYTES
    assert content(translated(just)[0])["more"].startswith("xxx")


@pytest.mark.parametrize("payload", [b"[" * 10_000, b'{"a":' * 9999, b"[" * 900 + b"]" * 900])
@pytest.mark.parametrize("name", sorted(FORMATS))
def test_nesting_without_end_is_a_dead_letter_at_most(name: str, payload: bytes) -> None:
    machine = translator(Rule("r", "x/+/#", "energy", name))
    for output in machine.translate(message("x/a/events/rpc", payload)):
        assert content(output)["reasons"] in (["TOO_DEEP"], ["NOT_JSON"], ["NOT_A_NUMBER"], ["UNKNOWN_FIELD"])


@pytest.mark.parametrize("payload", [b"\xff\xfe\0", b"\xf0\x9f", b""])
def test_a_dead_letter_has_the_payload_as_it_came(payload: bytes) -> None:
    one = letter(translated(payload))
    decode = base64.b64decode if one["raw_encoding"] == "base64" else str.encode
    assert decode(one["raw"]) == payload
    assert one["raw_size"] == len(payload) and one["raw_truncated"] is False
    assert one["device_id"] == "plug-1"
    assert one["received_at"] == format_instant(NOW)


def test_dead_letters_have_ids_of_their_own() -> None:
    machine = translator()
    ids = {letter(machine.translate(message("homelab/energy/a", b"x")))["id"] for _ in range(100)}
    assert len(ids) == 100


def test_members_of_a_payload_cannot_take_the_place_of_ours() -> None:
    payload = {
        **ENERGY,
        "received_at": "2001-01-01T00:00:00Z",
        "source": {"mqtt_topic": "forged"},
        "flags": ["FORGED"],
        "temperature_c": 20,
    }
    row, reading = translated(payload)
    value = content(row)
    assert value["device_id"] == "plug-1" and value["timestamp"] == ENERGY["timestamp"]
    assert value["received_at"] == format_instant(NOW)
    assert value["source"]["mqtt_topic"] == "homelab/energy/plug-1"
    assert "flags" not in value
    assert row.value.count(b'"received_at"') == row.value.count(b'"source"') == 1
    assert "flags" not in content(reading)


def test_the_device_of_the_payload_precedes_that_of_the_topic() -> None:
    row, reading = translated({**ENERGY, "device_id": "own"})
    assert (row.key, content(row)["device_id"]) == (b"own", "own")
    assert content(reading)["meter_id"] == "own"


def test_one_bad_measurement_of_several_keeps_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def several(_payload: bytes, _asked: Asked) -> list[Measured]:
        return [
            Measured({"temperature_c": 20.0}, NOW, "a"),
            Measured({"temperature_c": 21.0}, 0, "b"),
            Measured({"temperature_c": 22.0}, NOW, "c\n"),
            Measured({"temperature_c": 23.0}, NOW, "d"),
        ]

    monkeypatch.setitem(FORMATS, "json", several)
    machine = translator()
    outputs = machine.translate(message("homelab/temperature/x", b"{}"))
    assert [one.topic for one in outputs] == ["homelab.temperature", LETTERS, LETTERS, "homelab.temperature"]
    assert [content(one)["device_id"] for one in outputs] == ["a", "b", "c\n", "d"]
    counts = machine.counts["temperature"]
    assert (counts.measurements, counts.reasons) == (2, {"CLOCK_NOT_SET": 1, "BAD_DEVICE_ID": 1})


def test_every_rule_decodes_by_itself() -> None:
    rules = (Rule("e", "x/+", "energy"), Rule("t", "x/+", "temperature"), Rule("v", "x/+", "energy", "value"))
    machine = translator(*rules)
    outputs = machine.translate(message("x/a", {**ENERGY, "temperature_c": 21}))
    assert [one.topic for one in outputs] == ["homelab.energy", RAW, "homelab.temperature", LETTERS]
    assert [machine.counts[name].messages for name in "etv"] == [1, 1, 1]


def test_a_decoder_that_fails_costs_one_message(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(payload: bytes, _asked: Asked) -> list[Measured]:
        if payload == b"malformed":
            raise Malformed(["EMPTY"], "x")
        raise IndexError(payload)

    monkeypatch.setitem(FORMATS, "json", broken)
    machine = translator()
    one = letter(machine.translate(message("homelab/energy/a", b"1")))
    assert one["reasons"] == [translation.DECODER_FAILED] and "IndexError" in one["message"]
    assert "homelab/energy/a" in caplog.text
    assert letter(machine.translate(message("homelab/energy/a", b"malformed")))["reasons"] == ["EMPTY"]
