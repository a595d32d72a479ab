"""How energy is written: unit, decimal mark, digits."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

_PER_KWH = {"kWh": Decimal(1), "Wh": Decimal(1000), "MWh": Decimal("0.001")}
_PER_KW = {"kW": Decimal(1), "W": Decimal(1000)}
_FACTORS = ("1", "1", "1", "1", "1", "2", "0.5", "40")


@dataclass(frozen=True)
class Values:
    """The way of one file."""

    unit: str
    mark: str
    factor: Decimal
    padded: bool
    #: What parts thousands; nothing where they are not parted.
    thousands: str = ""

    @property
    def power(self) -> bool:
        return self.unit in _PER_KW

    def write(self, wh: int, minutes: int, unit: str = "") -> str:
        """The text of so much energy of an interval."""
        unit = unit or self.unit
        kwh = Decimal(wh) / 1000
        value = kwh * 60 / minutes * _PER_KW[unit] if unit in _PER_KW else kwh * _PER_KWH[unit]
        return self.number(value / self.factor)

    def number(self, value: Decimal) -> str:
        if self.thousands:
            return f"{value:,f}".replace(",", " ").replace(".", self.mark).replace(" ", self.thousands)
        text = f"{value.normalize():f}"
        if self.padded and -value.normalize().as_tuple().exponent < 3:  # type: ignore[operator]
            text = f"{value:.3f}"
        return text.replace(".", self.mark)

    def keys(self, *, by_column: bool = False) -> dict[str, Any]:
        """What the profile says of them."""
        keys: dict[str, Any] = {} if by_column else {"unit": self.unit}
        if self.unit == "kWh" and self.padded:
            keys.pop("unit", None)
        if self.factor != 1:
            keys["multiply"] = str(self.factor)
        return keys


def some_values(rng: Random, units: tuple[str, ...] = ("kWh", "kWh", "Wh", "kW", "W", "MWh")) -> Values:
    """Some way of writing."""
    return Values(rng.choice(units), rng.choice(".,"), Decimal(rng.choice(_FACTORS)), rng.random() < 0.5)
