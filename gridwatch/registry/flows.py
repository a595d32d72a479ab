"""The flows that this deployment serves, and their raw topics."""

from __future__ import annotations

from gridwatch.domain.policy import Policy
from gridwatch.settings import Settings


def flows_of(settings: Settings) -> tuple[str, ...]:
    """The names of the flows, the default one first."""
    return tuple(getattr(settings, "flows", ())) or (Policy().flow,)


def raw_topic(flow: str) -> str:
    """The raw topic of a flow."""
    return f"{flow}_raw"
