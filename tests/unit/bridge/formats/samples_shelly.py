"""Messages of Shelly, all generations."""

from __future__ import annotations

from gridwatch.bridge.formats.measured import Measured
from tests.unit.bridge.formats.asking import at
from tests.unit.bridge.formats.sample import Sample

SHELLY_SWITCH = """{"id":0,"source":"init","output":true,"apower":1203.4,"voltage":229.8,"freq":50.0,
"current":5.31,"pf":0.98,"aenergy":{"total":45678.912,"by_minute":[20012.1,20050.4,19987.3],
"minute_ts":1710081000},"ret_aenergy":{"total":12.5,"by_minute":[0.0,0.0,0.0],"minute_ts":1710081000},
"temperature":{"tC":48.1,"tF":118.6}}"""
SHELLY_NOTIFY = """{"src":"shellyplus2pm-a8032ab12345","dst":"shellyplus2pm-a8032ab12345/events",
"method":"NotifyStatus","params":{"ts":1710081045.12,"switch:0":{"id":0,"apower":60.5},
"switch:1":{"id":1,"aenergy":{"total":1500.0,"by_minute":[1.0,2.0,3.0],"minute_ts":1710081000}}}}"""
SHELLY_EM = """{"id":0,"a_current":4.029,"a_voltage":236.1,"a_act_power":951.2,"a_freq":50.0,
"b_voltage":236.2,"b_act_power":-951.1,"c_voltage":236.4,"c_act_power":-715.6,"n_current":null,
"total_current":11.083,"total_act_power":-715.5,"total_aprt_power":2619.0}"""
SHELLY_INFO = """{"wifi_sta":{"connected":true},"unixtime":1710081045,"meters":[{"power":42.5,"is_valid":true,
"timestamp":1710084645,"counters":[41.0,40.2,39.9],"total":600000},{"power":0.0,"is_valid":false,"total":9}],
"tmp":{"tC":39.4,"tF":102.9,"is_valid":true},"uptime":100}"""
SHELLY_HT_INFO = """{"unixtime":0,"is_valid":true,"tmp":{"value":70.7,"units":"F","tC":21.5,"tF":70.7,
"is_valid":true},"hum":{"value":44.5,"is_valid":true},"bat":{"value":88,"voltage":2.87}}"""

