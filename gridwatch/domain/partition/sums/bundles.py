"""Bundles: what a source partition says of the regions as its watermark crosses a minute.

Each target partition gets one bundle a crossing, also when there is nothing to say: content and punctuation
are one record. A window that nobody has anything in needs no entry; the watermark stands for it. Where meters
are expected, but nothing came, there is an entry, though not for more than the last day of a jump.
"""

from __future__ import annotations

from functools import lru_cache

from gridwatch.domain.meter.usage import Place
from gridwatch.domain.outputs import Bundle, RegionGroup, RegionLimit, RegionWindow
from gridwatch.domain.partials.group import QUARTER, Group
from gridwatch.domain.partials.quarter import Quarter
from gridwatch.domain.partition.registry import REGION
from gridwatch.domain.partition.sums.regions import Regions, sums_name
from gridwatch.domain.partition.workbench import Workbench
from gridwatch.domain.partitioning import partition_of
from gridwatch.domain.policy import DAY, DEFAULT_FLOW, NEVER
from gridwatch.domain.registry.records import RegionRecord

_NAMED_METERS = 100


@lru_cache(maxsize=10_000)
def target_of(region: str, partitions: int) -> int:
    """The partition of the bundles that a region is in."""
    return partition_of(region, partitions)


class Bundles:
    """Makes the bundles of one source partition."""

    def __init__(self, bench: Workbench, regions: Regions) -> None:
        self._bench = bench
        self._policy = bench.policy
        self._regions = regions

    def emit(self, reached: int) -> None:
        """Emit one bundle for each target partition. ``reached``: the minute of the watermark."""
        part, policy = self._bench.partition, self._policy
        windows: list[list[RegionWindow]] = [[] for _ in range(policy.partitions)]
        groups: list[list[RegionGroup]] = [[] for _ in range(policy.partitions)]
        limits: list[list[RegionLimit]] = [[] for _ in range(policy.partitions)]
        for start, region in sorted(self._due(reached)):
            window = self._window(region, start)
            if window is not None:
                windows[target_of(region, policy.partitions)].append(window)
        for group in self._changed_groups():
            groups[target_of(group.region, policy.partitions)].append(group)
        for limit in self._new_limits():
            limits[target_of(limit.region, policy.partitions)].append(limit)
        watermark = part.watermark or 0
        self._bench.outputs += [
            Bundle(
                policy.flow,
                part.partition,
                target,
                watermark,
                tuple(windows[target]),
                tuple(groups[target]),
                tuple(limits[target]),
            )
            for target in range(policy.partitions)
        ]
        self._drop(reached - policy.allowed_lateness)

    # -- windows

    def _due(self, reached: int) -> set[tuple[int, str]]:
        """The windows to look at: those with sums that changed, and those that have just ended."""
        crossed = self._bench.partition.crossed or 0
        due = {
            (quarter.start, region)
            for region, quarters in self._regions.quarters.items()
            for quarter in quarters.values()
            if quarter.changed and quarter.end <= reached
        }
        first = max(crossed, reached - DAY) // QUARTER * QUARTER
        for start in range(first, reached - QUARTER + 1, QUARTER):
            due |= {(start, region) for region in self._regions.groups}
            due |= {(start, region) for region, known in self._regions.quarters.items() if start in known}
        return due

    def _window(self, region: str, start: int) -> RegionWindow | None:
        part, policy, regions = self._bench.partition, self._policy, self._regions
        watermark, crossed = part.watermark or 0, part.crossed or 0
        known = regions.quarters.get(region, {}).get(start)
        passed = crossed < start + QUARTER
        if known is not None and known.revision and not known.changed:
            return None
        quarter = Quarter(region, start) if known is None else known
        expected, active, uncovered = self._members(region, start)
        expected = max(0, expected) + quarter.extra
        counts = bool(expected or active or uncovered) and start + QUARTER > watermark - DAY
        if not quarter.revision and quarter.is_empty and not counts:
            return None
        quarter = regions.touch(region, start)
        quarter.revision += 1
        quarter.changed = False
        return RegionWindow(
            region,
            start,
            quarter.revision,
            passed,
            quarter.end + policy.allowed_lateness <= watermark,
            quarter.flat,
            tuple(quarter.minutes),
            quarter.received,
            expected,
            active,
            uncovered,
            quarter.reporting,
            quarter.prorated,
        )

    def _members(self, region: str, start: int) -> tuple[int, int, int]:
        """The time that is expected in a window, how many meters count, and how many are not covered."""
        registry = self._bench.registry
        groups = self._regions.groups.get(region, {})
        end = start + QUARTER
        expected = active = uncovered = 0
        planned = registry.has_outages_within(start, end)
        for group in groups.values():
            members = group.members(start)
            here = members
            if planned:
                here -= self._out_at(group, end - 1, members)
            if not group.place.covered:
                uncovered += here
                continue
            active += here
            expected += group.time(start) - (self._planned(group, start, end, members) if planned else 0)
        return expected, active, uncovered

    def _planned(self, group: Group, start: int, end: int, members: int) -> int:
        """The time of a group's meters in [start, end) that is planned to be without supply."""
        registry = self._bench.registry
        whole = registry.outages_of(group.place, start, end)
        time = members * sum(until - since for since, until in whole)
        for meter_id, begins, until in registry.outages_of_meters(start, end):
            since = max(begins, self._joined(meter_id, group.place))
            if since < until:
                time += until - since
                time -= sum(max(0, min(until, last) - max(since, first)) for first, last in whole)
        return time

    def _out_at(self, group: Group, time: int, members: int) -> int:
        """How many of a group's meters are planned to be without supply at an instant."""
        registry = self._bench.registry
        if registry.outages_of(group.place, time, time + 1):
            return members
        meters = {meter_id for meter_id, _, _ in registry.outages_of_meters(time, time + 1)}
        return sum(self._joined(meter_id, group.place) <= time for meter_id in meters)

    def _joined(self, meter_id: str, place: Place) -> int:
        """The instant from which on a meter counts at a place; never if it does not now."""
        meter = self._bench.find(meter_id)
        member = self._bench.registry.registration(meter_id, None) if meter is None else meter.usage
        return NEVER if member is None or member.place != place else member.joined

    def _drop(self, limit: int) -> None:
        """Drop the sums that nothing can change any more: of quarters that ended at or before ``limit``."""
        regions = self._regions
        for region in list(regions.quarters):
            known = regions.quarters[region]
            for start in [start for start in known if start + QUARTER <= limit]:
                del known[start]
                self._bench.keep(sums_name(region, start), None)
            if not known:
                del regions.quarters[region]

    # -- meters and limits

    def _changed_groups(self) -> list[RegionGroup]:
        groups = [
            group
            for known in self._regions.groups.values()
            for group in known.values()
            if group.changed and group.place.covered
        ]
        groups.sort(key=lambda group: _order(group.place))
        return [self._group(group) for group in groups]

    def _group(self, group: Group) -> RegionGroup:
        regions, watermark = self._regions, self._bench.partition.watermark or 0
        group.changed = False
        regions.keep(group)
        place, silent = group.place, regions.silent_at.get(group.place, {})
        openings: dict[int, int] = {}
        for since in silent.values():
            openings[since] = openings.get(since, 0) + 1
        return RegionGroup(
            place.region,
            place.feeder,
            place.transformer,
            group.size - self._out_at(group, watermark, group.size),
            len(silent),
            tuple(sorted(openings.items())),
            tuple(sorted(silent)[:_NAMED_METERS]),
        )

    def _new_limits(self) -> list[RegionLimit]:
        """What regions can carry, as far as it is new: only one partition says it of a region."""
        part = self._bench.partition
        names, part.new_regions = part.new_regions, ()
        found: list[RegionLimit] = []
        for name in names:
            record: RegionRecord | None = self._bench.state(REGION + name)
            if record is not None:
                found.append(RegionLimit(name, record.version, record.capacity_kw, record.valid_from))
        return found

    def note_region(self, region: str) -> None:
        """Note that there is a new record of a region, if it is this partition that says it."""
        part, policy = self._bench.partition, self._policy
        if policy.flow == DEFAULT_FLOW and target_of(region, policy.partitions) == part.partition:
            part.new_regions = tuple(sorted({*part.new_regions, region}))


def _order(place: Place) -> tuple[str, str, str]:
    return place.region, place.feeder or "", place.transformer or ""
