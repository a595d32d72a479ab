"""Energy of every kind by the contract, in exact fractions of a kWh: a meter's readings, one by one.

Nothing is remembered but the list of what was counted, so the base is found again each time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from tests.model.stamps import HOUR

ENERGY = ("consumption_kwh", "energy_kwh")
REGISTER = ("energy_register_kwh", "total_energy_kwh")
MICRO = 1_000_000


def named(body: Any, main: str, other: str) -> str:
    """The other names are read only where `consumption_kwh` is absent."""
    if body.get("consumption_kwh") is not None or body.get(main) is not None:
        return main
    return other if body.get(other) is not None else main


def source_of(body: Any) -> str | None:
    """The field that the energy of a reading comes from."""
    for name in (named(body, *ENERGY), named(body, *REGISTER), "power_kw"):
        if body.get(name) is not None:
            return name
    return None


def source_by_mode(body: Any, mode: str | None, policy: Any) -> str | None:
    """The same for a meter whose registry says which of them counts."""
    usual, power = source_of(body), body.get("power_kw")
    register = named(body, *REGISTER)
    if mode == "register" and body.get(register) is not None:
        return register
    if mode == "power" and power is not None and out_of_limits("power_kw", power, policy) is None:
        return "power_kw"
    return usual


def out_of_limits(name: str, value: float, policy: Any) -> str | None:
    if value < 0:
        return "NEGATIVE"
    if name in REGISTER:
        limit = 10**policy.register_digits if policy.register_digits else policy.max_register_kwh
        return "OUT_OF_RANGE" if value >= limit else None
    return "OUT_OF_RANGE" if value > (policy.max_kwh if name in ENERGY else policy.max_power_kw) else None


def whole(kwh: Fraction) -> Fraction:
    """In whole micro-kWh, half up."""
    return Fraction((2 * kwh * MICRO + 1) // 2, MICRO)


@dataclass
class Base:
    """The register's value with the newest stamp, and values after it that nobody believes yet."""

    time: int
    value: Fraction
    suspects: list[tuple[int, Fraction]] = field(default_factory=list)


@dataclass
class Counted:
    """The energy of a reading, what is said of it, and since when it counts."""

    energy: Fraction
    flags: set[str]
    since: int | None = None


def of_register(
    base: Base | None, stamp: int, reading: float, interval: int, policy: Any
) -> tuple[Base, Counted]:
    """What the register rose by; and its base from now on."""
    value = whole(Fraction(reading))
    nothing = Fraction(0)
    if base is None:
        return Base(stamp, value), Counted(nothing, set())
    if stamp <= base.time:
        return base, Counted(nothing, set())
    new = Base(stamp, value)
    over_a_gap = {"GAP_ENERGY"} if Fraction(stamp - base.time, interval) > Fraction(3, 2) else set()

    def most(since: int) -> Fraction:
        kwh = Fraction(policy.max_power_kw) * (stamp - since) / HOUR
        return Fraction(kwh * MICRO // 1, MICRO)

    if value >= base.value:
        if value - base.value <= max(most(base.time), 1):
            return new, Counted(value - base.value, over_a_gap if value > base.value else set(), base.time)
        if base.suspects:
            since, suspect = base.suspects[-1]
            if suspect <= value <= suspect + max(most(since), 1):
                return new, Counted(value - suspect, set())
        return Base(base.time, base.value, [*base.suspects, (stamp, value)]), Counted(nothing, {"SUSPECT"})
    fall = base.value - value
    if fall <= 1 and fall <= base.value / 100:
        return Base(base.time, base.value), Counted(nothing, {"REGISTER_DIP"})
    if policy.register_digits:
        across = 10**policy.register_digits - base.value + value
        if 0 <= across <= most(base.time):
            return new, Counted(across, {"ROLL_OVER", *over_a_gap}, base.time)
    if value <= most(base.time):
        return new, Counted(value, {"REGISTER_RESET", *over_a_gap}, base.time)
    return new, Counted(nothing, {"SUSPECT"})


def apart(energy: Fraction, body: Any, interval: int) -> bool:
    """Whether energy, and power times interval, are more than 25% of the larger one apart."""
    if body.get("power_kw") is None:
        return False
    product = whole(Fraction(body["power_kw"]) * interval / HOUR)
    return abs(whole(energy) - product) > max(abs(whole(energy)), abs(product)) / 4
