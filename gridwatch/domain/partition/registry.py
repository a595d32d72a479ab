"""The registry of one partition: registrations of its meters, planned outages, regions.

They are states like those of meters, under names of their own. Outages are held in memory as well: any slot
that becomes missing may be in one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gridwatch.domain.meter.changes import Plan
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.meter.usage import Place
from gridwatch.domain.policy import Policy
from gridwatch.domain.registry.outages import Outage, Outages, revised
from gridwatch.domain.registry.plan import MeterPlan
from gridwatch.domain.registry.records import OutageRecord, RegionRecord
from gridwatch.domain.registry.registration import Registration

REGISTERED: Final = "\x03"
"""Before a meter id: the name of its registration."""
OUTAGE: Final = "\x04"
"""Before the id of a planned outage."""
REGION: Final = "\x05"
"""Before the name of a region."""


class PartitionRegistry:
    """The registry of one partition. ``find`` gives the current state of a name."""

    def __init__(self, policy: Policy, find: Callable[[str], Any]) -> None:
        self._policy = policy
        self._find = find
        self._outages = Outages()

    def load(self, name: str) -> None:
        """Load a planned outage by its name."""
        self._outages.put(name[1:], self._find(name))

    def registration(self, meter_id: str, meter: MeterState | None) -> Registration | None:
        """The registration of a meter whose state is ``meter``, None if it has none."""
        if meter is not None and meter.terms is None:
            return None
        known: Registration | None = self._find(REGISTERED + meter_id)
        return known

    def plan(self, meter_id: str, meter: MeterState | None, registration: Registration | None) -> Plan | None:
        """When the meter is planned not to deliver; None if there is nothing of that kind."""
        if registration is None and not self._outages:
            return None
        return MeterPlan(meter_id, meter, registration, self._outages, self._policy.anchor)

    def take_outage(self, record: OutageRecord, watermark: int) -> Outage | None:
        """Take a record of a planned outage. Returns its new state, None if the record is not newer."""
        outage = revised(self._outages.get(record.outage_id), record, watermark)
        if outage is not None:
            self._outages.put(record.outage_id, outage)
        return outage

    def is_news(self, record: RegionRecord) -> bool:
        """Whether a record of a region is newer than what is known of it."""
        known: RegionRecord | None = self._find(REGION + record.region)
        return known is None or record.version > known.version

    def outage(self, name: str) -> Outage | None:
        return self._outages.get(name[1:])

    def forget_outage(self, name: str) -> None:
        self._outages.put(name[1:], None)

    def has_outages_within(self, start: int, end: int) -> bool:
        """Whether a planned outage of anything overlaps [start, end)."""
        return bool(self._outages) and self._outages.any_within(start, end)

    def outages_of(self, place: Place, start: int, end: int) -> list[tuple[int, int]]:
        """The times within [start, end) in which all meters of a place are planned to be without supply."""
        targets = [("region", place.region)]
        if place.feeder is not None:
            targets.append(("feeder", place.feeder))
        if place.transformer is not None:
            targets.append(("transformer", place.transformer))
        return self._outages.union(targets, start, end)

    def outages_of_meters(self, start: int, end: int) -> list[tuple[str, int, int]]:
        """The times within [start, end) in which single meters are: meter, from, to."""
        return [
            (meter_id, since, until)
            for meter_id in self._outages.meters()
            for since, until in self._outages.union([("meter", meter_id)], start, end)
        ]
