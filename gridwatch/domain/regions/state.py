"""The state of one partition: its sources, and what they have sent that still counts.

All of it is in memory. It is stored in rows by name: the row of the partition has position, progress of the
sources, and how far windows and minutes are done; windows, regions, groups, bundles that wait for their
minute and open incidents have rows of their own. Windows are the main states, which the partition counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, TypeAlias

from gridwatch.domain.outputs import RegionGroup, RegionWindow
from gridwatch.domain.policy import NEVER
from gridwatch.domain.regions.records import QUARTER, Incident

#: First characters of the names of rows; the names of windows begin with a number.
REGION: Final = "\x01"
GROUP: Final = "\x02"
WAITING: Final = "\x03"
INCIDENT: Final = "\x04"

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


class Group:
    """The meters of one transformer, by source."""

    __slots__ = ("feeder", "parts", "region", "transformer")

    def __init__(self, region: str, feeder: str | None, transformer: str | None) -> None:
        self.region = region
        self.feeder = feeder
        self.transformer = transformer
        self.parts: dict[str, RegionGroup] = {}

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


class PartitionState:
    """The state of one partition as a whole."""

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self.next_offset = 0
        self.record_time: int | None = None
        """Timestamp of the last record."""
        self.row_count = 0
        """Windows that are kept."""
        self.sources: dict[str, Source] = {}
        self.passed = UNHEARD
        """Windows that end up to here were published, or had nothing in them."""
        self.finalized = UNHEARD
        """Every source has come this far."""
        self.round = UNHEARD
        """The minute of the slowest source, at the last step."""
        self.evaluated = UNHEARD
        """The last minute at which incidents were evaluated."""
        # In rows of their own:
        self.windows: dict[int, dict[str, Window]] = {}
        """By start, by region."""
        self.regions: dict[str, Region] = {}
        self.groups: dict[str, dict[tuple[str | None, str | None], Group]] = {}
        """By region, by feeder and transformer."""
        self.waiting: dict[int, dict[str, Waiting]] = {}
        """By minute, by source."""
        self.incidents: dict[Scope, Incident] = {}
        """Those that are open."""

    def skip_to(self, offset: int) -> None:
        """All records before an offset are processed."""
        self.next_offset = max(self.next_offset, offset)

    def load(self, states: Iterable[State]) -> None:
        """Add what was stored in rows of its own."""
        for one in states:
            if isinstance(one, Window):
                self.windows.setdefault(one.start, {})[one.region] = one
            elif isinstance(one, Region):
                self.regions[one.region] = one
            elif isinstance(one, Group):
                self.groups.setdefault(one.region, {})[one.feeder, one.transformer] = one
            elif isinstance(one, Waiting):
                self.waiting.setdefault(one.minute, {})[one.source] = one
            else:
                self.incidents[one.kind, one.region, one.target] = one

    def limit_to(self, names: Sequence[str]) -> None:
        """Know these sources, and forget what others have sent, which take no part any more."""
        self.sources = {name: self.sources.get(name) or Source() for name in names}
        for windows in self.windows.values():
            for window in windows.values():
                window.entries = {name: window.entries[name] for name in names if name in window.entries}
        for region in self.regions.values():
            region.last = {name: region.last[name] for name in names if name in region.last}
        for groups in self.groups.values():
            for group in groups.values():
                group.parts = {name: group.parts[name] for name in names if name in group.parts}
        for minute in list(self.waiting):
            known = {name: one for name, one in self.waiting[minute].items() if name in self.sources}
            if known:
                self.waiting[minute] = known
            else:
                del self.waiting[minute]

    # -- for metrics and pages

    @property
    def open_incidents(self) -> int:
        """Incidents that are open."""
        return len(self.incidents)

    @property
    def known_regions(self) -> int:
        """Regions that were heard of."""
        return len(self.regions)

    @property
    def loads(self) -> dict[str, float]:
        """Load of the newest published window of each region that has one, percent."""
        return {name: region.load / 10 for name, region in self.regions.items() if region.load is not None}

    @property
    def sources_out(self) -> list[str]:
        """Sources that are not waited for."""
        return [name for name, source in self.sources.items() if source.out]

    @property
    def oldest_unpublished(self) -> int | None:
        """Start of the oldest window that waits for a source to pass its end; None if none does."""
        return min((start for start in self.windows if start + QUARTER > self.passed), default=None)

    @property
    def slowest(self) -> int:
        """The watermark up to which every source has come that is waited for; UNHEARD before that.

        With all of them out, nobody is waited for: that of the fastest.
        """
        watermarks = [source.watermark for source in self.sources.values() if not source.out]
        if watermarks:
            return min(watermarks)
        return max((source.watermark for source in self.sources.values()), default=UNHEARD)

    @property
    def slowest_of_all(self) -> int:
        """The watermark that every source has passed, waited for or not, except those that are out and were
        never heard."""
        counted = [
            source.watermark
            for source in self.sources.values()
            if not (source.out and source.watermark == UNHEARD)
        ]
        return min(counted, default=UNHEARD)
