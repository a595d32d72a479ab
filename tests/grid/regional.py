"""The regions in one partition: what was received, who is expected, who is silent."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import NamedTuple

from tests.grid.meters import Accepted, Meter
from tests.grid.numbers import DAY, MINUTE, QUARTER, down, overlap, share
from tests.grid.plan import Group, Plan

_MINUTES = 15
_NAMED = 100
_CALENDARS = {"1d", "1mo"}


class Sums:
    """What came of a region and quarter."""

    def __init__(self) -> None:
        self.flat = self.received = self.extra = self.reporting = self.prorated = 0
        self.minutes = [0] * _MINUTES

    @property
    def energy(self) -> int:
        """All of it, µWh."""
        return self.flat + sum(self.minutes)


class Entry(NamedTuple):
    """One revision of the sums of a region and quarter."""

    revision: int
    initial: bool
    final: bool
    flat: int
    minutes: tuple[int, ...]
    received: int
    expected: int
    active: int
    uncovered: int
    reporting: int
    prorated: int


class GroupReport(NamedTuple):
    """The meters of a group, and the silent ones by the minute in which that was noticed."""

    active: int
    open: int
    openings: tuple[tuple[int, int], ...]
    meters: tuple[str, ...]


class Regional:
    """The sums and groups of one partition."""

    def __init__(self, lateness: int, plan: Plan) -> None:
        self.places: dict[str, Group] = {}
        #: Silent meters, by the minute in which that was noticed.
        self.silent: dict[str, int] = {}
        self._lateness = lateness
        self._plan = plan
        self._sums: dict[tuple[str, int], Sums] = defaultdict(Sums)
        self._counts: dict[Group, Counter[int]] = defaultdict(Counter)
        self._partial: dict[Group, Counter[int]] = defaultdict(Counter)
        self._first: dict[str, int] = {}
        self._emitted: dict[tuple[str, int], int] = {}
        self._changed: set[tuple[str, int]] = set()
        self._changed_groups: set[Group] = set()
        self._crossed = 0

    def start(self, watermark: int) -> None:
        """The first watermark of the partition."""
        self._crossed = watermark

    def move(self, meter: str, group: Group | None, time: int) -> None:
        """From `time` on a meter hangs somewhere else, or nowhere."""
        before = self.places.pop(meter, None)
        if group is not None:
            self.places[meter] = group
        for place, count in ((before, -1), (group, 1)):
            if place is None:
                continue
            quarter = down(time, QUARTER)
            self._counts[place][quarter] += count
            self._partial[place][quarter] += count * (quarter + QUARTER - time)
            self._touch(place.region, quarter)
            self._changed |= {key for key in self._emitted if key[0] == place.region and key[1] >= quarter}
            self._changed_groups.add(place)

    def silence(self, meter: str, minute: int | None) -> None:
        """A meter has an open gap that was not planned, noticed in that minute; or has none any more."""
        if self.silent.get(meter) == minute:
            return
        if minute is None:
            del self.silent[meter]
        else:
            self.silent[meter] = minute
        if (group := self.places.get(meter)) is not None:
            self._changed_groups.add(group)

    def take(self, meter: Meter, accepted: Accepted, watermark: int) -> None:
        """A reading was accepted, with the watermark before it, and its meter has its place."""
        region = accepted.region
        if region is None or (meter.settled and meter.interval > self._lateness):
            return
        self._add_energy(region, accepted.energy, *self._span(meter, accepted), watermark)
        if accepted.slot is None or not meter.settled:
            return
        start = accepted.slot - meter.lag
        end = start + meter.interval
        for quarter in range(down(start, QUARTER), end, QUARTER):
            if not self._takes(quarter, watermark):
                continue
            sums = self._sums[region, quarter]
            sums.received += overlap(start, end, quarter, quarter + QUARTER)
            if meter.name not in self.places:
                sums.extra += overlap(start, end, quarter, quarter + QUARTER)
            sums.reporting += quarter not in meter.reported
            meter.reported.add(quarter)
            sums.prorated += end - start > QUARTER

    def _span(self, meter: Meter, accepted: Accepted) -> tuple[int, int]:
        """The span that the energy is of; of one instant it is 1 µs long."""
        if accepted.span is not None and not accepted.revised:
            return accepted.span
        slot = accepted.slot
        if slot is None and (accepted.extra or accepted.revised):
            slot = meter.nearest(accepted.time)
        if slot is None or not meter.settled:
            return accepted.time - meter.lag, accepted.time - meter.lag + 1
        return slot - meter.lag, slot - meter.lag + meter.interval

    def _add_energy(self, region: str, energy: int, start: int, end: int, watermark: int) -> None:
        for quarter in range(down(start, QUARTER), end, QUARTER):
            if not self._takes(quarter, watermark):
                continue
            sums = self._sums[region, quarter]
            self._touch(region, quarter)
            self._changed.add((region, quarter))
            if start <= quarter and quarter + QUARTER <= end:
                sums.flat += share(energy, start, end, quarter, quarter + QUARTER)
                continue
            for number in range(_MINUTES):
                since = quarter + number * MINUTE
                sums.minutes[number] += share(energy, start, end, since, since + MINUTE)

    def _takes(self, quarter: int, watermark: int) -> bool:
        return quarter + QUARTER + self._lateness > watermark

    def _touch(self, region: str, quarter: int) -> None:
        self._first[region] = min(quarter, self._first.get(region, quarter))

    def cross(self, watermark: int) -> tuple[dict[tuple[str, int], Entry], dict[Group, GroupReport]]:
        """What a bundle says as the watermark passes a minute."""
        entries = {}
        oldest = down(self._crossed - self._lateness, QUARTER)
        for region, first in self._first.items():
            for quarter in range(max(first, oldest), watermark - QUARTER + 1, QUARTER):
                if quarter + QUARTER + self._lateness <= self._crossed:
                    continue
                entry = self._entry(region, quarter, watermark)
                if entry is not None:
                    entries[region, quarter] = entry
        self._crossed = watermark
        reports = {group: self._report(group, watermark) for group in self._changed_groups if group.covered}
        self._changed_groups.clear()
        return entries, reports

    def _entry(self, region: str, quarter: int, watermark: int) -> Entry | None:
        key = region, quarter
        known = self._emitted.get(key, 0)
        if known and key not in self._changed:
            return None
        end = quarter + QUARTER
        sums = self._sums.get(key) or Sums()
        expected, active, uncovered = self._members(region, quarter)
        expected += sums.extra
        came = bool(sums.received or sums.energy)
        if not known and not (came or ((expected or active or uncovered) and end > watermark - DAY)):
            return None
        self._changed.discard(key)
        self._emitted[key] = known + 1
        initial = end > down(self._crossed, MINUTE)
        final = watermark >= end + self._lateness
        came_of = sums.flat, tuple(sums.minutes), sums.received
        return Entry(
            known + 1, initial, final, *came_of, expected, active, uncovered, sums.reporting, sums.prorated
        )

    def _members(self, region: str, quarter: int) -> tuple[int, int, int]:
        """Expected time, active meters and uncovered ones."""
        expected, counts = 0, {True: 0, False: 0}
        end = quarter + QUARTER
        for group, changes in self._counts.items():
            if group.region != region:
                continue
            before = sum(count for at, count in changes.items() if at < quarter)
            now = before + changes[quarter]
            out = self._plan.time_of_group(group, quarter, end)
            wholly_out = any(since <= end - 1 < until for since, until in self._plan.of_group(group))
            alone = [one for one in self._plan.of_meters() if self.places.get(one.target) == group]
            if group.covered:
                expected += QUARTER * before + self._partial[group][quarter] - out * now
                expected -= sum(self._alone(group, one.since, one.until, quarter) for one in alone)
            if not wholly_out:
                counts[group.covered] += now - sum(one.since <= end - 1 < one.until for one in alone)
        return expected, counts[True], counts[False]

    def _alone(self, group: Group, since: int, until: int, quarter: int) -> int:
        """How long one meter of a group is out in a quarter, less the time that all of it is."""
        since, until = max(since, quarter), min(until, quarter + QUARTER)
        return max(0, until - since - self._plan.time_of_group(group, since, until))

    def _report(self, group: Group, watermark: int) -> GroupReport:
        members = sorted(meter for meter, place in self.places.items() if place == group)
        silent = [meter for meter in members if meter in self.silent]
        active = sum(not self._plan.planned(meter, group, watermark) for meter in members)
        openings = tuple(sorted(Counter(self.silent[meter] for meter in silent).items()))
        return GroupReport(active, len(silent), openings, tuple(silent[:_NAMED]))


def place_of(meter: Meter, lateness: int) -> Group | None:
    """Where a meter hangs: as the registry says, or by its readings."""
    entry = meter.entry
    if entry is None:
        if not meter.settled or meter.region is None:
            return None
        return Group(meter.region, None, None, meter.interval <= lateness)
    region = entry.get("region") or meter.region
    if entry["status"] not in {"installed", "active"} or region is None:
        return None
    covered = entry.get("interval") not in _CALENDARS and meter.expected_interval <= lateness
    return Group(region, entry.get("feeder"), entry.get("transformer"), covered)
