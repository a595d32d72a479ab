"""Zigbee2MQTT: `<base>/<friendly name>` with the state of a device as one object.

Units as its documentation of exposes has them: `power` W, `energy` and `produced_energy` kWh, `current` A,
`ac_frequency` Hz, `temperature` °C, `humidity` and `battery` %. `voltage` is V of a plug, and mV of a
battery: it counts only without `battery`. With `power_phase_b` and the like the plain `power`, `current`
and `voltage` are one phase of several, and do not count. `power_factor` is a share of one device and a
percentage of another.

`last_seen` is RFC 3339 with a zone, or a whole number of milliseconds (`last_seen: epoch`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gridwatch.bridge.formats.measured import Asked, Measured
from gridwatch.bridge.formats.problems import Problems
from gridwatch.bridge.formats.quantities import (
    BATTERY,
    CURRENT_A,
    ENERGY_KWH,
    EXPORTED_KWH,
    FREQUENCY_HZ,
    HUMIDITY,
    POWER_W,
    TEMPERATURE_C,
    VOLTAGE_V,
    Quantity,
    Values,
    names_of,
    others,
)
from gridwatch.bridge.formats.strict_json import members_of
from gridwatch.bridge.formats.times import since_epoch, zoned

_MEMBERS: Final[Mapping[str, Quantity]] = {
    "power": POWER_W,
    "energy": ENERGY_KWH,
    "produced_energy": EXPORTED_KWH,
    "voltage": VOLTAGE_V,
    "current": CURRENT_A,
    "ac_frequency": FREQUENCY_HZ,
    "temperature": TEMPERATURE_C,
    "humidity": HUMIDITY,
    "battery": BATTERY,
}
_BY_PHASE: Final = frozenset({"power", "voltage", "current"})
_OTHER_TOPICS: Final = frozenset({"availability", "set", "get"})


def decode(payload: bytes, asked: Asked) -> list[Measured]:
    """The measurements of a message, as `measured.Decoder`."""
    if "bridge" in asked.levels or not _OTHER_TOPICS.isdisjoint(asked.levels[-1:]):
        return []
    members = members_of(payload)
    problems = Problems()
    values = Values(asked.kind, problems)
    without = _not_counted(members)
    for name, quantity in _MEMBERS.items():
        if name not in without:
            values.number(name, members.get(name), quantity)
    time = _time(members.get("last_seen"), problems) if values.found else None
    problems.check()
    if not values.found:
        return []
    used = (names_of(_MEMBERS, asked.kind) - without) | {"last_seen"}
    return [Measured(values.found, time, more=others(members, used, asked.kind))]


def _not_counted(members: dict[str, Any]) -> set[str]:
    """The members that do not mean here what they usually mean."""
    without = set[str]()
    if any(f"{name}_phase_{phase}" in members for name in _BY_PHASE for phase in "bc"):
        without |= _BY_PHASE
    if "battery" in members:
        without.add("voltage")
    return without


def _time(last_seen: Any, problems: Problems) -> int | None:
    if last_seen is None:
        return None
    if isinstance(last_seen, int) and not isinstance(last_seen, bool):
        return since_epoch("last_seen", last_seen, 1000, problems)
    return zoned("last_seen", last_seen, problems)
