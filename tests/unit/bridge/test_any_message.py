"""Any message becomes rows, or dead letters; never an error. The counts are exact."""

from __future__ import annotations

import json
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as some

from gridwatch.bridge.formats import FORMATS
from gridwatch.bridge.rules import DEFAULT_RULES
from gridwatch.domain.instants import format_instant
from gridwatch.domain.partitioning import partition_of
from tests.unit.bridge.translating import (
    ENERGY,
    EVERYTHING,
    LETTERS,
    NOW,
    RAW,
    content,
    message,
    translator,
)

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
