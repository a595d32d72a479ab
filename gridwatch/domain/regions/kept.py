"""What is kept of sources, windows, regions and groups, and the names under which that is stored in rows.

Windows are the main states of a partition, which it counts; their names begin with a number.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple, TypeAlias

from gridwatch.domain.outputs import RegionGroup, RegionWindow
from gridwatch.domain.policy import NEVER
from gridwatch.domain.regions.records import Incident

#: First characters of the names of other rows than windows.
REGION: Final = "\x01"
GROUP: Final = "\x02"
WAITING: Final = "\x03"
INCIDENT: Final = "\x04"

#: So many meters of a group or an incident are named.
LISTED: Final = 100

#: The watermark of a source before its first bundle: before every instant.
UNHEARD: Final = -NEVER


class Source:
    """The progress of a source."""

    __slots__ = ("out", "watermark")

    def __init__(self, watermark: int = UNHEARD, *, out: bool = False) -> None:
        self.watermark = watermark
        self.out = out


class Kept(NamedTuple):
    """What a source said of a window."""

    initial: RegionWindow | None
    """As its watermark passed the end; None if it had nothing to say then."""
    newest: RegionWindow


class Window:
    """A region in a quarter of an hour that is not final."""

    __slots__ = ("again", "emitted", "entries", "region", "stale", "start")

    def __init__(self, region: str, start: int) -> None:
        self.region = region
        self.start = start
        self.entries: dict[str, Kept] = {}
        """By source."""
        self.emitted = False
        self.stale = False
        """The end was passed by all, and a newer entry is in no row yet."""
        self.again = 0
        """How often it was published again for a source that came late."""

    @property
    def name(self) -> str:
        return f"{self.start}@{self.region}"


class Last(NamedTuple):
    """The meters of a source in the newest window that it has an entry of."""

    start: int
    active: int
    uncovered: int


class Limit(NamedTuple):
    """What a region can carry in windows from ``since`` on."""

    since: int
    version: int
    capacity: int
    """mW."""


class Region:
    """What is known of a region beyond a window."""

    __slots__ = ("last", "limits", "load", "published", "region")

    def __init__(self, region: str) -> None:
        self.region = region
        self.limits: tuple[Limit, ...] = ()
        """In order of ``since``, and of the version."""
        self.last: dict[str, Last] = {}
        """By source."""
        # For metrics, and not stored: nothing is decided by them.
        self.published = UNHEARD
        """Start of the newest window that was published since the partition was taken over."""
        self.load: int | None = None
        """Its load of the capacity in units of 0.1%; None if there is none."""

    @property
    def name(self) -> str:
        return REGION + self.region


def first_meters(lists: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """The first meters of some lists, by id: as many as are named."""
    meters = [meter for one in lists for meter in one]
    meters.sort()  # lists are sorted, which makes it quick
    return tuple(meters[:LISTED])


class Group:
    """The meters of one transformer, by source, and their sums: a minute adds up all groups of a region."""

    __slots__ = ("active", "feeder", "meters", "open", "parts", "region", "transformer")

    def __init__(self, region: str, feeder: str | None, transformer: str | None) -> None:
        self.region = region
        self.feeder = feeder
        self.transformer = transformer
        self.parts: dict[str, RegionGroup] = {}
        self.open = 0
        self.active = 0
        self.meters: tuple[str, ...] = ()
        """The first meters with an open gap, by id."""

    def add_up(self) -> None:
        """Renew the sums after a change of the parts."""
        parts = self.parts.values()
        self.open = sum(part.open for part in parts)
        self.active = sum(part.active for part in parts)
        self.meters = first_meters(part.meters for part in parts)

    @property
    def name(self) -> str:
        # Lengths first: no two groups share a name, whatever characters there are in theirs.
        texts = (self.region, self.feeder, self.transformer)
        lengths = ",".join("-" if text is None else str(len(text)) for text in texts)
        return f"{GROUP}{lengths}:{''.join(text or '' for text in texts)}"


class Waiting(NamedTuple):
    """The groups of a bundle, until every source has come to its minute."""

    minute: int
    source: str
    groups: tuple[RegionGroup, ...]

    @property
    def name(self) -> str:
        return f"{WAITING}{self.minute}/{self.source}"


Scope: TypeAlias = tuple[str, str, str]
"""Kind, region, target of an incident."""


def incident_name(scope: Scope) -> str:
    """The name of the row of an open incident."""
    kind, region, target = scope
    return f"{INCIDENT}{kind},{len(region)}:{region}{target}"


State: TypeAlias = Window | Region | Group | Waiting | Incident
"""What has a row of its own."""


def row_name(state: State) -> str:
    """The name of the row of a state."""
    if isinstance(state, Incident):
        return incident_name((state.kind, state.region, state.target))
    return state.name
