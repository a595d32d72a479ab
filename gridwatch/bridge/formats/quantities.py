"""Quantities: the fields of the models, the units that they come in, and the names that carry a unit.

A unit is never guessed. A conversion is a fraction, so that the only rounding is the last one, to a double.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, NamedTuple

from gridwatch.bridge.formats.measured import Kind
from gridwatch.bridge.formats.problems import Problems
from gridwatch.bridge.formats.strict_json import plain
from gridwatch.domain.validation.findings import NOT_FINITE, OUT_OF_RANGE, UNKNOWN_TYPE
from gridwatch.domain.validation.guesses import kind_of
from gridwatch.models.homelab import EnergyReading, HeatpumpReading, HomelabReading, TemperatureReading

_COMMON: Final = frozenset(HomelabReading.__struct_fields__)
FIELDS: Final[Mapping[Kind, frozenset[str]]] = {
    "energy": frozenset(EnergyReading.__struct_fields__) - _COMMON,
    "heatpump": frozenset(HeatpumpReading.__struct_fields__) - _COMMON,
    "temperature": frozenset(TemperatureReading.__struct_fields__) - _COMMON,
}
"""The fields that a measurement of a kind may have."""
TEXTS: Final = frozenset({"state"})
"""Those of them that are text."""


class Quantity(NamedTuple):
    """A field of a model and the unit that a number is in: the field is (number − zero) × times."""

    field: str
    times: Fraction = Fraction(1)
    zero: int = 0


_MILLI: Final = Fraction(1, 1000)
_FAHRENHEIT: Final = (Fraction(5, 9), 32)

POWER_KW: Final = Quantity("power_kw")
POWER_W: Final = Quantity("power_kw", _MILLI)
ENERGY_KWH: Final = Quantity("total_energy_kwh")
ENERGY_WH: Final = Quantity("total_energy_kwh", _MILLI)
ENERGY_WATT_MINUTES: Final = Quantity("total_energy_kwh", Fraction(1, 60_000))
EXPORTED_KWH: Final = Quantity("exported_energy_kwh")
EXPORTED_WH: Final = Quantity("exported_energy_kwh", _MILLI)
VOLTAGE_V: Final = Quantity("voltage")
VOLTAGE_MV: Final = Quantity("voltage", _MILLI)
CURRENT_A: Final = Quantity("current")
CURRENT_MA: Final = Quantity("current", _MILLI)
POWER_FACTOR: Final = Quantity("power_factor")
FREQUENCY_HZ: Final = Quantity("frequency")
FREQUENCY_MHZ: Final = Quantity("frequency", _MILLI)
"""Millihertz."""
TEMPERATURE_C: Final = Quantity("temperature_c")
TEMPERATURE_F: Final = Quantity("temperature_c", *_FAHRENHEIT)
HUMIDITY: Final = Quantity("humidity_percent")
BATTERY: Final = Quantity("battery_percent")

NAMED: Final[Mapping[str, Quantity]] = {
    "power_kw": POWER_KW,
    "power_w": POWER_W,
    "total_energy_kwh": ENERGY_KWH,
    "total_energy_wh": ENERGY_WH,
    "energy_kwh": ENERGY_KWH,
    "energy_wh": ENERGY_WH,
    "exported_energy_kwh": EXPORTED_KWH,
    "exported_energy_wh": EXPORTED_WH,
    "voltage_v": VOLTAGE_V,
    "voltage": VOLTAGE_V,
    "current_a": CURRENT_A,
    "current": CURRENT_A,
    "power_factor": POWER_FACTOR,
    "frequency_hz": FREQUENCY_HZ,
    "frequency": FREQUENCY_HZ,
    "temperature_c": TEMPERATURE_C,
    "temperature_f": TEMPERATURE_F,
    "humidity_percent": HUMIDITY,
    "humidity": HUMIDITY,
    "battery_percent": BATTERY,
    "battery": BATTERY,
    **{
        f"{where}_temperature_{unit}": Quantity(f"{where}_temperature_c", *scale)
        for where in ("flow", "return", "outdoor")
        for unit, scale in (("c", ()), ("f", _FAHRENHEIT))
    },
    "heat_kwh": Quantity("heat_kwh"),
    "heat_wh": Quantity("heat_kwh", _MILLI),
    "cop": Quantity("cop"),
}
"""Names that say what a number is, its unit included. A plain one is here if it is usual in one unit only."""

UNITLESS: Final[Mapping[str, tuple[str, str]]] = {
    "power": ("power_kw", "power_w"),
    "energy": ("total_energy_kwh", "energy_kwh"),
    "total_energy": ("total_energy_kwh", "total_energy_kwh"),
    "exported_energy": ("exported_energy_kwh", "exported_energy_kwh"),
    "temperature": ("temperature_c", "temperature_c"),
    "flow_temperature": ("flow_temperature_c", "flow_temperature_c"),
    "return_temperature": ("return_temperature_c", "return_temperature_c"),
    "outdoor_temperature": ("outdoor_temperature_c", "outdoor_temperature_c"),
    "heat": ("heat_kwh", "heat_kwh"),
}
"""Names that leave the unit open: the field that is meant, and an example of a name with a unit."""

_PERCENT: Final = (0, 100, "%")
_CELSIUS: Final = (Fraction("-273.15"), None, "°C")
_LIMITS: Final[Mapping[str, tuple[Any, Any, str]]] = {
    "power_factor": (-1, 1, ""),
    "humidity_percent": _PERCENT,
    "battery_percent": _PERCENT,
    "temperature_c": _CELSIUS,
    "flow_temperature_c": _CELSIUS,
    "return_temperature_c": _CELSIUS,
    "outdoor_temperature_c": _CELSIUS,
}
"""What cannot be, whatever the device. What is only implausible is for others to judge."""


class Values:
    """Collects the fields of one measurement. What its kind does not have is ignored."""

    def __init__(self, kind: Kind, problems: Problems) -> None:
        self.found: dict[str, float | str] = {}
        self.problems = problems
        self._kind = kind

    def number(self, name: str, given: Any, quantity: Quantity) -> None:
        """Add a number in the unit of ``quantity``; None: it is absent. ``name`` is for the message."""
        if given is not None:
            self.total(name, [given], quantity)

    def total(self, name: str, given: Sequence[Any], quantity: Quantity) -> None:
        """Add the sum of numbers, exactly. An empty list is none."""
        if quantity.field not in FIELDS[self._kind] or not given:
            return
        # A quotient of whole numbers: exact as Fraction, without its search for common divisors.
        top, bottom = 0, 1
        for one in given:
            if isinstance(one, bool) or not isinstance(one, int | Decimal):
                what = f"is {kind_of(one)}: publish a JSON number, without quotes"
                self.problems.add(UNKNOWN_TYPE, name, what)
                return
            numerator, denominator = one.as_integer_ratio()
            top, bottom = top * denominator + numerator * bottom, bottom * denominator
        top = (top - quantity.zero * bottom) * quantity.times.numerator
        bottom *= quantity.times.denominator
        low, high, unit = _LIMITS.get(quantity.field, (None, None, ""))
        below = low is not None and top * low.denominator < low.numerator * bottom
        if below or (high is not None and top > high * bottom):
            limits = f"at least {float(low):g}" if high is None else f"{low} to {high}"
            what = f"must be {limits} {unit}".rstrip()
            self.problems.add(OUT_OF_RANGE, name, f"{what}: check the sensor and the unit that it publishes")
            return
        try:
            self.found[quantity.field] = top / bottom  # rounded once
        except OverflowError:
            self.problems.add(NOT_FINITE, name, "is beyond a double: check the device")


def names_of(quantities: Mapping[str, Quantity], kind: Kind) -> frozenset[str]:
    """The members of a format that become fields of a kind."""
    return frozenset(name for name, quantity in quantities.items() if quantity.field in FIELDS[kind])


def others(members: Mapping[str, Any], used: Container[str], kind: Kind) -> dict[str, Any]:
    """The members of a payload that are passed on as they stand.

    None of them has the name of a field of the model: it would be read as that field, in whatever unit it is.
    """
    taken = FIELDS[kind] | _COMMON
    return {key: plain(one) for key, one in members.items() if key not in used and key not in taken}
