"""Shelly, second generation and later: `<prefix>/status/<component>`, and `<prefix>/events/rpc` with
`NotifyStatus` and `NotifyFullStatus`.

Units as the component's page of Shelly's Gen2+ API documentation has them: `apower`, `act_power` and
`total_act_power` W, every register Wh, V, A, Hz, `tC` °C, `rh` and `percent` %. Of an `em` with three
phases the power is the total, the voltage that of phase A, and the currents stay in `more`. The
temperature of a switch is that of its inside, and is not a measurement.

Components of one number are one device. `ts` of a notification, in seconds, is the time; not so
`aenergy.minute_ts`, the start of a minute: several messages have the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gridwatch.bridge.formats.measured import Asked, Measured
from gridwatch.bridge.formats.problems import Problems
from gridwatch.bridge.formats.quantities import (
    BATTERY,
    CURRENT_A,
    ENERGY_WH,
    EXPORTED_WH,
    FREQUENCY_HZ,
    HUMIDITY,
    POWER_FACTOR,
    POWER_W,
    TEMPERATURE_C,
    VOLTAGE_V,
    Quantity,
    Values,
    names_of,
)
from gridwatch.bridge.formats.strict_json import members_of, plain
from gridwatch.bridge.formats.times import since_epoch
from gridwatch.domain.validation.findings import UNKNOWN_TYPE
from gridwatch.domain.validation.guesses import kind_of

_LINE: Final[Mapping[str, Quantity]] = {
    "voltage": VOLTAGE_V,
    "current": CURRENT_A,
    "pf": POWER_FACTOR,
    "freq": FREQUENCY_HZ,
}
_OUTPUT: Final[Mapping[str, Quantity]] = {
    **_LINE,
    "apower": POWER_W,
    "aenergy.total": ENERGY_WH,
    "ret_aenergy.total": EXPORTED_WH,
}
_COMPONENTS: Final[Mapping[str, Mapping[str, Quantity]]] = {
    **dict.fromkeys(("switch", "cover", "light", "rgb", "rgbw", "cct", "pm1"), _OUTPUT),
    "em1": {**_LINE, "act_power": POWER_W},
    "em1data": {"total_act_energy": ENERGY_WH, "total_act_ret_energy": EXPORTED_WH},
    "em": {"total_act_power": POWER_W, "a_voltage": VOLTAGE_V, "a_freq": FREQUENCY_HZ},
    "emdata": {"total_act": ENERGY_WH, "total_act_ret": EXPORTED_WH},
    "temperature": {"tC": TEMPERATURE_C},
    "humidity": {"rh": HUMIDITY},
    "devicepower": {"battery.percent": BATTERY},
}
_CLIMATE: Final = frozenset({"temperature", "humidity", "devicepower"})
_NOTIFICATIONS: Final = ("NotifyStatus", "NotifyFullStatus")


def is_of_later_generation(levels: tuple[str, ...]) -> bool:
    """Whether a topic is one on which a later generation publishes measurements."""
    return levels[-2:-1] == ("status",) or levels[-2:] == ("events", "rpc")


def decode(payload: bytes, asked: Asked) -> list[Measured]:
    """The measurements of a message on such a topic."""
    members = members_of(payload)
    problems = Problems()
    device = asked.levels[-3] if len(asked.levels) > 2 else ""
    if asked.levels[-2] == "status":
        measured = _measured({asked.levels[-1]: members}, device, asked, problems)
        problems.check()
        return measured
    parameters = members.get("params")
    if members.get("method") not in _NOTIFICATIONS or parameters is None:
        return []
    if not isinstance(parameters, dict):
        problems.add(
            UNKNOWN_TYPE, "params", f"is {kind_of(parameters)}: publish the object that Shelly makes"
        )
        parameters = {}
    measured = _measured(parameters, device, asked, problems)
    time = None
    if measured and parameters.get("ts") is not None:
        time = since_epoch("ts", parameters["ts"], 1, problems)
    problems.check()
    return [Measured(one.values, time, one.device, one.more) for one in measured]


def channel_name(device: str, channel: int) -> str | None:
    """The name of a device's channel; None for the first, which is the device itself."""
    return f"{device}-{channel}" if channel else None


def channel_of(level: str) -> int | None:
    """The number that a channel's level of a topic is."""
    return int(level) if level.isascii() and level.isdigit() and len(level) <= 4 else None


def _measured(components: dict[str, Any], device: str, asked: Asked, problems: Problems) -> list[Measured]:
    channels: dict[tuple[int, str], tuple[Values, dict[str, Any]]] = {}
    for key, status in components.items():
        name, _, number = key.partition(":")
        quantities, channel = _COMPONENTS.get(name), channel_of(number)
        if quantities is None or channel is None or status is None:
            continue
        if not isinstance(status, dict):
            problems.add(UNKNOWN_TYPE, key, f"is {kind_of(status)}: publish the object that Shelly makes")
            continue
        part = "climate" if name in _CLIMATE else name.removesuffix("data")
        values, more = channels.setdefault((channel, part), (Values(asked.kind, problems), {}))
        before = len(values.found)
        for path, quantity in quantities.items():
            _add(values, key, status, path, quantity)
        if len(values.found) > before:
            used = names_of(quantities, asked.kind)
            more[key] = {name: plain(one) for name, one in status.items() if name not in used}
    return [
        Measured(values.found, device=channel_name(device, channel), more=more)
        for (channel, _), (values, more) in channels.items()
        if values.found
    ]


def _add(values: Values, key: str, status: dict[str, Any], path: str, quantity: Quantity) -> None:
    outer, _, inner = path.partition(".")
    value = status.get(outer)
    if inner and value is not None:
        if not isinstance(value, dict):
            what = f"is {kind_of(value)}: publish the object that Shelly makes"
            values.problems.add(UNKNOWN_TYPE, f"{key}.{outer}", what)
            return
        value = value.get(inner)
    values.number(f"{key}.{path}", value, quantity)
