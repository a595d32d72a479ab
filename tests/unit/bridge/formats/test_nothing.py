"""What is no measurement, and no mistake either, gives nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.bridge.formats.asking import decoded


@pytest.mark.parametrize(
    ("name", "topic", "payload"),
    [
        ("json", "x", {"temperature_c": 21.5}),
        ("json", "x", {"state": "heating"}),
        ("tasmota", "tele/plug/LWT", "Online"),
        ("tasmota", "tele/plug/STATE", {"POWER": "ON"}),
        ("tasmota", "tele/plug/INFO1", {"Info1": {"Module": "Gosund"}}),
        ("tasmota", "stat/plug/POWER", "ON"),
        ("tasmota", "stat/plug/POWER2", "ON"),
        ("tasmota", "stat/plug/RESULT", "no JSON"),
        ("tasmota", "stat/plug/STATUS", {"Status": {}}),
        ("tasmota", "stat/plug/STATUS11", {"StatusSTS": {}}),
        ("tasmota", "cmnd/plug/POWER", "toggle"),
        ("tasmota", "tele/plug/SENSOR", {"Time": "never", "AM2301": {"Temperature": 21.5}, "TempUnit": "C"}),
        ("tasmota", "tele/plug/SENSOR", {"Time": "2024-03-10T14:30:00", "ENERGY": {"Today": 1}}),
        ("tasmota", "tele/plug/SENSOR", {"ENERGY": None}),
        ("shelly", "shellies/announce", {"id": "shelly1pm-1"}),
        ("shelly", "shellies/shelly1pm-1/online", "true"),
        ("shelly", "shellies/shelly1pm-1/relay/0", "on"),
        ("shelly", "shellies/shelly1pm-1/relay/0/command", "off"),
        ("shelly", "shellies/shelly1pm-1/input/0", "1"),
        ("shelly", "shellies/shelly1pm-1/temperature", "54.1"),
        ("shelly", "shellies/shellyem-1/emeter/0/energy", "12"),
        ("shelly", "shellies/shellyem-1/emeter/0/returned_energy", "12"),
        ("shelly", "shellies/shellyem-1/emeter/0/reactive_power", "12"),
        ("shelly", "shellies/shellyht-1/sensor/temperature", "54.1"),
        ("shelly", "shellies/x/info", {"uptime": 5, "unixtime": "no time"}),
        ("shelly", "plus/online", "true"),
        ("shelly", "plus/rpc", {"id": 1, "result": {"apower": 5}}),
        ("shelly", "plus/status/sys", {"uptime": 5}),
        ("shelly", "plus/status/switch:0", {"id": 0, "output": False}),
        ("shelly", "plus/status/switch:0", {"id": 0, "apower": None, "aenergy": None}),
        ("shelly", "plus/status/switch:0", {"id": 0, "temperature": {"tC": 54.1}}),
        ("shelly", "plus/events/rpc", {"method": "NotifyEvent", "params": {"ts": 1, "events": []}}),
        ("shelly", "plus/events/rpc", {"method": "NotifyStatus", "params": {"ts": 1, "cloud": {}}}),
        ("shelly", "plus/events/rpc", {"method": "NotifyStatus", "params": {"ts": 1, "switch:0": None}}),
        ("shelly", "plus/events/rpc", {"method": "NotifyStatus"}),
        ("zigbee2mqtt", "zigbee2mqtt/bridge/state", "online"),
        ("zigbee2mqtt", "zigbee2mqtt/plug/availability", "online"),
        ("zigbee2mqtt", "zigbee2mqtt/plug/set", "ON"),
        ("zigbee2mqtt", "zigbee2mqtt/plug", {"state": "ON", "last_seen": "never"}),
        ("zigbee2mqtt", "zigbee2mqtt/plug", {"power": None}),
        ("value", "node/status", "online"),
        ("value", "node/status", "offline"),
        ("value", "node/debug", "[D] 12"),
        ("value", "node/binary_sensor/door/state", "ON"),
        ("value", "node/switch/pump_power_w/state", "ON"),
        ("value", "node/sensor/attic_temperature_c/state", "21.5"),
        ("value", "node/sensor/attic_temperature/state", "21.5"),
        ("homeassistant", "ha/sensor/plug_power_w/unit_of_measurement", '"W"'),
        ("homeassistant", "ha/sensor/plug_power_w/last_updated", "2024-03-10T14:30:00"),
        ("homeassistant", "ha/sensor/plug_power_w/state", "unknown"),
        ("homeassistant", "ha/sensor/plug_power_w/state", "unavailable"),
        ("homeassistant", "ha/light/plug_power_w/state", "on"),
        ("homeassistant", "ha/sensor/moon/state", "full_moon"),
        ("homeassistant", "ha/sensor/plug_temperature_c/state", "21.5"),
        ("dsmr", "dsmr/json", None),
        ("openems", "edge/edge0/channel/lastUpdate", "2024-03-10T14:30:00Z"),
        ("openems", "edge/edge0/edgeConfig", {"components": {}}),
        ("openems", "edge/edge0/channel/meter0/ActivePower", "null"),
        ("openems", "edge/edge0/channel/meter0/ActivePowerL1", "12"),
        ("openems", "edge/edge0/channel/ess0/ActivePower", "12"),
        ("openems", "edge/edge0/channel/_sum/ConsumptionActivePower", "12"),
        ("openems", "edge/edge0/channel/_meta/Version", '"2024.3"'),
    ],
)
def test_a_status_is_no_measurement(name: str, topic: str, payload: Any) -> None:
    if payload is None:
        assert decoded(name, {"phase_voltage_l1": "230"}, topic, "temperature") == []
    else:
        assert decoded(name, payload, topic) == []


def test_an_unset_channel_of_openems_is_none_also_where_the_rule_names_it() -> None:
    assert decoded("openems", "null", "edge/e/channel/x/y", field="power_w") == []


def test_a_thermometer_that_lost_its_sensor_gives_nothing() -> None:
    lost = {"DS18B20": {"Temperature": None}, "TempUnit": "C"}
    assert decoded("tasmota", lost, kind="temperature") == []
    invalid = {"tmp": {"tC": 999, "is_valid": False}, "hum": {"value": 45}}
    [measured] = decoded("shelly", invalid, "shellies/x/info", "temperature")
    assert measured.values == {"humidity_percent": 45.0}


def test_the_inside_of_a_device_is_no_room() -> None:
    plug = {"tmp": {"tC": 54.1, "is_valid": True}}
    assert decoded("shelly", plug, "shellies/x/info", "temperature") == []
    chip = {"ESP32": {"Temperature": 54.1}, "TempUnit": "C"}
    assert decoded("tasmota", chip, kind="temperature") == []
