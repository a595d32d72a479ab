"""Any message becomes rows, or exactly one dead letter for each measurement that is none; never an error."""

from __future__ import annotations

import base64
import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from gridwatch.bridge import translation
from gridwatch.bridge.formats import FORMATS
from gridwatch.bridge.formats.measured import Asked, Malformed, Measured
from gridwatch.bridge.rules import DEFAULT_RULES, Rule
from gridwatch.bridge.translation import MOST_PAYLOAD_BYTES, Message, Output, Translator
from gridwatch.codecs.decode import decode_readings, decode_telemetry
from gridwatch.domain.instants import format_instant
from gridwatch.domain.outputs import DeadLetter
from gridwatch.domain.partition.processor import Processor
from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.partitioning import partition_of
from gridwatch.domain.policy import SECOND, Policy
from gridwatch.domain.reading import LogRecord

NOW = 1_767_225_600_000_000
POLICY = Policy(partitions=3)
RAW = "smartmeter_raw"
LETTERS = "homelab.dead_letters"
#: One rule for every format and kind: `<format>/<kind>/<device>/…`.
EVERYTHING = tuple(
    Rule(f"{name}-{kind}", f"{name}/{kind}/+/#", kind, name)  # type: ignore[arg-type]
    for name in FORMATS
    for kind in ("energy", "heatpump", "temperature")
)


def translator(*rules: Rule) -> Translator:
    return Translator(rules or DEFAULT_RULES, POLICY, "bridge-1", RAW)


def message(topic: str, payload: bytes | dict[str, Any], *, received: int = NOW, **more: Any) -> Message:
    content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    given = {"qos": 1, "retained": False, "redelivered": False} | more
    return Message(topic, content, received=received, **given)


def translated(
    payload: bytes | dict[str, Any], topic: str = "homelab/energy/plug-1", **more: Any
) -> list[Output]:
    return translator().translate(message(topic, payload, **more))


def content(output: Output) -> dict[str, Any]:
    return json.loads(output.value)  # type: ignore[no-any-return]


def letter(outputs: list[Output]) -> dict[str, Any]:
    """The one dead letter that a message became."""
    (one,) = outputs
    assert one.topic == LETTERS
    return content(one)


def refused(reading: Output) -> list[tuple[str, ...]]:
    """The reasons for which the worker refuses a reading."""
    state = PartitionState(reading.partition)
    processor = Processor(POLICY, state, {}, decode=decode_readings, decode_other=decode_telemetry)
    outcome = processor.process([LogRecord(0, NOW + 1000, reading.value)])
    return [one.reasons for one in outcome.outputs if isinstance(one, DeadLetter)]


ENERGY = {"timestamp": "2025-12-31T23:50:00Z", "total_energy_kwh": 4711.25, "power_w": 1250, "voltage": 230.1}
NUMBERS = (
    some.integers(-(10**25), 10**25)
    | some.floats()
    | some.integers(0, 3000)
    | some.floats(0, 300)
    | some.none()
)
FIELDS = [
    "total_energy_kwh", "energy_wh", "power_w", "power_kw", "voltage", "current", "power_factor", "frequency",
    "temperature_c", "flow_temperature_c", "humidity_percent", "battery", "cop", "state", "device_id",
    "timestamp", "received_at", "source", "flags", "ENERGY", "Time", "Total", "Power", "DS18B20", "TempUnit",
    "energy", "power", "apower", "aenergy", "last_seen", "electricity_delivered_1", "more",
]  # fmt: skip
VALUES = some.recursive(
    NUMBERS
    | some.text(max_size=8)
    | some.booleans()
    | some.sampled_from([ENERGY["timestamp"], "2026-01-01"]),
    lambda inner: (
        some.lists(inner, max_size=3) | some.dictionaries(some.sampled_from(FIELDS), inner, max_size=4)
    ),
    max_leaves=8,
)
PAYLOADS = some.one_of(
    some.binary(max_size=60),
    some.dictionaries(some.sampled_from(FIELDS) | some.text(max_size=4), VALUES, max_size=6).map(
        lambda value: json.dumps(value).encode("utf-8", "surrogatepass")
    ),
    VALUES.map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass")),
    some.sampled_from([b"", b"{}", b"[]", b"null", b"NaN", b"1e999", b"21.5", b"on"]),
)
NAMES = some.sampled_from(
    [
        "plug", "", "$a", "a b", "ü", "x" * 129, "a+b", "#", "\x01", "\x7f", "state", "info", "SENSOR",
        "relay", "0", "power", "temperature_c", "channel", "meter0", "ActivePower", "events", "rpc", "status",
        "emeter",
    ]
)  # fmt: skip
TOPICS = some.builds(
    lambda head, kind, rest: "/".join([head, kind, *rest]),
    some.sampled_from([*FORMATS, "homelab", ""]),
    some.sampled_from(["energy", "heatpump", "temperature"]),
    some.lists(NAMES, max_size=4),
)


@settings(max_examples=400, deadline=None)
@given(TOPICS, PAYLOADS, some.booleans(), some.booleans(), some.integers(0, 1))
def test_any_message_becomes_rows_or_dead_letters(
    topic: str, payload: bytes, retained: bool, redelivered: bool, qos: int
) -> None:
    machine = translator(*EVERYTHING, *DEFAULT_RULES)
    one = message(topic, payload, retained=retained, redelivered=redelivered, qos=qos)
    outputs = machine.translate(one)
    found = Counter(output.topic for output in outputs)
    for output in outputs:
        assert output.partition == partition_of(output.key.decode(), 3)
        value = content(output)
        if output.topic == LETTERS:
            assert value["reasons"] and value["message"]
            assert "DECODER_FAILED" not in value["reasons"]
        elif output.topic != RAW:
            assert value["device_id"] == output.key.decode()
            assert value["received_at"] == format_instant(NOW)
            expected = {"mqtt_topic": topic, "qos": qos, "retained": retained, "bridge": "bridge-1"}
            assert value["source"] == expected
            assert value.get("flags", ["TIME_ASSIGNED"]) == ["TIME_ASSIGNED"]
    # The counts are exact.
    counts = machine.counts.values()
    assert sum(one.messages for one in counts) == 1
    assert sum(one.retained for one in counts) == retained
    assert sum(one.redelivered for one in counts) == redelivered
    assert sum(one.readings for one in counts) == found[RAW]
    assert sum(one.measurements for one in counts) == sum(found.values()) - found[RAW] - found[LETTERS]
    assert sum(sum(one.reasons.values()) for one in counts) == found[LETTERS]
    assert sum(one.ignored for one in counts) == (not outputs)
    # The worker can at least read every reading: what it refuses, it refuses for a value.
    for output in outputs:
        if output.topic == RAW:
            assert content(output)["meter_id"] == output.key.decode()


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
