"""Messages of all formats from devices of another library: every count is what was computed apart from it.

`GRIDWATCH_TESTS_MQTT_MESSAGES` is how many; one in a hundred is malformed.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from gridwatch.deployment.polling import until
from gridwatch.domain.instants import format_instant
from gridwatch.domain.policy import SECOND
from tests.integration.test_bridge.home import START, Home, metric, toml_rules
from tests.mosquitto import needs_mosquitto
from tests.records import decoded, read

pytestmark = [pytest.mark.integration, needs_mosquitto]

MESSAGES = int(os.environ.get("GRIDWATCH_TESTS_MQTT_MESSAGES", "4000"))
#: A sender of the C library reads lines and publishes each to its one topic.
SENDER = shutil.which("mosquitto_pub")


@dataclass(frozen=True)
class Stream:
    """What one device publishes: its rule, its topic, its n-th payload, and what becomes of it."""

    name: str
    kind: str
    filter_: str
    topic: str
    payload: Callable[[int], Any]
    field: str
    value: Callable[[int], float]
    timed: bool = False
    reading: bool = False
    bad: tuple[str, str] = ("{", "NOT_JSON")
    named: str | None = None


def stamp(number: int) -> str:
    return format_instant(START + number * SECOND)


def local(number: int) -> str:
    return stamp(number).removesuffix("Z")


STREAMS = [
    Stream(
        "json", "energy", "j/+", "j/json",
        lambda n: {"timestamp": stamp(n), "total_energy_kwh": 1000 + n / 1000, "power_w": 250},
        "total_energy_kwh", lambda n: 1000 + n / 1000, timed=True, reading=True,
    ),
    Stream(
        "tasmota", "energy", "tele/+/SENSOR", "tele/tasmota/SENSOR",
        lambda n: {"Time": local(n), "ENERGY": {"Total": n / 1000, "Power": 120, "Voltage": 229}},
        "total_energy_kwh", lambda n: n / 1000, timed=True, reading=True,
        bad=('{"ENERGY": 3}', "UNKNOWN_TYPE"),
    ),
    Stream(
        "shelly", "energy", "shellies/#", "shellies/shelly/emeter/0/total",
        lambda n: n, "total_energy_kwh", lambda n: n / 1000, reading=True, bad=("x", "NOT_A_NUMBER"),
    ),
    Stream(
        "zigbee2mqtt", "temperature", "zigbee2mqtt/+", "zigbee2mqtt/zigbee2mqtt",
        lambda n: {"temperature": n / 100, "battery": 90, "last_seen": stamp(n)},
        "temperature_c", lambda n: n / 100, timed=True, bad=('{"temperature": "hot"}', "UNKNOWN_TYPE"),
    ),
    Stream(
        "value", "temperature", "attic/+/state", "attic/value/state",
        lambda n: n / 10, "temperature_c", lambda n: n / 10, bad=("nan", "NOT_FINITE"), named="temperature_c",
    ),
    Stream(
        "homeassistant", "heatpump", "ha/sensor/+/state", "ha/sensor/homeassistant/state",
        lambda n: n / 8, "flow_temperature_c", lambda n: n / 8, bad=("warm", "NOT_A_NUMBER"),
        named="flow_temperature_c",
    ),
    Stream(
        "dsmr", "energy", "p1/+", "p1/dsmr",
        lambda n: {
            "timestamp": stamp(n), "electricity_delivered_1": f"{n}.125", "electricity_delivered_2": "2.250",
        },
        "total_energy_kwh", lambda n: n + 2.375, timed=True, reading=True,
        bad=('{"electricity_delivered_1": "x"}', "NOT_A_NUMBER"),
    ),
    Stream(
        "openems", "energy", "edge/+/channel/#", "edge/openems/channel/meter0/ActivePower",
        lambda n: n * 10, "power_kw", lambda n: n / 100, bad=("[", "NOT_JSON"),
    ),
]  # fmt: skip


def test_every_count_is_exact_for_all_formats(home: Home) -> None:
    assert SENDER, "mosquitto_pub is not installed: apt-get install mosquitto-clients"
    draw = random.Random(7)
    rules = [
        {"name": one.name, "filter": one.filter_, "kind": one.kind, "format": one.name}
        | ({"field": one.named} if one.named else {})
        for one in STREAMS
    ]
    bridge = home.bridge(rules=toml_rules(rules)).start().wait_until_ready()
    each = MESSAGES // len(STREAMS)
    rows: dict[str, dict[str, list[float]]] = {}
    reasons: Counter[str] = Counter()
    readings: Counter[str] = Counter()
    senders = []
    for one in STREAMS:
        lines, values = [], rows.setdefault(f"homelab.{one.kind}", {}).setdefault(one.name, [])
        for number in range(1, each + 1):
            if draw.random() < 0.01:
                lines.append(one.bad[0])
                reasons[one.bad[1]] += 1
            else:
                lines.append(json.dumps(one.payload(number)))
                values.append(one.value(number))
                readings[one.name] += one.reading
        file = home.folder / one.name
        file.write_text("\n".join(lines) + "\n")
        place = ("-p", str(home.mosquitto.port), "-t", one.topic, "-q", "1", "-l")
        with file.open("rb") as content:
            senders.append(subprocess.Popen([SENDER, *place], stdin=content))
    assert [sender.wait(300) for sender in senders] == [0] * len(senders)
    until(
        "everything is bridged",
        lambda: (
            metric(bridge, "messages_total") == each * len(STREAMS)
            and not metric(bridge, "unacknowledged_messages")
        ),
        60 + MESSAGES / 500,
        pause=0.3,
    )
    for topic, wanted in rows.items():
        found: dict[str, list[float]] = {name: [] for name in wanted}
        fields = {one.name: one for one in STREAMS}
        for record in home.records(topic):
            found[record["device_id"]].append(record[fields[record["device_id"]].field])
            assert ("flags" in record) is not fields[record["device_id"]].timed
        assert found == wanted, topic
    assert home.reasons() == reasons
    ours = Counter(
        record["meter_id"]
        for record in decoded(read(home.site.bootstrap, "smartmeter_raw"))
        if record["meter_id"] in rows["homelab.energy"]
    )
    assert ours == +readings
    for one in STREAMS:
        assert metric(bridge, "messages_total", rule=one.name) == each
        wanted_rows = len(rows[f"homelab.{one.kind}"][one.name])
        assert metric(bridge, "measurements_total", rule=one.name) == wanted_rows
        assert metric(bridge, "dead_letters_total", rule=one.name) == each - wanted_rows
