"""Records of the topic of partials, and the outputs: rows of regions, revisions of incidents.

Energy µWh, power mW, instants and durations µs.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from gridwatch.domain.instants import instant_text
from gridwatch.domain.outputs import Bundle, DeadLetter
from gridwatch.domain.policy import MINUTE

QUARTER = 15 * MINUTE

PRELIMINARY = "PRELIMINARY"
UPDATED = "UPDATED"
FINAL = "FINAL"
OPEN = "OPEN"
CLOSED = "CLOSED"

#: Reason of a dead letter: a flow or partition that does not take part.
UNKNOWN_SOURCE = "UNKNOWN_SOURCE"
#: Reason of a dead letter: a format that this version does not know.
NEWER_VERSION = "NEWER_VERSION"


class SourceOut(NamedTuple):
    """A source that is not waited for any more, until its next bundle."""

    flow: str
    partition: int


class Refused(NamedTuple):
    """What is no bundle, and why."""

    reasons: tuple[str, ...]
    message: str
    field: str | None


class Record(NamedTuple):
    """One record of the topic."""

    offset: int
    timestamp: int
    value: bytes
    content: Bundle | SourceOut | Refused


def source_name(flow: str, partition: int) -> str:
    """The name of a source: the key of its records."""
    return f"{flow}/{partition}"


class RegionRow(NamedTuple):
    """A region in a quarter of an hour, at one revision."""

    region: str
    start: int
    revision: int
    state: str
    complete: bool
    active: int
    reporting: int
    completeness: int | None
    """In units of 0.0001; None if nothing was expected."""
    energy: int
    load: int | None
    """None where too little is known."""
    lowest: int | None
    """Measured power by minute; None if nothing was received."""
    highest: int | None
    capacity: int | None
    percentage: int | None
    """Load of the capacity in units of 0.1%."""
    prorated: bool
    uncovered: int

    @property
    def id(self) -> str:
        return f"{self.region}@{instant_text(self.start)}"


class Incident(NamedTuple):
    """One incident, at one revision."""

    kind: str
    region: str
    target: str
    """Region, feeder or transformer."""
    started: int
    state: str
    revision: int
    updated: int
    ended: int | None
    open: int
    active: int
    peak: int
    meters: tuple[str, ...]
    """The first of those that are silent now, by id."""
    parent: str | None
    """The id of the incident of a wider scope."""

    @property
    def id(self) -> str:
        place = self.region if self.kind == "storm" else f"{self.region}/{self.target}"
        return f"{self.kind}:{place}@{instant_text(self.started)}"


Output: TypeAlias = RegionRow | Incident | DeadLetter
