"""The interval that a reading gives: in whole seconds, from a second to 32 days.

``interval_seconds`` takes precedence over ``interval_minutes``, which may be a fraction.
"""

from __future__ import annotations

from math import isfinite
from typing import Final

from gridwatch.domain.policy import SECOND, Policy

MAX_ROUNDING: Final = 0.05
"""How far a given interval may be from a whole number of seconds, seconds."""


def interval_of(seconds: float, policy: Policy) -> int | None:
    """A given interval in microseconds; None unless it is a whole number of seconds within the limits.

    A twentieth of a second counts as rounding: ten seconds are 0.1667 minutes.
    """
    if not isfinite(seconds) or abs(seconds - round(seconds)) > MAX_ROUNDING:
        return None
    interval = round(seconds) * SECOND
    return interval if policy.min_interval <= interval <= policy.max_interval else None


def given_interval(seconds: float | None, minutes: float | None, policy: Policy) -> int | None:
    """The interval that a valid reading gives, microseconds: in seconds, else in minutes."""
    if seconds is not None:
        return interval_of(seconds, policy)
    return None if minutes is None else interval_of(minutes * 60, policy)


def allowed_intervals(policy: Policy) -> str:
    """What an interval may be, in words."""
    least, most = policy.min_interval // SECOND, policy.max_interval // SECOND
    return f"a whole number of seconds from {least} to {most}"
