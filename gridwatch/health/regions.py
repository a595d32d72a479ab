"""Observes what only the stage `regions` has: windows that wait, sources that are out, loads, incidents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sized
from typing import Final, Protocol, get_args

from gridwatch.health.checks import Partition
from gridwatch.health.metrics import MOST_REGIONS
from gridwatch.health.stage import Labelled, StageWatch
from gridwatch.models.incident import IncidentKind
from gridwatch.streaming.stage.declaration import Position

_QUARTER: Final = 15 * 60 * 1_000_000


class Source(Protocol):
    """A source partition, as far as it is observed."""

    watermark: int


class RegionsState(Position, Protocol):
    """The part of the stage's partition state that is observed. Instants µs."""

    passed: int
    """Windows that end up to here were published, or had nothing in them."""

    @property
    def known_regions(self) -> int:
        """Regions that were heard of."""

    @property
    def sources(self) -> Mapping[str, Source]:
        """Every source."""

    @property
    def sources_out(self) -> Collection[str]:
        """Sources that are not waited for."""

    @property
    def windows(self) -> Mapping[int, Sized]:
        """Those of each start that are not final."""

    @property
    def incidents(self) -> Mapping[tuple[str, str, str], object]:
        """Those that are open, by (kind, region, target)."""

    @property
    def loads(self) -> Mapping[str, float]:
        """Load of the newest published window of each region that has one, percent."""


class RegionsWatch(StageWatch[RegionsState]):
    """Observes the partitions of the stage `regions`."""

    def values(self, one: Partition, now: int, *, state_ready: bool) -> dict[str, float | None]:
        """The same, with regions, and how far publishing them has come."""
        values = super().values(one, now, state_ready=state_ready)
        owned = self._pipeline.owned.get(one.number)
        if owned is None:
            return values
        state = owned.state
        waiting = {start: windows for start, windows in state.windows.items() if _waits(state, start)}
        fastest = max((source.watermark for source in state.sources.values()), default=0)
        age = max(0, fastest - min(waiting) - _QUARTER) if waiting else 0
        return {
            **values,
            "regions_known": state.known_regions,
            "windows_unpublished": sum(map(len, waiting.values())),
            "unpublished_age_seconds": age / 1e6,
            "sources_out": len(state.sources_out),
        }

    def labelled(self, partition: int) -> Iterator[Labelled]:
        """The same, with the highest loads by region and open incidents by kind."""
        yield from super().labelled(partition)
        owned = self._pipeline.owned.get(partition)
        if owned is None:
            return
        loads = sorted(owned.state.loads.items(), key=lambda load: (-load[1], load[0]))
        for region, load in loads[:MOST_REGIONS]:
            yield "region_load_percent", load, (region,)
        open_now = Counter(kind for kind, _, _ in owned.state.incidents)
        for kind in get_args(IncidentKind):
            yield "incidents_open", float(open_now[kind]), (kind,)


def _waits(state: RegionsState, start: int) -> bool:
    """Whether the windows of a start wait for a source to pass their end."""
    return start + _QUARTER > state.passed