SAMPLES = [
    Sample(
        "the power of a Shelly 1PM",
        "shelly",
        "shellies/shelly1pm-B92345/relay/0/power",
        "151.58",
        [Measured({"power_kw": 0.15158})],
    ),
    Sample(
        "the register of a Shelly 1PM, in Watt-minutes",
        "shelly",
        "shellies/shelly1pm-B92345/relay/0/energy",
        "63",
        [Measured({"total_energy_kwh": 0.00105})],
    ),
    Sample(
        "the second channel of a Shelly EM",
        "shelly",
        "shellies/shellyem-B9F5D1/emeter/1/total",
        "71233.4",
        [Measured({"total_energy_kwh": 71.2334}, device="shellyem-B9F5D1-1")],
    ),
    Sample(
        "what a Shelly 3EM returned",
        "shelly",
        "shellies/shellyem3-68C63A/emeter/0/total_returned",
        "1250",
        [Measured({"exported_energy_kwh": 1.25})],
    ),
    Sample(
        "the humidity of a Shelly H&T",
        "shelly",
        "shellies/shellyht-208500/sensor/humidity",
        "46.5",
        [Measured({"humidity_percent": 46.5})],
        "temperature",
    ),
    Sample(
        "the temperature of a Shelly H&T, in the unit that the rule names",
        "shelly",
        "shellies/shellyht-208500/sensor/temperature",
        "71.6",
        [Measured({"temperature_c": 22.0})],
        "temperature",
        "temperature_f",
    ),
    Sample(
        "a probe at a Shelly 1, the second of them, in °F",
        "shelly",
        "shellies/shelly1-2C3D4E/ext_temperature_f/1",
        "14",
        [Measured({"temperature_c": -10.0}, device="shelly1-2C3D4E-1")],
        "temperature",
    ),
    Sample(
        "the info of a Shelly 2.5 with one valid meter",
        "shelly",
        "shellies/shellyswitch25-745E/info",
        SHELLY_INFO,
        [Measured({"power_kw": 0.0425, "total_energy_kwh": 10.0}, at("2024-03-10T14:30:45Z"))],
    ),
    Sample(
        "the info of a Shelly H&T without a clock",
        "shelly",
        "shellies/shellyht-208500/info",
        SHELLY_HT_INFO,
        [Measured({"temperature_c": 21.5, "humidity_percent": 44.5, "battery_percent": 88.0})],
        "temperature",
    ),
    Sample(
        "the status of a Shelly Plus 1PM",
        "shelly",
        "shellyplus1pm-a8032ab12345/status/switch:0",
        SHELLY_SWITCH,
        [
            Measured(
                {
                    "voltage": 229.8,
                    "current": 5.31,
                    "power_factor": 0.98,
                    "frequency": 50.0,
                    "power_kw": 1.2034,
                    "total_energy_kwh": 45.678912,
                    "exported_energy_kwh": 0.0125,
                },
                more={
                    "switch:0": {
                        "id": 0,
                        "source": "init",
                        "output": True,
                        "aenergy": {
                            "total": 45678.912,
                            "by_minute": [20012.1, 20050.4, 19987.3],
                            "minute_ts": 1710081000,
                        },
                        "ret_aenergy": {
                            "total": 12.5,
                            "by_minute": [0.0, 0.0, 0.0],
                            "minute_ts": 1710081000,
                        },
                        "temperature": {"tC": 48.1, "tF": 118.6},
                    }
                },
            )
        ],
    ),
    Sample(
        "a notification of both channels of a Shelly Plus 2PM",
        "shelly",
        "shellyplus2pm-a8032ab12345/events/rpc",
        SHELLY_NOTIFY,
        [
            Measured(
                {"power_kw": 0.0605},
                at("2024-03-10T14:30:45.12Z"),
                None,
                {"switch:0": {"id": 0}},
            ),
            Measured(
                {"total_energy_kwh": 1.5},
                at("2024-03-10T14:30:45.12Z"),
                "shellyplus2pm-a8032ab12345-1",
                {
                    "switch:1": {
                        "id": 1,
                        "aenergy": {"total": 1500.0, "by_minute": [1.0, 2.0, 3.0], "minute_ts": 1710081000},
                    }
                },
            ),
        ],
    ),
    Sample(
        "the three phases of a Shelly Pro 3EM",
        "shelly",
        "home/shellypro3em-1/status/em:0",
        SHELLY_EM,
        [
            Measured(
                {"power_kw": -0.7155, "voltage": 236.1, "frequency": 50.0},
                more={
                    "em:0": {
                        "id": 0,
                        "a_current": 4.029,
                        "a_act_power": 951.2,
                        "b_voltage": 236.2,
                        "b_act_power": -951.1,
                        "c_voltage": 236.4,
                        "c_act_power": -715.6,
                        "n_current": None,
                        "total_current": 11.083,
                        "total_aprt_power": 2619.0,
                    }
                },
            )
        ],
    ),
    Sample(
        "the registers of a Shelly Pro 3EM",
        "shelly",
        "home/shellypro3em-1/status/emdata:0",
        '{"id":0,"a_total_act_energy":1,"total_act":46713.0,"total_act_ret":418.77}',
        [
            Measured(
                {"total_energy_kwh": 46.713, "exported_energy_kwh": 0.41877},
                more={"emdata:0": {"id": 0, "a_total_act_energy": 1}},
            )
        ],
    ),
    Sample(
        "one clamp of a Shelly Pro EM",
        "shelly",
        "shellyproem50-1/status/em1:1",
        '{"id":1,"current":2.598,"voltage":234.9,"act_power":501.8,"aprt_power":612.4,"pf":0.84,"freq":50}',
        [
            Measured(
                {
                    "voltage": 234.9,
                    "current": 2.598,
                    "power_factor": 0.84,
                    "frequency": 50.0,
                    "power_kw": 0.5018,
                },
                device="shellyproem50-1-1",
                more={"em1:1": {"id": 1, "aprt_power": 612.4}},
            )
        ],
    ),
    Sample(
        "the register of one clamp of a Shelly Pro EM",
        "shelly",
        "shellyproem50-1/status/em1data:0",
        '{"id":0,"total_act_energy":2776175.11,"total_act_ret_energy":571584.87}',
        [
            Measured(
                {"total_energy_kwh": 2776.17511, "exported_energy_kwh": 571.58487},
                more={"em1data:0": {"id": 0}},
            )
        ],
    ),
    Sample(
        "the full status of a Shelly Plus H&T",
        "shelly",
        "shellyplusht-c049ef/events/rpc",
        '{"src":"shellyplusht-c049ef","method":"NotifyFullStatus","params":{"ts":1710081045,"ble":{},'
        '"temperature:0":{"id":0,"tC":21.3,"tF":70.4},"humidity:0":{"id":0,"rh":52.5},'
        '"devicepower:0":{"id":0,"battery":{"V":5.43,"percent":76},"external":{"present":false}}}}',
        [
            Measured(
                {"temperature_c": 21.3, "humidity_percent": 52.5, "battery_percent": 76.0},
                at("2024-03-10T14:30:45Z"),
                None,
                {
                    "temperature:0": {"id": 0, "tF": 70.4},
                    "humidity:0": {"id": 0},
                    "devicepower:0": {
                        "id": 0,
                        "battery": {"V": 5.43, "percent": 76},
                        "external": {"present": False},
                    },
                },
            )
        ],
        "temperature",
    ),
]
