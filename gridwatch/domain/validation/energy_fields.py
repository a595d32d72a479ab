"""The fields that the energy of a reading comes from: one of them has to be there.

``consumption_kwh`` (or ``energy_kwh``), the energy of its interval; else ``energy_register_kwh`` (or
``total_energy_kwh``), a cumulative register; else ``power_kw``. Only the field that the energy comes from has
to be within its limits. The other names are read only where ``consumption_kwh`` is absent.
"""

from __future__ import annotations

from math import isfinite, isnan, nan, nextafter
from typing import Any, Final

from gridwatch.domain.policy import Policy
from gridwatch.domain.reading import RawReading
from gridwatch.domain.validation.findings import MISSING_FIELD, NEGATIVE, OUT_OF_RANGE, Findings, check_number

ENERGY: Final = ("consumption_kwh", "energy_kwh")
REGISTER: Final = ("energy_register_kwh", "total_energy_kwh")
FEED_IN: Final = "send what is fed in as a meter of its own"


def name_of(names: tuple[str, str], fields: dict[str, Any]) -> str:
    """Which of two names the field has in an element."""
    main, other = names
    absent = fields.get(ENERGY[0]) is None and fields.get(main) is None
    return other if absent and fields.get(other) is not None else main


def register_limit(policy: Policy) -> float:
    """A register is below this, kWh."""
    return 10.0**policy.register_digits if policy.register_digits else policy.max_register_kwh


def has_energy(raw: RawReading, policy: Policy) -> bool:
    """Whether a reading has energy, and what it comes from is within its limits."""
    if not isnan(raw.consumption_kwh):
        return 0.0 <= raw.consumption_kwh <= policy.max_kwh
    if raw.energy_register_kwh is not None:
        return 0.0 <= raw.energy_register_kwh < register_limit(policy)
    return raw.power_kw is not None and 0.0 <= raw.power_kw <= policy.max_power_kw


def check_energy(fields: dict[str, Any], policy: Policy, found: Findings) -> tuple[float, float | None]:
    """The energy of the interval, not a number if there is none, and the register."""
    of_energy, of_register = name_of(ENERGY, fields), name_of(REGISTER, fields)
    kwh = check_number(fields, of_energy, found)
    register = check_number(fields, of_register, found)
    if fields.get(of_energy) is not None:
        _check_range(of_energy, kwh, policy.max_kwh, found)
        return nan if kwh is None else kwh, register
    if fields.get(of_register) is not None:
        _check_range(of_register, register, nextafter(register_limit(policy), 0), found)
    elif fields.get("power_kw") is not None:
        _check_range("power_kw", fields["power_kw"], policy.max_power_kw, found, FEED_IN)
    else:
        found.add(MISSING_FIELD, "consumption_kwh", "is missing")
    return nan, register


def _check_range(name: str, value: Any, most: float, found: Findings, remedy: str = "") -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value):
        return  # found by its type
    if value < 0:
        found.add(NEGATIVE, name, f"is negative: {value:g}{remedy and '; '}{remedy}")
    elif value > most:
        found.add(OUT_OF_RANGE, name, f"is {value:g}, at most {most:g} is allowed")
