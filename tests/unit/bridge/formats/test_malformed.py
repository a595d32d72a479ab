"""What should be a measurement and is not is refused, with every reason and a remedy."""

from __future__ import annotations

from typing import Any

import pytest

from gridwatch.bridge.formats import FORMATS
from gridwatch.bridge.formats.strict_json import MAX_DEPTH
from tests.unit.bridge.formats.asking import one, refused

#: A topic on which a format expects a measurement, and whether its payload is a JSON object.
TOPICS = {
    "json": ("x", True),
    "tasmota": ("tele/x/SENSOR", True),
    "shelly": ("x/status/switch:0", True),
    "zigbee2mqtt": ("zigbee2mqtt/x", True),
    "value": ("x/power_w", False),
    "homeassistant": ("ha/sensor/power_w/state", False),
    "dsmr": ("dsmr/json", True),
    "openems": ("edge/e/channel/meter0/ActivePower", False),
}
of_objects = pytest.mark.parametrize("name", [name for name, (_, objects) in TOPICS.items() if objects])
of_every_format = pytest.mark.parametrize("name", FORMATS)


def reasons(name: str, payload: Any, **options: Any) -> tuple[str, ...]:
    return refused(name, payload, TOPICS[name][0], **options).reasons


@of_every_format
def test_an_empty_payload_is_refused(name: str) -> None:
    assert reasons(name, b"") == reasons(name, b" \r\n") == ("EMPTY",)


@of_every_format
@pytest.mark.parametrize("payload", [b"\xff\xfe1", '{"power_kw":1,"x":"é"}'.encode("latin-1")])
def test_bytes_that_are_not_utf_8_are_refused(name: str, payload: bytes) -> None:
    assert reasons(name, payload) == ("NOT_UTF8",)


@of_every_format
def test_a_nul_at_the_end_is_refused(name: str) -> None:
    assert reasons(name, b'{"power_kw":1}\x00') == ("BAD_VALUE",)


@of_objects
@pytest.mark.parametrize(
    "payload", ["{", "{'a':1}", '{"a":1}{"a":1}', '{"a":01}', '{"a":1,}', "online", "\ufeff{}"]
)
def test_text_that_is_not_json_is_refused(name: str, payload: str) -> None:
    assert reasons(name, payload) == ("NOT_JSON",)


@of_objects
@pytest.mark.parametrize("payload", ["12.5", "[]", '[{"power_kw":1}]', "null", '"text"', "true"])
def test_json_that_is_no_object_is_refused(name: str, payload: str) -> None:
    assert reasons(name, payload) == ("NOT_AN_OBJECT",)


@of_objects
@pytest.mark.parametrize("payload", ['{"a":1,"a":1}', '{"x":{"a":1,"a":2}}', '{"x":[{"a":1,"\\u0061":2}]}'])
def test_a_key_that_occurs_twice_is_refused(name: str, payload: str) -> None:
    problem = refused(name, payload, TOPICS[name][0])
    assert (problem.reasons, problem.field) == (("DUPLICATE_KEY",), "a")


@of_objects
@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 400, f"{'9' * 400}.5"]
)
def test_a_number_that_is_not_finite_is_refused_anywhere(name: str, number: str) -> None:
    assert reasons(name, f'{{"x":[{number}]}}') == ("NOT_FINITE",)


@of_objects
@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 200, 100_000])
def test_json_that_is_nested_too_deep_is_refused(name: str, depth: int) -> None:
    assert reasons(name, '{"x":' + "[" * (depth - 1) + "]" * (depth - 1) + "}") == ("TOO_DEEP",)


def test_json_may_be_nested_as_deep_as_allowed() -> None:
    nested = "[" * (MAX_DEPTH - 1) + "1" + "]" * (MAX_DEPTH - 1)
    assert one("json", f'{{"power_kw":1,"x":{nested}}}').values == {"power_kw": 1.0}


