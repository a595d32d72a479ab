"""What the registry says of a meter, as far as its state has to know it.

It follows from the entry of the registry that holds now (``registry.registration``), and is stored with the
meter: most readings are handled without a look at the registration itself.
"""

from __future__ import annotations

from typing import NamedTuple

from gridwatch.domain.policy import NEVER, Policy, grace_of
from gridwatch.domain.reading import RawReading


class Terms(NamedTuple):
    """The terms of a registered meter. Durations and times µs."""

    expected: bool = True
    """Whether its slots can become missing at all."""
    resumed: int = -NEVER
    """When it was expected again: slots before that pass."""
    fixed: bool = False
    """The registry gives its interval: it is not learned, and readings cannot change it."""
    grace: int | None = None
    region: str | None = None
    energy_mode: str | None = None
    max_kw: float | None = None
    register_digits: int | None = None
    turn: int = NEVER
    """When another entry takes over."""
    anchor: str | None = None
    """Whether readings cover the time from their stamp on, or up to it; None: as the policy says."""
    zone: str | None = None
    """IANA name of its local time, if the registry gives one."""

    @property
    def calm(self) -> bool:
        """Whether a clean reading of the meter just fills its slot."""
        return self.expected and self.turn == NEVER and self.energy_mode is None

    def admit(self, raw: RawReading, interval: int, grace: int) -> int:
        """Set the region of a clean reading, if the registry gives one. Returns the grace of slots of this
        ``interval``; ``grace``: that of the policy."""
        if self.region is not None:
            raw.region = self.region
        return grace_of(interval, grace) if self.grace is None else self.grace

    def policy(self, policy: Policy) -> Policy:
        """``policy`` with the limits of this meter."""
        if self.max_kw is None and self.register_digits is None:
            return policy
        return policy.with_limits(self.max_kw, self.register_digits)
