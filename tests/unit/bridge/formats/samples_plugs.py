"""Messages of plugs and thermometers: the reference JSON, Tasmota, Zigbee2MQTT."""

from __future__ import annotations

from gridwatch.bridge.formats.measured import Measured
from tests.unit.bridge.formats.asking import at
from tests.unit.bridge.formats.sample import Sample

TASMOTA_PLUG = """{"Time":"2024-03-10T14:30:00","ENERGY":{"TotalStartTime":"2022-01-05T09:12:44",
"Total":1234.567,"Yesterday":3.058,"Today":1.127,"Period":5,"Power":78,"ApparentPower":92,"ReactivePower":49,
"Factor":0.85,"Frequency":50,"Voltage":231,"Current":0.398}}"""
TASMOTA_BOTH = """{"Time":"2024-07-01T08:00:05","ENERGY":{"Total":12.5,"Power":0},
"AM2301":{"Temperature":71.6,"Humidity":47.1,"DewPoint":49.8},"TempUnit":"F"}"""
TASMOTA_SEVERAL = """{"Time":"2024-07-01T08:00:05","DS18B20-1":{"Id":"3C01D6075A1B","Temperature":20.6},
"DS18B20-2":{"Id":"3C01D6078F02","Temperature":null},"BME280":{"Temperature":21.4,"Humidity":40.2,
"Pressure":1001.2},"ESP32":{"Temperature":53.3},"PressureUnit":"hPa","TempUnit":"C"}"""
Z2M_PLUG = """{"current":1.32,"energy":812.45,"last_seen":"2024-03-10T15:30:45+01:00","linkquality":120,
"power":301.7,"power_factor":98,"state":"ON","update":{"state":"idle"},"voltage":229}"""
Z2M_THERMOMETER = """{"battery":97,"humidity":45.23,"last_seen":1710081045123,"linkquality":87,
"pressure":1002.5,"temperature":21.37,"voltage":3005}"""

