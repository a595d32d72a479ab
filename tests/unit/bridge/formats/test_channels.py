"""Several channels and sensors of one device never share a name; those of one do."""

from __future__ import annotations

import pytest

from tests.unit.bridge.formats.asking import decoded, one


@pytest.mark.parametrize("part", ["relay", "light", "roller", "emeter"])
def test_the_first_channel_is_the_device_and_another_has_its_number(part: str) -> None:
    names = [one("shelly", "1", f"shellies/x/{part}/{channel}/power").device for channel in range(3)]
    assert names == [None, "x-1", "x-2"]


def test_a_channel_has_one_name_on_every_topic() -> None:
    status = {"id": 1, "apower": 5}
    notified = {"method": "NotifyStatus", "src": "y", "params": {"switch:1": status}}
    assert one("shelly", status, "home/x/status/switch:1").device == "x-1"
    assert one("shelly", notified, "home/x/events/rpc").device == "x-1"
    info = {"emeters": [{"power": 1}, {"power": 2}]}
    assert [each.device for each in decoded("shelly", info, "shellies/x/info")] == [None, "x-1"]


def test_components_of_one_channel_are_one_measurement() -> None:
    params = {"em:0": {"total_act_power": 5}, "emdata:0": {"total_act": 7}, "ts": 1}
    measured = one("shelly", {"method": "NotifyStatus", "params": params}, "x/events/rpc")
    assert measured.values == {"power_kw": 0.005, "total_energy_kwh": 0.007}


def test_components_that_measure_the_same_are_not_merged() -> None:
    params = {"switch:0": {"apower": 5}, "em1:0": {"act_power": 7}}
    measured = decoded("shelly", {"method": "NotifyStatus", "params": params}, "x/events/rpc")
    assert [each.values for each in measured] == [{"power_kw": 0.005}, {"power_kw": 0.007}]


def test_the_probes_of_an_add_on_are_told_apart() -> None:
    for channel, name in ((0, None), (100, "x-100"), (101, "x-101")):
        topic = f"x/status/temperature:{channel}"
        assert one("shelly", {"tC": 5.5}, topic, "temperature").device == name


def test_one_of_several_thermometers_keeps_its_name_when_another_is_lost() -> None:
    def names(first: float | None) -> list[str | None]:
        sensors = {"AM2301": {"Temperature": first}, "BMP280": {"Temperature": 5.5}, "TempUnit": "C"}
        return [one.device for one in decoded("tasmota", sensors, "tele/x/SENSOR", "temperature")]

    assert names(21.5) == ["x-AM2301", "x-BMP280"]
    assert names(None) == ["x-BMP280"]
    numbered = {"DS18B20-2": {"Temperature": 5.5}, "TempUnit": "C"}
    assert one("tasmota", numbered, "home/x/tele/SENSOR", "temperature").device == "x-DS18B20-2"
    single = {"DS18B20": {"Id": "01", "Temperature": 5.5}, "TempUnit": "C"}
    assert one("tasmota", single, "tele/x/SENSOR", "temperature").device is None


def test_the_inside_of_a_meter_does_not_replace_its_probe() -> None:
    params = {"temperature:0": {"tC": 48.5}, "temperature:100": {"tC": 5.5}, "humidity:100": {"rh": 60}}
    status = {"method": "NotifyFullStatus", "params": params}
    inside, probe = decoded("shelly", status, "x/events/rpc", "temperature")
    assert (inside.device, inside.values) == (None, {"temperature_c": 48.5})
    assert (probe.device, probe.values) == ("x-100", {"temperature_c": 5.5, "humidity_percent": 60.0})