@of_objects
@pytest.mark.parametrize(
    ("payload", "reason"),
    [('{"x":"\\ud800"}', "NOT_UTF8"), ('{"\\udfff":1}', "NOT_UTF8"), ('{"x":["a\\u0000"]}', "BAD_VALUE")],
)
def test_text_that_cannot_be_written_again_is_refused(name: str, payload: str, reason: str) -> None:
    assert reasons(name, payload) == (reason,)


@pytest.mark.parametrize("number", ['"230.1"', "true", '{"V":230.1}', '""'])
def test_a_number_as_text_is_refused_where_the_format_has_numbers(number: str) -> None:
    for name, payload, topic, field in (
        ("json", f'{{"voltage":{number}}}', "x", "voltage"),
        ("tasmota", f'{{"ENERGY":{{"Current":{number}}}}}', "x", "ENERGY.Current"),
        ("shelly", f'{{"voltage":{number}}}', "x/status/pm1:0", "pm1:0.voltage"),
        ("shelly", f'{{"aenergy":{{"total":{number}}}}}', "x/status/pm1:0", "pm1:0.aenergy.total"),
        ("shelly", f'{{"emeters":[{{"voltage":{number}}}]}}', "shellies/x/info", "emeters[0].voltage"),
        ("zigbee2mqtt", f'{{"voltage":{number}}}', "z/x", "voltage"),
        ("openems", number, "e/channel/meter0/Voltage", "meter0/Voltage"),
    ):
        problem = refused(name, payload, topic)
        assert (problem.reasons, problem.field) == (("UNKNOWN_TYPE",), field), payload


def test_a_list_is_no_number() -> None:
    assert refused("json", {"voltage": [230.1]}).reasons == ("UNKNOWN_TYPE",)
    assert refused("zigbee2mqtt", {"voltage": []}).reasons == ("UNKNOWN_TYPE",)


def test_a_part_that_is_no_object_is_refused() -> None:
    assert refused("tasmota", {"ENERGY": 12}).reasons == ("UNKNOWN_TYPE",)
    assert refused("shelly", {"aenergy": 12}, "x/status/switch:0").field == "switch:0.aenergy"
    for parameters in (12, {"switch:0": 12}):
        status = {"method": "NotifyStatus", "params": parameters}
        assert refused("shelly", status, "x/events/rpc").reasons == ("UNKNOWN_TYPE",)
    assert refused("tasmota", {"ENERGY": {"Power": [1, "2"]}}).field == "ENERGY.Power"


def test_a_member_of_another_kind_is_not_judged() -> None:
    assert one("json", {"power_kw": 1, "temperature_c": "warm"}).values == {"power_kw": 1.0}
    assert one("zigbee2mqtt", {"power": 1, "temperature": "warm"}).more == {"temperature": "warm"}


@pytest.mark.parametrize("device", [12, True, ["x"], ""])
def test_a_name_that_is_no_text_is_refused(device: Any) -> None:
    problem = refused("json", {"device_id": device, "power_kw": 1})
    assert problem.reasons == ("BAD_VALUE",) if device == "" else ("UNKNOWN_TYPE",)
    assert problem.field == "device_id"
    assert refused("json", {"state": 5, "cop": 3}, kind="heatpump").field == "state"


def test_every_reason_is_listed_and_the_first_field_named() -> None:
    problem = refused("json", {"timestamp": "now", "voltage": "230", "power_factor": 98, "current": True})
    assert problem.reasons == ("BAD_TIMESTAMP", "UNKNOWN_TYPE", "OUT_OF_RANGE")
    assert problem.field == "timestamp"
    assert all(f"{name} " in problem.message for name in ("timestamp", "voltage", "power_factor", "current"))


@pytest.mark.parametrize("payload", [{}, {"status": "online"}, {"power_kw": None}, {"device_id": "x"}])
def test_an_object_without_a_measurement_is_refused_by_the_reference(payload: Any) -> None:
    assert refused("json", payload).reasons == ("MISSING_FIELD",)