SAMPLES = [
    Sample(
        "a plug in the reference JSON",
        "json",
        "homelab/energy/plug-1",
        '{"device_id":"plug-1","timestamp":"2024-03-10T14:30:00.123456Z","total_energy_kwh":4711.25,'
        '"power_w":1250.5,"voltage":230.1,"current":5.43,"power_factor":0.99,"frequency":50.01,"room":"attic"}',
        [
            Measured(
                {
                    "total_energy_kwh": 4711.25,
                    "power_kw": 1.2505,
                    "voltage": 230.1,
                    "current": 5.43,
                    "power_factor": 0.99,
                    "frequency": 50.01,
                },
                at("2024-03-10T14:30:00.123456Z"),
                "plug-1",
                {"room": "attic"},
            )
        ],
    ),
    Sample(
        "a heat pump in the reference JSON",
        "json",
        "homelab/heatpump/hp",
        '{"timestamp":"2024-03-10T15:30:00+01:00","flow_temperature_c":35.2,"return_temperature_f":86,'
        '"outdoor_temperature_c":-4,"power_kw":2.1,"heat_kwh":9001,"energy_kwh":2500.5,"cop":3.6,"state":"heating"}',
        [
            Measured(
                {
                    "flow_temperature_c": 35.2,
                    "return_temperature_c": 30.0,
                    "outdoor_temperature_c": -4.0,
                    "power_kw": 2.1,
                    "heat_kwh": 9001.0,
                    "total_energy_kwh": 2500.5,
                    "cop": 3.6,
                    "state": "heating",
                },
                at("2024-03-10T14:30:00Z"),
            )
        ],
        "heatpump",
    ),
    Sample(
        "a thermometer in the reference JSON",
        "json",
        "homelab/temperature/attic",
        '{"temperature_c":21.5,"humidity_percent":45,"battery_percent":null}',
        [Measured({"temperature_c": 21.5, "humidity_percent": 45.0})],
        "temperature",
    ),
    Sample(
        "a Tasmota plug, its clock in Berlin",
        "tasmota",
        "tele/washer/SENSOR",
        TASMOTA_PLUG,
        [
            Measured(
                {
                    "total_energy_kwh": 1234.567,
                    "power_kw": 0.078,
                    "voltage": 231.0,
                    "current": 0.398,
                    "power_factor": 0.85,
                    "frequency": 50.0,
                },
                at("2024-03-10T13:30:00Z"),
                None,
                {
                    "TotalStartTime": "2022-01-05T09:12:44",
                    "Yesterday": 3.058,
                    "Today": 1.127,
                    "Period": 5,
                    "ApparentPower": 92,
                    "ReactivePower": 49,
                },
            )
        ],
        zone="Europe/Berlin",
    ),
    Sample(
        "the meter of a Tasmota plug with a thermometer",
        "tasmota",
        "tele/freezer/SENSOR",
        TASMOTA_BOTH,
        [Measured({"total_energy_kwh": 12.5, "power_kw": 0.0}, at("2024-07-01T08:00:05Z"))],
    ),
    Sample(
        "the thermometer of a Tasmota plug, in °F",
        "tasmota",
        "tele/freezer/SENSOR",
        TASMOTA_BOTH,
        [
            Measured(
                {"temperature_c": 22.0, "humidity_percent": 47.1},
                at("2024-07-01T08:00:05Z"),
                None,
                {"DewPoint": 49.8},
            )
        ],
        "temperature",
    ),
    Sample(
        "several thermometers of one Tasmota",
        "tasmota",
        "tele/cellar/SENSOR",
        TASMOTA_SEVERAL,
        [
            Measured(
                {"temperature_c": 20.6},
                at("2024-07-01T08:00:05Z"),
                "cellar-3C01D6075A1B",
                {"Id": "3C01D6075A1B"},
            ),
            Measured(
                {"temperature_c": 21.4, "humidity_percent": 40.2},
                at("2024-07-01T08:00:05Z"),
                "cellar-BME280",
                {"Pressure": 1001.2},
            ),
        ],
        "temperature",
    ),
    Sample(
        "a Tasmota meter of three phases, asked for its status",
        "tasmota",
        "stat/main/STATUS8",
        '{"StatusSNS":{"Time":"2024-07-01T08:00:05","ENERGY":{"Total":9000.1,"ExportActive":12.25,'
        '"Power":[100.1,200.2,-50.3],"Voltage":[231,232,229],"Current":[0.5,0.9,0.3],"Factor":[0.9,0.8,1]}}}',
        [
            Measured(
                {
                    "total_energy_kwh": 9000.1,
                    "exported_energy_kwh": 12.25,
                    "power_kw": 0.25,
                    "voltage": 231.0,
                },
                at("2024-07-01T08:00:05Z"),
                None,
                {"Voltage": [231, 232, 229], "Current": [0.5, 0.9, 0.3], "Factor": [0.9, 0.8, 1]},
            )
        ],
    ),
    Sample(
        "a plug at Zigbee2MQTT",
        "zigbee2mqtt",
        "zigbee2mqtt/dishwasher",
        Z2M_PLUG,
        [
            Measured(
                {"power_kw": 0.3017, "total_energy_kwh": 812.45, "voltage": 229.0, "current": 1.32},
                at("2024-03-10T14:30:45Z"),
                None,
                {"linkquality": 120, "state": "ON", "update": {"state": "idle"}},
            )
        ],
    ),
    Sample(
        "a thermometer at Zigbee2MQTT, last_seen in ms",
        "zigbee2mqtt",
        "zigbee2mqtt/living room/shelf",
        Z2M_THERMOMETER,
        [
            Measured(
                {"temperature_c": 21.37, "humidity_percent": 45.23, "battery_percent": 97.0},
                at("2024-03-10T14:30:45.123Z"),
                None,
                {"linkquality": 87, "pressure": 1002.5, "voltage": 3005},
            )
        ],
        "temperature",
    ),
]
