"""The energy of a reading: of its interval, else from its register, else from its power.

**Interval energy** (``consumption_kwh``) stands as it came.

**Register.** The energy is what the register rose by since its *base*: the value with the newest stamp among
the readings that were on time or late. A reading with an earlier stamp, or another value for a stamp that was
there, is kept and moves nothing: what was counted stands, so the sum of all energies is what the register
rose by. The first value only sets the base. More than the maximum power can explain is not counted:

- a *fall*, tried in this order: a dip of at most 1% and 1 kWh counts 0, and the base stays
  (``REGISTER_DIP``); a roll-over, if the number of digits is known and the rise across zero is possible
  (``ROLL_OVER``); a reset, if the new value itself is possible (``REGISTER_RESET``, energy = the new value);
  anything else counts 0, and is the new base (``SUSPECT``);
- a *rise* that is not possible counts 0, and the base stays (``SUSPECT``) until the next value confirms it:
  one that the register could have reached from there. It is the base then, and what it rose by from there
  counts. A rise of 1 kWh is always possible, since a register may count whole ones.

Energy over a gap comes with the first reading after it (``GAP_ENERGY``).

**Power.** Power holds since the reading before, for one interval at most: the interval if it was given, the
time that has passed if not, so that a meter whose interval is still being learned counts nothing twice.

Where a meter sends energy of another kind in between, the base rises with it: nothing counts twice when the
next register value comes. All of it in whole micro-kWh.
"""

from __future__ import annotations

from math import floor, isnan
from typing import Final, NamedTuple

from gridwatch.domain.meter.timeliness import Recent
from gridwatch.domain.policy import HOUR, Policy
from gridwatch.domain.reading import (
    ENERGY_POWER_MISMATCH,
    GAP_ENERGY,
    REGISTER_DIP,
    REGISTER_RESET,
    ROLL_OVER,
    SUSPECT,
    RawReading,
)

MICRO: Final = 1_000_000
"""Micro-kWh in a kWh."""
_LARGEST_DIP: Final = MICRO
_DIP_SHARE: Final = 100
_ALWAYS_POSSIBLE: Final = MICRO


class Register(NamedTuple):
    """What is known of a meter's register. Times in µs, values in micro-kWh."""

    time: int
    """Stamp of the base."""
    value: int
    """The base: what the energy of the next value is counted from."""
    suspect_time: int = 0
    suspect: int = -1
    """A value too high to be believed, and its stamp; -1: none."""


class Derived:
    """What a meter's energy is derived from, where it does not come as such."""

    __slots__ = ("energies", "register")

    def __init__(self, register: Register | None = None, energies: Recent = b"") -> None:
        self.register = register
        self.energies = energies
        """The energy counted for each remembered reading whose own value is another one, kWh."""

    def add_other(self, time: int, energy: int) -> None:
        """Raise the base by the energy, in micro-kWh, of a reading of another kind."""
        register = self.register
        if register is not None and time > register.time:
            self.register = Register(time, register.value + energy)


def measured(raw: RawReading) -> float:
    """The value that a reading is compared by: its energy, else its register, else its power."""
    if not isnan(raw.consumption_kwh):
        return raw.consumption_kwh
    return raw.energy_register_kwh if raw.energy_register_kwh is not None else raw.power_kw or 0.0


def energy_of(  # noqa: PLR0917 - all that it depends on
    derived: Derived,
    raw: RawReading,
    time: int,
    held: int,
    interval: int,
    counted: float | None,
    policy: Policy,
) -> tuple[int, int]:
    """The energy of a reading that came without, in micro-kWh, and flags; its register becomes the base.

    held: how long its power held, µs. interval: that of its meter. counted: of a revision, the energy so far,
    kWh.
    """
    kwh = raw.energy_register_kwh
    if kwh is None:
        energy = power_energy(raw.power_kw or 0.0, held)
        if counted is None:
            derived.add_other(time, energy)
        return energy, 0
    if counted is not None:
        return micro_kwh(counted), 0
    base, power = derived.register, raw.power_kw
    derived.register, energy, flags = read_register(base, time, kwh, interval, policy)
    rose = base is not None and time > base.time and not flags
    if rose and power is not None and not agree(energy / MICRO, power, interval):
        flags = ENERGY_POWER_MISMATCH
    return energy, flags


def micro_kwh(kwh: float) -> int:
    """``kWh`` (not negative) in whole micro-kWh, half up."""
    return int(kwh * MICRO + 0.5)


def possible(duration: int, policy: Policy) -> int:
    """The most energy of so many µs at the maximum power, micro-kWh."""
    return int(policy.max_power_kw * MICRO * duration / HOUR)


def read_register(  # noqa: PLR0911 - one for each case, in their order
    register: Register | None, time: int, kwh: float, interval: int, policy: Policy
) -> tuple[Register, int, int]:
    """The register after the value ``kwh`` of stamp ``time``, the energy in micro-kWh, and flags.

    ``interval``: that of the meter; an energy of more than one and a half of them is one over a gap.
    """
    value = micro_kwh(kwh)
    if register is None:
        return Register(time, value), 0, 0
    if time <= register.time:
        return register, 0, 0
    passed = time - register.time
    rise = value - register.value
    flags = GAP_ENERGY if 2 * passed > 3 * interval else 0
    if rise >= 0:
        if rise <= max(possible(passed, policy), _ALWAYS_POSSIBLE):
            return Register(time, value), rise, flags if rise else 0
        return _confirm(register, time, value, policy)
    if -rise <= _LARGEST_DIP and -rise * _DIP_SHARE <= register.value:
        return register._replace(suspect=-1), 0, REGISTER_DIP
    if policy.register_digits:
        across = rise + 10**policy.register_digits * MICRO
        if 0 <= across <= possible(passed, policy):
            return Register(time, value), across, ROLL_OVER | flags
    if value <= possible(passed, policy):
        return Register(time, value), value, REGISTER_RESET | flags
    return Register(time, value), 0, SUSPECT


def _confirm(register: Register, time: int, value: int, policy: Policy) -> tuple[Register, int, int]:
    """A rise that is not possible from the base: it may confirm a suspect value before it."""
    if register.suspect >= 0:
        rise = value - register.suspect
        if 0 <= rise <= max(possible(time - register.suspect_time, policy), _ALWAYS_POSSIBLE):
            return Register(time, value), rise, 0
    return register._replace(suspect_time=time, suspect=value), 0, SUSPECT


def power_energy(power_kw: float, held: int) -> int:
    """The energy of a power that held for so many µs, micro-kWh."""
    return micro_kwh(power_kw * held / HOUR)


def agree(kwh: float, power_kw: float, interval: int) -> bool:
    """Whether energy, and power times interval, are at most a quarter of the larger one apart."""
    energy, product = floor(kwh * MICRO + 0.5), floor(power_kw * interval * MICRO / HOUR + 0.5)
    return 4 * abs(energy - product) <= max(energy, abs(product))
