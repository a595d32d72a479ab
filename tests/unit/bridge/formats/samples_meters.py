"""Bare numbers, and messages of meters and of systems for the home."""

from __future__ import annotations

from gridwatch.bridge.formats.measured import Measured
from tests.unit.bridge.formats.asking import at
from tests.unit.bridge.formats.sample import Sample, telegram

DSMR_LINES = (
    "1-3:0.2.8(50)",
    "0-0:1.0.0(240310143045W)",
    "0-0:96.1.1(4530303434303037303532383730333138)",
    "1-0:1.8.1(001234.567*kWh)",
    "1-0:1.8.2(002345.678*kWh)",
    "1-0:2.8.1(000100.100*kWh)",
    "1-0:2.8.2(000200.200*kWh)",
    "0-0:96.14.0(0002)",
    "1-0:1.7.0(00.120*kW)",
    "1-0:2.7.0(01.345*kW)",
    "0-0:96.7.21(00004)",
    "1-0:99.97.0(2)(0-0:96.7.19)(101208152415W)(0000000240*s)(101208151004W)(0000000301*s)",
    "1-0:32.7.0(230.1*V)",
    "1-0:31.7.0(005*A)",
    "0-1:24.2.1(240310143000W)(01234.567*m3)",
)
DSMR_VALUES = {
    "total_energy_kwh": 3580.245,
    "exported_energy_kwh": 300.3,
    "power_kw": -1.225,
    "voltage": 230.1,
    "current": 5.0,
}
DSMR_READER = """{"id":164052,"timestamp":"2024-03-10T13:30:45Z","electricity_delivered_1":"5834.163",
"electricity_returned_1":"424.997","electricity_delivered_2":"4637.053","electricity_returned_2":"988.696",
"electricity_currently_delivered":"1.095","electricity_currently_returned":"0.000",
"phase_currently_delivered_l1":"0.726","extra_device_timestamp":null,"extra_device_delivered":null,
"phase_voltage_l1":"227.3","phase_power_current_l1":3,"phase_power_current_l2":1,"phase_power_current_l3":0}"""


SAMPLES = [
    Sample(
        "a bare number, named by the last level",
        "value",
        "homelab/energy/plug-1/power_w",
        "1500.5",
        [Measured({"power_kw": 1.5005})],
    ),
    Sample(
        "a sensor of ESPHome, its name before the state",
        "value",
        "kitchen/sensor/fridge_power_w/state",
        "60.25",
        [Measured({"power_kw": 0.06025})],
    ),
    Sample(
        "a heat pump's flow at ESPHome",
        "value",
        "heatpump/sensor/flow_temperature_c/state",
        "35.5",
        [Measured({"flow_temperature_c": 35.5})],
        "heatpump",
    ),
    Sample(
        "the state of a heat pump, named by the rule",
        "value",
        "heatpump/mode",
        "defrosting",
        [Measured({"state": "defrosting"})],
        "heatpump",
        "state",
    ),
    Sample(
        "a sensor in Home Assistant's statestream",
        "homeassistant",
        "homeassistant/sensor/house_total_energy_kwh/state",
        "12345.678",
        [Measured({"total_energy_kwh": 12345.678})],
    ),
    Sample(
        "a sensor in Home Assistant's statestream, named by the rule",
        "homeassistant",
        "homeassistant/sensor/attic/state",
        "70.7",
        [Measured({"temperature_c": 21.5})],
        "temperature",
        "temperature_f",
    ),
    Sample(
        "a telegram of the P1 port",
        "dsmr",
        "dsmr/raw",
        telegram(*DSMR_LINES),
        [Measured(DSMR_VALUES, at("2024-03-10T13:30:45Z"), "E0044007052870318")],
    ),
    Sample(
        "the JSON of DSMR-reader",
        "dsmr",
        "dsmr/json",
        DSMR_READER,
        [
            Measured(
                {
                    "total_energy_kwh": 10471.216,
                    "exported_energy_kwh": 1413.693,
                    "power_kw": 1.095,
                    "voltage": 227.3,
                },
                at("2024-03-10T13:30:45Z"),
                None,
                {
                    "id": 164052,
                    "phase_currently_delivered_l1": "0.726",
                    "extra_device_timestamp": None,
                    "extra_device_delivered": None,
                },
            )
        ],
    ),
    Sample(
        "the power of an OpenEMS meter",
        "openems",
        "edge/edge0/channel/meter0/ActivePower",
        "-2150",
        [Measured({"power_kw": -2.15})],
    ),
    Sample(
        "what an OpenEMS edge bought from the grid",
        "openems",
        "edge/edge0/channel/_sum/GridBuyActiveEnergy",
        "5831900",
        [Measured({"total_energy_kwh": 5831.9})],
    ),
    Sample(
        "the voltage of an OpenEMS meter, in mV",
        "openems",
        "edge/edge0/channel/meter1/Voltage",
        "230150",
        [Measured({"voltage": 230.15})],
    ),
    Sample(
        "the electric power of a heat pump behind an OpenEMS meter",
        "openems",
        "edge/edge0/channel/meter2/ActivePower",
        "1800",
        [Measured({"power_kw": 1.8})],
        "heatpump",
    ),
]
