"""What the registry knows better of a reading than the reading itself."""

from __future__ import annotations

from math import nan

from gridwatch.domain.policy import Policy
from gridwatch.domain.reading import RawReading
from gridwatch.domain.registry.registration import Registration
from gridwatch.domain.validation.energy_fields import has_energy


def prepare(registration: Registration, raw: RawReading, time: int, policy: Policy) -> None:
    """Set in a reading of ``time`` what the registry knows better: its region, and what its energy is
    taken from."""
    there = registration.entry_at(time)
    if there is not None and there.region is not None:
        raw.region = there.region
    entry = registration.entry
    mode = None if entry is None else entry.energy_mode
    came = raw.consumption_kwh, raw.energy_register_kwh
    if mode == "register" and raw.energy_register_kwh is not None:
        raw.consumption_kwh = nan
    elif mode == "power" and raw.power_kw is not None:
        raw.consumption_kwh, raw.energy_register_kwh = nan, None
    if not has_energy(raw, policy):  # as it came it is valid
        raw.consumption_kwh, raw.energy_register_kwh = came
