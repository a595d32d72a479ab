"""A name says what a number is, or the number is refused."""

from __future__ import annotations

from typing import Any

import pytest

from gridwatch.bridge.formats.quantities import FIELDS, UNITLESS
from tests.unit.bridge.formats.asking import one, refused


@pytest.mark.parametrize("name", sorted(UNITLESS))
def test_a_name_without_a_unit_is_refused_wherever_it_stands(name: str) -> None:
    field, example = UNITLESS[name]
    kind: Any = next(kind for kind, fields in FIELDS.items() if field in fields)
    for problem in (
        refused("value", "21.5", f"x/{name}", kind),
        refused("value", "21.5", "x/y", kind, field=name),
        refused("value", "21.5", f"node/sensor/kitchen_{name}/state", kind),
        refused("homeassistant", "21.5", f"ha/sensor/{name}/state", kind),
        refused("json", {name: 21.5}, kind=kind),
    ):
        assert problem.reasons == ("AMBIGUOUS_UNIT",)
        assert f'"{example}"' in problem.message
        assert name in str(problem.field)


def test_a_name_of_the_folder_does_not_name_the_number_in_it() -> None:
    assert refused("value", "21.5", "homelab/energy/kitchen").reasons == ("UNKNOWN_FIELD",)
    assert refused("value", "45", "home/humidity/kitchen", "temperature").reasons == ("UNKNOWN_FIELD",)
    assert one("value", "45", "home/power_w/kitchen").values == {"power_kw": 0.045}


def test_the_last_name_of_a_topic_counts() -> None:
    assert one("value", "45", "power_w/energy_wh/x").values == {"total_energy_kwh": 0.045}
    assert one("value", "45", "power_w/meter/energy_kwh").values == {"total_energy_kwh": 45.0}


def test_the_longest_name_counts() -> None:
    assert one("value", "45", "x/exported_energy_kwh").values == {"exported_energy_kwh": 45.0}
    assert one("value", "45", "x/garage-exported-energy-kWh").values == {"exported_energy_kwh": 45.0}


@pytest.mark.parametrize(
    "name",
    [
        "daily_energy_kwh",
        "energy_today_energy_wh",
        "export_power_w",
        "solar_production_power_kw",
        "reactive_power_w",
        "heat_power_kw",
        "max_voltage",
        "battery_voltage",
        "returned_energy_kwh",
    ],
)
def test_a_name_that_says_something_else_is_not_taken_for_the_quantity(name: str) -> None:
    problem = refused("value", "45", f"x/sensor/{name}/state")
    assert problem.reasons == ("UNKNOWN_FIELD",)
    assert 'field = "' in problem.message


@pytest.mark.parametrize("name", ["target_temperature_c", "dew_point_temperature_f", "chip_temperature_c"])
def test_not_every_temperature_is_that_of_the_room(name: str) -> None:
    assert refused("value", "45", f"x/{name}", "temperature").reasons == ("UNKNOWN_FIELD",)


def test_a_thermometer_may_be_at_a_pipe() -> None:
    for name in ("flow_temperature_c", "return_temperature_c"):
        assert one("value", "45", f"x/{name}", "temperature").values == {"temperature_c": 45.0}


def test_a_heat_pump_may_be_two_words() -> None:
    assert one("value", "45", "x/heat_pump_power_w").values == {"power_kw": 0.045}


def test_the_rule_may_say_that_a_number_is_what_its_name_does_not_say() -> None:
    assert one("value", "45", "x/daily_energy_kwh", field="energy_wh").values == {"total_energy_kwh": 0.045}
