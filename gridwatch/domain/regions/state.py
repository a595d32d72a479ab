"""The state of one partition: its sources, and what they have sent that still counts.

All of it is in memory. The row of the partition has the position, the progress of the sources, and how far
windows and minutes are done. Windows, regions, groups, bundles that wait for their minute and open incidents
have rows of their own (``kept``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gridwatch.domain.regions.kept import (
    UNHEARD,
    Group,
    Region,
    Scope,
    Source,
    State,
    Waiting,
    Window,
    row_name,
)
from gridwatch.domain.regions.records import QUARTER, Incident


class PartitionState:
    """The state of one partition as a whole."""

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self.next_offset = 0
        self.record_time: int | None = None
        """Timestamp of the last record."""
        self.row_count = 0
        """Rows of its states."""
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
        self.names: set[str] = set()
        """The names of all rows, which are counted."""

    def skip_to(self, offset: int) -> None:
        """All records before an offset are processed."""
        self.next_offset = max(self.next_offset, offset)

    def load(self, states: Iterable[State]) -> None:
        """Add what was stored in rows of its own."""
        for one in states:
            self.names.add(row_name(one))
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

    def count(self, changed: Mapping[str, State | None]) -> None:
        """Count the rows, some of which have changed; None removes one."""
        for name, state in changed.items():
            if state is None:
                self.names.discard(name)
            else:
                self.names.add(name)
        self.row_count = len(self.names)

    def limit_to(self, names: Sequence[str]) -> None:
        """Know these sources, and forget the meters and gaps of others, which take no part any more.

        What those have sent of windows stays in the windows: no revision falls.
        """
        self.sources = {name: self.sources.get(name) or Source() for name in names}
        for region in self.regions.values():
            region.last = {name: region.last[name] for name in names if name in region.last}
        for groups in self.groups.values():
            for group in groups.values():
                group.parts = {name: group.parts[name] for name in names if name in group.parts}
                group.add_up()
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
