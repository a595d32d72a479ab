"""A unit is converted exactly, and never guessed."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridwatch.bridge.formats.quantities import FIELDS, NAMED, TEXTS, UNITLESS
from tests.unit.bridge.formats.asking import one, refused


@pytest.mark.parametrize(
    ("name", "number", "field", "value"),
    [
        ("power_kw", "-1.25", "power_kw", -1.25),
        ("power_w", "1234.5", "power_kw", 1.2345),
        ("energy_kwh", "812.45", "total_energy_kwh", 812.45),
        ("energy_wh", "812456", "total_energy_kwh", 812.456),
        ("total_energy_kwh", "812.45", "total_energy_kwh", 812.45),
        ("total_energy_wh", "7", "total_energy_kwh", 0.007),
        ("exported_energy_kwh", "1e3", "exported_energy_kwh", 1000.0),
        ("exported_energy_wh", "1.5", "exported_energy_kwh", 0.0015),
        ("voltage", "230.1", "voltage", 230.1),
        ("voltage_v", "230.1", "voltage", 230.1),
        ("current", "0.3", "current", 0.3),
        ("current_a", "-0.3", "current", -0.3),
        ("power_factor", "-1", "power_factor", -1.0),
        ("frequency", "49.98", "frequency", 49.98),
        ("frequency_hz", "49.98", "frequency", 49.98),
    ],
)
def test_a_name_of_electricity_says_its_unit(name: str, number: str, field: str, value: float) -> None:
    assert one("value", number, f"x/{name}").values == {field: value}
    assert one("value", number, "x/y", field=name).values == {field: value}
    assert one("json", f'{{"{name}":{number}}}').values == {field: value}


@pytest.mark.parametrize(
    ("name", "number", "field", "value"),
    [
        ("temperature_c", "-4.5", "temperature_c", -4.5),
        ("temperature_f", "-40", "temperature_c", -40.0),
        ("temperature_f", "98.6", "temperature_c", 37.0),
        ("temperature_f", "32", "temperature_c", 0.0),
        ("humidity", "100", "humidity_percent", 100.0),
        ("humidity_percent", "0", "humidity_percent", 0.0),
        ("battery", "88", "battery_percent", 88.0),
        ("battery_percent", "88", "battery_percent", 88.0),
    ],
)
def test_a_name_of_a_thermometer_says_its_unit(name: str, number: str, field: str, value: float) -> None:
    assert one("value", number, f"x/{name}", "temperature").values == {field: value}
    assert one("json", f'{{"{name}":{number}}}', kind="temperature").values == {field: value}


@pytest.mark.parametrize(
    ("name", "number", "field", "value"),
    [
        ("flow_temperature_c", "35", "flow_temperature_c", 35.0),
        ("flow_temperature_f", "95", "flow_temperature_c", 35.0),
        ("return_temperature_c", "30", "return_temperature_c", 30.0),
        ("return_temperature_f", "86", "return_temperature_c", 30.0),
        ("outdoor_temperature_c", "-7", "outdoor_temperature_c", -7.0),
        ("outdoor_temperature_f", "14", "outdoor_temperature_c", -10.0),
        ("heat_kwh", "12", "heat_kwh", 12.0),
        ("heat_wh", "12", "heat_kwh", 0.012),
        ("cop", "3.9", "cop", 3.9),
        ("power_w", "2100", "power_kw", 2.1),
        ("energy_kwh", "2100", "total_energy_kwh", 2100.0),
    ],
)
def test_a_name_of_a_heat_pump_says_its_unit(name: str, number: str, field: str, value: float) -> None:
    assert one("homeassistant", number, f"ha/sensor/hp_{name}/state", "heatpump").values == {field: value}
    assert one("json", f'{{"{name}":{number}}}', kind="heatpump").values == {field: value}


def test_every_field_of_a_number_has_a_name_with_its_unit() -> None:
    fields = set().union(*FIELDS.values()) - TEXTS
    assert {quantity.field for quantity in NAMED.values()} == fields
    assert all(NAMED[name] == (name, 1, 0) for name in fields)
    assert all(NAMED[example].field == field for field, example in UNITLESS.values())
    assert NAMED.keys().isdisjoint(UNITLESS)


@settings(deadline=None)
@given(st.decimals(-(10**9), 10**9, places=3))
def test_the_only_rounding_is_to_the_nearest_double(watts: Any) -> None:
    assert one("value", str(watts), "x/power_w").values == {"power_kw": float(Fraction(watts) / 1000)}
    assert one("shelly", str(watts), "shellies/x/relay/0/energy").values == {
        "total_energy_kwh": float(Fraction(watts) / 60_000)
    }


@settings(deadline=None)
@given(st.integers(0, 10**12), st.integers(0, 10**12), st.integers(0, 10**9), st.integers(0, 10**9))
def test_sums_are_of_decimals_not_of_binary_fractions(low: int, high: int, drawn: int, fed: int) -> None:
    def text(number: int) -> str:
        return f"{number // 1000}.{number % 1000:03}"

    members = {
        "electricity_delivered_1": text(low),
        "electricity_delivered_2": text(high),
        "electricity_currently_delivered": text(drawn),
        "electricity_currently_returned": text(fed),
    }
    assert one("dsmr", members).values == {
        "total_energy_kwh": float(Fraction(low + high, 1000)),
        "power_kw": float(Fraction(drawn - fed, 1000)),
    }


def test_a_battery_at_zigbee2mqtt_has_its_voltage_in_another_unit() -> None:
    assert one("zigbee2mqtt", {"voltage": 229, "power": 5}).values["voltage"] == 229.0
    battery = one("zigbee2mqtt", {"voltage": 3005, "power": 5, "battery": 90})
    assert battery.values == {"power_kw": 0.005}
    assert "voltage" not in battery.more


def test_one_of_several_phases_at_zigbee2mqtt_is_not_the_whole() -> None:
    members = {"power": 100, "power_phase_b": 200, "voltage": 230, "current": 1, "energy": 7}
    phases = one("zigbee2mqtt", members)
    assert phases.values == {"total_energy_kwh": 7.0}
    assert phases.more == {"power": 100, "power_phase_b": 200}


def test_a_tasmota_without_the_unit_of_its_thermometer_is_refused() -> None:
    for unit in ({}, {"TempUnit": "K"}, {"TempUnit": None}, {"TempUnit": ["C"]}):
        problem = refused("tasmota", {"AM2301": {"Temperature": 21.5}, **unit}, kind="temperature")
        assert problem.reasons == ("AMBIGUOUS_UNIT",)
        assert problem.field == "TempUnit"


def test_a_shelly_thermometer_is_in_the_unit_that_the_rule_names_or_in_none() -> None:
    topic = "shellies/shellyht-1/sensor/temperature"
    assert one("shelly", "21.5", topic, "temperature", "temperature_c").values == {"temperature_c": 21.5}
    for field in (None, "temperature", "humidity"):
        assert refused("shelly", "21.5", topic, "temperature", field).reasons == ("AMBIGUOUS_UNIT",)
    assert one("shelly", "45", "shellies/x/sensor/battery", "temperature").values == {"battery_percent": 45}


def test_an_object_of_a_telegram_in_another_unit_is_refused() -> None:
    problem = refused("dsmr", "/X\r\n\r\n1-0:1.8.0(000123.456*Wh)\r\n!")
    assert problem.reasons == ("AMBIGUOUS_UNIT",)
    assert problem.field == "1-0:1.8.0"


def test_the_registers_of_an_openems_meter_follow_the_sign_of_its_power() -> None:
    topic = "edge/edge0/channel/meter0"
    assert one("openems", "1500", f"{topic}/ActiveProductionEnergy").values == {"total_energy_kwh": 1.5}
    assert one("openems", "1500", f"{topic}/ActiveConsumptionEnergy").values == {"exported_energy_kwh": 1.5}
    assert one("openems", "1500", f"{topic}/Current").values == {"current": 1.5}
    assert one("openems", "49985", f"{topic}/Frequency").values == {"frequency": 49.985}
    total = "edge/edge0/channel/_sum"
    assert one("openems", "-1500", f"{total}/GridActivePower").values == {"power_kw": -1.5}
    assert one("openems", "1500", f"{total}/GridSellActiveEnergy").values == {"exported_energy_kwh": 1.5}


def test_an_openems_channel_of_any_component_is_what_the_rule_says() -> None:
    topic = "edge/edge0/channel/pvInverter0/ActivePower"
    assert one("openems", "1500", topic, field="power_w").values == {"power_kw": 1.5}
    assert one("openems", "150.5", topic, field="energy_kwh").values == {"total_energy_kwh": 150.5}


def test_two_members_of_one_field_must_agree() -> None:
    assert one("json", {"power_w": 1500, "power_kw": 1.5}).values == {"power_kw": 1.5}
    rounded = one("json", {"temperature_f": 70, "temperature_c": 21.3}, kind="temperature")
    assert rounded.values == {"temperature_c": 21.3}
    problem = refused("json", {"power_w": 1500, "power_kw": 15})
    assert (problem.reasons, problem.field) == (("BAD_VALUE",), "power_w")
    differing = refused("json", {"temperature_f": 72, "temperature_c": 21.3}, kind="temperature")
    assert differing.reasons == ("BAD_VALUE",)


def test_the_energy_beside_a_register_is_not_the_register() -> None:
    both = one("json", {"energy_kwh": 0.25, "total_energy_kwh": 4711})
    assert both.values == {"total_energy_kwh": 4711.0}
    assert both.more == {"energy_kwh": 0.25}


def test_a_sum_of_tariffs_needs_both() -> None:
    only_one = {"electricity_delivered_1": "5.0", "phase_voltage_l1": "230.0"}
    assert one("dsmr", only_one).values == {"voltage": 230.0}
    no_return = {"electricity_currently_delivered": "5.0", "phase_voltage_l1": "230.0"}
    assert one("dsmr", no_return).values == {"voltage": 230.0}


def test_the_register_of_all_tariffs_counts_before_their_sum() -> None:
    lines = "1-0:1.8.0(10.5*kWh)\r\n1-0:1.8.1(1*kWh)\r\n1-0:1.8.2(2*kWh)\r\n1-0:31.7.0(3*A)"
    assert one("dsmr", f"/X\r\n\r\n{lines}\r\n!").values == {"total_energy_kwh": 10.5, "current": 3.0}
