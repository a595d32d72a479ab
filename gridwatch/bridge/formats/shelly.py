"""Shelly, first generation: `shellies/<id>/…`; later generations are handed to `shelly_rpc`.

Bare numbers, in the units of Shelly's Gen1 API documentation (MQTT): a relay, light or roller has `power`
in W and `energy` in Watt-minutes; an `emeter` has W, V, A and the registers `total` and `total_returned`
in Wh. Its `energy` and `returned_energy` are not the registers, and give nothing. `info` has the same in
one object, with `meters` (`total` in Watt-minutes) and `emeters` (`total` in Wh).

`sensor/temperature` is in °C or °F "depending on configuration": the rule has to say which.

Channel 0 is the device that the topic names, channel n > 0 is `<id>-n`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gridwatch.bridge.formats import shelly_rpc
from gridwatch.bridge.formats.measured import Asked, Measured
from gridwatch.bridge.formats.problems import AMBIGUOUS_UNIT, Problems, malformed
from gridwatch.bridge.formats.quantities import (
    BATTERY,
    CURRENT_A,
    ENERGY_WATT_MINUTES,
    ENERGY_WH,
    EXPORTED_WH,
    FIELDS,
    HUMIDITY,
    NAMED,
    POWER_FACTOR,
    POWER_W,
    TEMPERATURE_C,
    TEMPERATURE_F,
    VOLTAGE_V,
    Quantity,
    Values,
)
from gridwatch.bridge.formats.shelly_rpc import channel_name, channel_of
from gridwatch.bridge.formats.strict_json import members_of, number_in, text_of
from gridwatch.bridge.formats.times import since_epoch
from gridwatch.domain.validation.findings import NOT_A_NUMBER

_METER: Final[Mapping[str, Quantity]] = {"power": POWER_W, "energy": ENERGY_WATT_MINUTES}
_EMETER: Final[Mapping[str, Quantity]] = {
    "power": POWER_W,
    "voltage": VOLTAGE_V,
    "current": CURRENT_A,
    "pf": POWER_FACTOR,
    "total": ENERGY_WH,
    "total_returned": EXPORTED_WH,
}
_CHANNELS: Final = {"relay": _METER, "light": _METER, "roller": _METER, "emeter": _EMETER}
_PROBES: Final[Mapping[str, Quantity]] = {
    "ext_temperature": TEMPERATURE_C,
    "ext_temperature_f": TEMPERATURE_F,
    "ext_humidity": HUMIDITY,
}
_SENSORS: Final[Mapping[str, Quantity]] = {"humidity": HUMIDITY, "battery": BATTERY}
_IN_INFO: Final = {"meters": {"power": POWER_W, "total": ENERGY_WATT_MINUTES}, "emeters": _EMETER}


def decode(payload: bytes, asked: Asked) -> list[Measured]:
    """The measurements of a message, as `measured.Decoder`."""
    levels = asked.levels
    if shelly_rpc.is_of_later_generation(levels):
        return shelly_rpc.decode(payload, asked)
    if levels[-1:] == ("info",):
        return _info(members_of(payload), asked)
    quantity, channel, device = _bare(asked)
    if quantity is None or quantity.field not in FIELDS[asked.kind]:
        return []
    name = "/".join(levels[-3:])
    number = number_in(text := text_of(payload))
    if number is None:
        raise malformed(NOT_A_NUMBER, f"{name} is {text[:20]!r}: publish a number alone", name)
    problems = Problems()
    values = Values(asked.kind, problems)
    values.number(name, number, quantity)
    problems.check()
    return [Measured(values.found, device=channel_name(device, channel))]


def _bare(asked: Asked) -> tuple[Quantity | None, int, str]:
    """What the number of a topic is, its channel, and the name of the device."""
    device, part, at, name = ("", "", "", "", *asked.levels)[-4:]
    if (channel := channel_of(at)) is not None and part in _CHANNELS:
        return _CHANNELS[part].get(name), channel, device
    if (channel := channel_of(name)) is not None and at in _PROBES:
        return _PROBES[at], channel, part
    if at == "sensor":
        return _by_rule(asked) if name == "temperature" else _SENSORS.get(name), 0, part
    return None, 0, device


def _by_rule(asked: Asked) -> Quantity | None:
    if asked.kind != "temperature":
        return None
    quantity = NAMED.get(asked.field or "")
    if quantity not in (TEMPERATURE_C, TEMPERATURE_F):
        what = "sensor/temperature is in °C or °F as the device is set"
        remedy = 'name it in the rule: field = "temperature_c"'
        raise malformed(AMBIGUOUS_UNIT, f"{what}: {remedy}", "sensor/temperature")
    return quantity


def _info(members: dict[str, Any], asked: Asked) -> list[Measured]:
    problems, device = Problems(), asked.levels[-2] if len(asked.levels) > 1 else ""
    measured = []
    for part, quantities in _IN_INFO.items():
        channels = members.get(part)
        for channel, one in enumerate(channels if isinstance(channels, list) else ()):
            if not isinstance(one, dict) or one.get("is_valid") is False:
                continue
            values = Values(asked.kind, problems)
            for name, quantity in quantities.items():
                values.number(f"{part}[{channel}].{name}", one.get(name), quantity)
            if values.found:
                measured.append(Measured(values.found, device=channel_name(device, channel)))
    if climate := _climate_of(members, asked, problems):
        measured.append(Measured(climate))
    time = None
    if measured and members.get("unixtime"):  # 0 until the clock is set
        time = since_epoch("unixtime", members["unixtime"], 1, problems)
    problems.check()
    return [Measured(one.values, time, one.device) for one in measured]


def _climate_of(members: dict[str, Any], asked: Asked, problems: Problems) -> dict[str, float | str]:
    """The values of a thermometer. A plug has `tmp` too, of its inside; only a thermometer has `hum`."""
    parts = {name: one for name in ("tmp", "hum", "bat") if isinstance(one := members.get(name), dict)}
    values = Values(asked.kind, problems)
    if "hum" in parts:
        if parts.get("tmp", {}).get("is_valid") is not False:
            values.number("tmp.tC", parts.get("tmp", {}).get("tC"), TEMPERATURE_C)
        values.number("hum.value", parts["hum"].get("value"), HUMIDITY)
        values.number("bat.value", parts.get("bat", {}).get("value"), BATTERY)
    return values.found