@pytest.mark.parametrize(
    ("field", "number"),
    [("humidity_percent", 100.1), ("humidity", -0.1), ("battery", 200), ("temperature_c", -273.16),
     ("temperature_f", -459.68)],
)  # fmt: skip
def test_a_value_that_cannot_be_is_refused(field: str, number: float) -> None:
    problem = refused("json", {field: number}, kind="temperature")
    assert (problem.reasons, problem.field) == (("OUT_OF_RANGE",), field)
    assert refused("value", str(number), f"x/{field}", "temperature").reasons == ("OUT_OF_RANGE",)


def test_a_power_factor_in_percent_is_refused() -> None:
    for factor in (98, 1.01, -1.01):
        assert refused("tasmota", {"ENERGY": {"Factor": factor}}).reasons == ("OUT_OF_RANGE",)


def test_a_sum_beyond_a_double_is_refused() -> None:
    assert refused("tasmota", {"ENERGY": {"Total": [1.7e308, 1.7e308]}}).reasons == ("NOT_FINITE",)


@pytest.mark.parametrize("name", ["value", "homeassistant"])
@pytest.mark.parametrize(
    "payload", ["230.1 V", "230,1", "1_000", "0x10", "on", "1 2", ".", "1.2.3", "٣", "true", "{}"]
)
def test_a_bare_value_that_is_no_number_is_refused(name: str, payload: str) -> None:
    assert reasons(name, payload) == ("NOT_A_NUMBER",)


@pytest.mark.parametrize("name", ["value", "homeassistant"])
@pytest.mark.parametrize("payload", ["nan", "NaN", "inf", "-Infinity", "1e999", "9" * 400])
def test_a_bare_value_that_is_not_finite_is_refused(name: str, payload: str) -> None:
    assert reasons(name, payload) == ("NOT_FINITE",)


@pytest.mark.parametrize(
    ("payload", "value"), [(" 12\n", 12.0), ("+1.", 1.0), ("-0.5e-1", -0.05), ("007", 7.0)]
)
def test_a_bare_number_may_be_written_as_devices_do(payload: str, value: float) -> None:
    assert one("value", payload, "x/power_kw").values == {"power_kw": value}


def test_a_bare_number_on_a_topic_of_a_shelly_must_be_one() -> None:
    problem = refused("shelly", "err", "shellies/x/relay/0/power")
    assert (problem.reasons, problem.field) == (("NOT_A_NUMBER",), "relay/0/power")


def test_a_number_of_which_nobody_says_what_it_is_is_refused() -> None:
    problem = refused("value", "12", "home/thing")
    assert (problem.reasons, problem.field) == (("UNKNOWN_FIELD",), "thing")
    assert 'field = "power_w"' in problem.message
    assert refused("homeassistant", "12", "ha/sensor/thing/state").reasons == ("UNKNOWN_FIELD",)


@pytest.mark.parametrize("field", ["", "watts", "temperature_c", "state"])
@pytest.mark.parametrize("name", ["value", "homeassistant", "openems"])
def test_a_rule_must_name_a_field_of_its_kind(name: str, field: str) -> None:
    assert reasons(name, "12", field=field) == ("UNKNOWN_FIELD",)


def test_openems_may_have_any_prefix_or_none() -> None:
    for prefix in ("", "home/", "a/b/c/"):
        assert one("openems", "5", f"{prefix}channel/meter0/ActivePower").values == {"power_kw": 0.005}


def test_a_whole_number_of_more_than_64_bits_is_passed_on_as_a_double() -> None:
    more = one("json", f'{{"power_kw":1,"a":{2**63},"b":{2**63 - 1},"c":{-(2**63)},"d":{-(2**63) - 1}}}').more
    assert [type(number) for number in more.values()] == [float, int, int, float]


def test_openems_refuses_what_is_no_number_where_the_rule_names_it() -> None:
    for payload in ('"on"', "true", "[]", "{}"):
        assert reasons("openems", payload, field="power_w") == ("NOT_A_NUMBER",)
