"""Whatever the bytes: measurements with finite numbers, nothing, or `Malformed`."""

from __future__ import annotations

import json
import math
from typing import Any, get_args

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from gridwatch.bridge.formats import FORMATS
from gridwatch.bridge.formats.measured import Asked, Kind, Malformed
from gridwatch.bridge.formats.quantities import FIELDS, NAMED, UNITLESS
from gridwatch.domain.instants import format_instant
from gridwatch.models.homelab import HomelabReading
from tests.unit.bridge.formats.samples import SAMPLES

COMMON = set(HomelabReading.__struct_fields__)
#: Keys and levels that lead into the decoders.
WORDS = sorted(
    {
        "Time",
        "ENERGY",
        "Power",
        "Total",
        "Voltage",
        "AM2301",
        "Temperature",
        "Humidity",
        "TempUnit",
        "C",
        "Id",
    }
    | {"StatusSNS", "method", "NotifyStatus", "params", "ts", "switch:0", "em1:1", "temperature:0", "aenergy"}
    | {"total", "apower", "act_power", "tC", "meters", "emeters", "is_valid", "unixtime", "tmp", "hum", "bat"}
    | {"value", "last_seen", "power", "battery", "timestamp", "device_id", "electricity_delivered_1"}
    | {"electricity_delivered_2", "electricity_currently_delivered", "electricity_currently_returned"}
    | {"state", "status", "events", "rpc", "info", "sensor", "relay", "emeter", "0", "1", "channel", "meter0"}
    | {"_sum", "ActivePower", "GridActivePower", "shellies", "tele", "SENSOR", "2024-03-10T14:30:00Z", "1.5"}
    | NAMED.keys()
    | UNITLESS.keys()
)
words = st.sampled_from(WORDS)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | words
)
objects = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(words | st.text(max_size=4), inner, max_size=6)
    ),
    max_leaves=20,
)
asking = st.builds(
    Asked,
    st.sampled_from(get_args(Kind)),
    st.lists(words | st.text(max_size=4), max_size=5).map(tuple)
    | st.sampled_from([tuple(sample.topic.split("/")) for sample in SAMPLES]),
    st.none() | words,
    st.sampled_from(["UTC", "Europe/Berlin", "Nowhere/Land"]),
)
LINES = ("1-0:1.8.1(1*kWh)", "1-0:32.7.0(2*V)", "0-0:1.0.0(240310143045W)", "1-0:")
telegrams = st.lists(st.sampled_from(LINES) | st.text(max_size=6), max_size=6).map(
    lambda lines: "\r\n".join(["/X", *lines, "!"])
)


def hold(payload: bytes, asked: Asked) -> int:
    """The promise of every decoder; how many measurements there were."""
    found = 0
    for decode in FORMATS.values():
        try:
            measured = decode(payload, asked)
        except Malformed as problem:
            assert problem.reasons
            assert all(reason.isupper() for reason in problem.reasons)
            assert ": " in problem.message
            continue
        found += len(measured)
        for one in measured:
            assert one.values
            assert one.values.keys() <= FIELDS[asked.kind]
            assert all(
                isinstance(value, str) if name == "state" else type(value) is float and math.isfinite(value)
                for name, value in one.values.items()
            )
            assert (FIELDS[asked.kind] | COMMON).isdisjoint(one.more)
            assert one.device is None or one.device
            assert one.time is None or format_instant(one.time)
            assert json.loads(msgspec.json.encode(dict(one.more))) == dict(one.more)
    return found


@settings(deadline=None)
@given(st.binary(max_size=200), asking)
def test_bytes_are_decoded_or_malformed(payload: bytes, asked: Asked) -> None:
    hold(payload, asked)


@settings(deadline=None)
@given(st.text(max_size=100) | telegrams | st.from_regex(r"[+-]?[0-9.eE]{1,30}", fullmatch=True), asking)
def test_text_is_decoded_or_malformed(payload: str, asked: Asked) -> None:
    hold(payload.encode("utf-8", "surrogatepass"), asked)


@settings(max_examples=200, deadline=None)
@given(objects, asking)
def test_json_is_decoded_or_malformed(content: Any, asked: Asked) -> None:
    hold(json.dumps(content).encode(), asked)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(SAMPLES), st.data())
def test_a_message_with_one_part_replaced_is_decoded_or_malformed(sample: Any, data: st.DataObject) -> None:
    payload = sample.payload.encode()
    start = data.draw(st.integers(0, len(payload)))
    stop = data.draw(st.integers(start, min(len(payload), start + 12)))
    part = data.draw(st.binary(max_size=6) | st.sampled_from([b"null", b"[]", b'"', b"1e400", b"{}", b"-0"]))
    asked = Asked(sample.kind, tuple(sample.topic.split("/")), sample.field, sample.zone)
    hold(payload[:start] + part + payload[stop:], asked)


def test_the_samples_are_measurements_for_the_promise_too() -> None:
    for sample in SAMPLES:
        asked = Asked(sample.kind, tuple(sample.topic.split("/")), sample.field, sample.zone)
        assert hold(sample.payload.encode(), asked) >= len(sample.expected)


def test_long_numbers_take_no_longer_than_they_are() -> None:
    digits = b"1" * 200_000
    for number in (digits, b"0." + digits, b"0." + b"0" * 200_000 + b"1", digits + b"e-199990"):
        hold(b'{"power_kw":' + number + b',"ENERGY":{"Power":' + number + b"}}", Asked("energy", ("x",)))
        hold(number, Asked("energy", ("x", "power_w")))


def test_a_topic_may_have_as_few_levels_as_it_likes() -> None:
    payload = (
        b'{"method":"NotifyStatus","params":{"switch:1":{"apower":1}},"emeters":[{"power":1},{"power":2}]}'
    )
    for topic in (
        "",
        "info",
        "state",
        "SENSOR",
        "status/switch:1",
        "events/rpc",
        "channel/meter0/ActivePower",
    ):
        levels = tuple(topic.split("/")) if topic else ()
        for kind in get_args(Kind):
            for content in (payload, b"1", b'{"apower":1}'):
                hold(content, Asked(kind, levels))
