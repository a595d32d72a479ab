"""The formats of MQTT payloads: one decoder a file, from the bytes that a device publishes to measurements.

Pure: no I/O, no clock, no state between messages. What each format reads, in which units and by whose word,
is in docs/mqtt-formats.md.

measured.py       the contract: what a decoder is asked, what it gives, what it raises
reference.py      `json`: the reference JSON
tasmota.py        `tasmota`: SENSOR messages, energy and thermometers
shelly.py         `shelly`: the topics of the first generation, and which generation a message is of
shelly_rpc.py     … the components of the second generation and later
zigbee2mqtt.py    `zigbee2mqtt`: the state of a device
value.py          `value`: a bare number, its meaning in the topic or the rule, as ESPHome publishes it
homeassistant.py  `homeassistant`: the statestream
dsmr.py           `dsmr`: telegrams of the P1 port, raw or as JSON of DSMR-reader
openems.py        `openems`: channels
quantities.py     fields, units and the names that carry a unit
times.py          timestamps
strict_json.py    JSON without guesses
problems.py       reasons, and how they are collected
"""

from __future__ import annotations

from typing import Final

from gridwatch.bridge.formats import (
    dsmr,
    homeassistant,
    openems,
    reference,
    shelly,
    tasmota,
    value,
    zigbee2mqtt,
)
from gridwatch.bridge.formats.measured import Decoder

FORMATS: Final[dict[str, Decoder]] = {
    "json": reference.decode,
    "tasmota": tasmota.decode,
    "shelly": shelly.decode,
    "zigbee2mqtt": zigbee2mqtt.decode,
    "value": value.decode,
    "homeassistant": homeassistant.decode,
    "dsmr": dsmr.decode,
    "openems": openems.decode,
}
"""Decoder by the name of its format in a rule."""
