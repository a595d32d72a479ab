"""What the pages know of regions and incidents: three topics, each followed while its pages are open."""

from __future__ import annotations

from itertools import product
from typing import Any, Final

from gridwatch.settings import Settings
from gridwatch.topics import INCIDENTS, REGIONAL_AGGREGATES, REGIONAL_PARTIALS
from gridwatch.views.following import Following, Waiting
from gridwatch.views.log_tail import LogTail
from gridwatch.views.regional.incidents import Incidents
from gridwatch.views.regional.rows import MOST_ROWS, RegionalRows
from gridwatch.views.regional.sources import Sources, judged_to, waited_for

#: Records of incidents read at first, of all partitions.
SCANNED_INCIDENTS: Final = 20_000
#: Bundles of each source read at first: one comes a minute of event time.
SCANNED_BUNDLES: Final = 40
#: A partition of a topic is read from its end by so many records at least.
_LEAST_RECORDS: Final = 200


class RegionalLog:
    """Regions, incidents and sources, whoever owns the partitions: the topics have all of them."""

    def __init__(self, settings: Settings, tail: LogTail) -> None:
        partitions = range(settings.partitions)
        sources = list(product(settings.region_flows, partitions))
        #: The flows whose meters count; with none there are no regions.
        self.flows = settings.region_flows
        self.rows = RegionalRows()
        self.incidents = Incidents()
        self._sources = Sources(sources)
        count = len(partitions)
        self._following_rows = Following(
            tail, REGIONAL_AGGREGATES.name, partitions, self.rows, scanned=_each(MOST_ROWS, count)
        )
        self._following_incidents = Following(
            tail, INCIDENTS.name, partitions, self.incidents, scanned=_each(SCANNED_INCIDENTS, count)
        )
        # Every partition has the bundles of all sources.
        self._following_sources = Following(
            tail,
            REGIONAL_PARTIALS.name,
            [0],
            self._sources,
            scanned=max(_LEAST_RECORDS, SCANNED_BUNDLES * len(sources)),
        )
        self._waiting = Waiting(self._read, self._begun)

    async def read_rows(self) -> None:
        """Take what the regions have written; Problem 503 when the brokers do not answer."""
        await self._following_rows.update()

    async def read_incidents(self) -> None:
        """The same of incidents."""
        await self._following_incidents.update()

    async def read_sources(self) -> None:
        """The same of the bundles of the sources."""
        await self._following_sources.update()

    def sources_waited_for(self) -> list[dict[str, Any]]:
        """The sources that the regions do without or wait for (`sources.waited_for`)."""
        return waited_for(self._sources.all())

    def judged_to(self) -> int | None:
        """The event time that incidents were judged up to (`sources.judged_to`)."""
        return judged_to(self._sources.all())

    async def read_within(self, seconds: float) -> str | None:
        """Read regions and incidents for so long at most, as `Waiting` does."""
        return await self._waiting.read_within(seconds)

    def close(self) -> None:
        """Stop reading."""
        self._waiting.close()

    async def _read(self) -> None:
        await self.read_rows()
        await self.read_incidents()

    def _begun(self) -> bool:
        return self._following_rows.begun and self._following_incidents.begun


def _each(records: int, partitions: int) -> int:
    return max(_LEAST_RECORDS, records // partitions)
