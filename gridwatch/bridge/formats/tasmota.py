"""Tasmota: `tele/<topic>/SENSOR`, and the answers `STATUS8` and `STATUS10`, which hold the same.

`ENERGY` is the meter of a plug, in the units of Tasmota's documentation (Energy Monitoring;
`xdrv_03_energy`): W, V, A, Hz, registers kWh. A meter of several phases publishes lists: power and
registers are added, the voltage is the first phase's, and current, power factor and frequency are left in
`more`.

A thermometer is any object with a `Temperature`, in the unit of `TempUnit`. `ESP32` is none: that is the
chip. One message may have several; then each is a device of its own, `<topic>-<Id or name>`.

`Time` is local time without a zone, of the rule's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from gridwatch.bridge.formats.measured import Asked, Measured
from gridwatch.bridge.formats.problems import AMBIGUOUS_UNIT, Problems
from gridwatch.bridge.formats.quantities import (
    CURRENT_A,
    ENERGY_KWH,
    EXPORTED_KWH,
    FREQUENCY_HZ,
    HUMIDITY,
    POWER_FACTOR,
    POWER_W,
    TEMPERATURE_C,
    TEMPERATURE_F,
    VOLTAGE_V,
    Quantity,
    Values,
    names_of,
    others,
)
from gridwatch.bridge.formats.strict_json import members_of
from gridwatch.bridge.formats.times import local
from gridwatch.domain.validation.findings import UNKNOWN_TYPE
from gridwatch.domain.validation.guesses import kind_of

_ADDED: Final[dict[str, Quantity]] = {"Total": ENERGY_KWH, "ExportActive": EXPORTED_KWH, "Power": POWER_W}
_SINGLE: Final[dict[str, Quantity]] = {
    "Voltage": VOLTAGE_V,
    "Current": CURRENT_A,
    "Factor": POWER_FACTOR,
    "Frequency": FREQUENCY_HZ,
}
_TEMPERATURES: Final[Mapping[str, Quantity]] = {"C": TEMPERATURE_C, "F": TEMPERATURE_F}
_NO_THERMOMETERS: Final = frozenset({"ENERGY", "ESP32"})
_PREFIXES: Final = frozenset({"tele", "stat", "cmnd"})
_OTHER_TOPICS: Final = re.compile(r"LWT|STATE|RESULT|INFO\d|POWER\d*|UPTIME|STATUS(?:[0-7]|9|1[1-9])?")
_ONE_OF_SEVERAL: Final = re.compile(r".*-\d+")


def decode(payload: bytes, asked: Asked) -> list[Measured]:
    """The measurements of a message, as `measured.Decoder`."""
    levels = asked.levels
    if "cmnd" in levels or (levels and _OTHER_TOPICS.fullmatch(levels[-1])):
        return []
    members = members_of(payload)
    answer = members.get("StatusSNS")
    if isinstance(answer, dict):
        members = answer
    problems = Problems()
    measured = (
        _thermometers(members, asked, problems)
        if asked.kind == "temperature"
        else _meter(members, asked, problems)
    )
    time = None
    if measured and members.get("Time") is not None:
        time = local("Time", members["Time"], asked.zone, problems)
    problems.check()
    return [Measured(one.values, time, one.device, one.more) for one in measured]


def _meter(members: dict[str, Any], asked: Asked, problems: Problems) -> list[Measured]:
    energy = members.get("ENERGY")
    if energy is None:
        return []
    if not isinstance(energy, dict):
        problems.add(UNKNOWN_TYPE, "ENERGY", f"is {kind_of(energy)}: publish the object that Tasmota makes")
        return []
    values, used = Values(asked.kind, problems), set(names_of(_ADDED | _SINGLE, asked.kind))
    for name, quantity in (_ADDED | _SINGLE).items():
        given = energy.get(name)
        phases = given if isinstance(given, list) else None
        if phases is None:
            values.number(f"ENERGY.{name}", given, quantity)
        elif name in _ADDED:
            values.total(f"ENERGY.{name}", phases, quantity)
        elif quantity is VOLTAGE_V:
            values.total(f"ENERGY.{name}", phases[:1], quantity)
        if phases is not None and name not in _ADDED:
            used.discard(name)
    return [Measured(values.found, more=others(energy, used, asked.kind))] if values.found else []


def _thermometers(members: dict[str, Any], asked: Asked, problems: Problems) -> list[Measured]:
    sensors = {
        name: one
        for name, one in members.items()
        if isinstance(one, dict) and "Temperature" in one and name not in _NO_THERMOMETERS
    }
    if all(one["Temperature"] is None and one.get("Humidity") is None for one in sensors.values()):
        return []
    quantity = _TEMPERATURES.get(unit) if isinstance(unit := members.get("TempUnit"), str) else None
    if quantity is None:
        problems.add(
            AMBIGUOUS_UNIT, "TempUnit", 'must be "C" or "F": let Tasmota publish it beside the sensors'
        )
        return []
    several = len(sensors) > 1 or any(map(_ONE_OF_SEVERAL.fullmatch, sensors))
    measured = []
    for name, one in sensors.items():
        values = Values(asked.kind, problems)
        values.number(f"{name}.Temperature", one["Temperature"], quantity)
        values.number(f"{name}.Humidity", one.get("Humidity"), HUMIDITY)
        if values.found:
            device = _device(asked.levels, name, one) if several else None
            more = others(one, {"Temperature", "Humidity"}, asked.kind)
            measured.append(Measured(values.found, device=device, more=more))
    return measured


def _device(levels: tuple[str, ...], name: str, sensor: dict[str, Any]) -> str:
    """The name of one of several sensors: the device's topic, and what tells the sensor from the others."""
    topic = [level for level in levels[:-1] if level not in _PREFIXES][-1:]
    own = sensor.get("Id")
    return "-".join([*topic, own if isinstance(own, str) and own else name])
