"""The sums of regions by quarter of an hour, and the bundles in which they are sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.model.consumption.kept import Kept, floor_to, overlap, pieces, share
from tests.model.consumption.places import Group, Places
from tests.model.control_judging import Region
from tests.model.judging import partition_of
from tests.model.stamps import DAY, MINUTE, QUARTER

if TYPE_CHECKING:
    from tests.model.meters import Meter
    from tests.model.reference import Reference

MOST_METERS = 100
DEFAULT_FLOW = "smartmeter"
Span = tuple[int, int]


@dataclass
class Sums:
    """Of one region and quarter: what readings added to it."""

    flat: int = 0
    minutes: list[int] = field(default_factory=lambda: [0] * 15)
    received: int = 0
    extra: int = 0
    reporting: int = 0
    prorated: int = 0

    @property
    def counted(self) -> bool:
        return bool(self.flat) or any(self.minutes)


class Regional:
    """What one partition knows of the regions."""

    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        self.policy = reference.policy
        self.places = Places(reference)
        self.sums: dict[tuple[str, int], Sums] = {}
        self.touched: set[tuple[str, int]] = set()  # since the last crossing
        self.shown: dict[tuple[str, int], int] = {}  # revisions
        self.limits: dict[str, Region] = {}
        self.news: set[str] = set()  # regions with a new record since the last bundle
        self.last = 0  # the watermark at the last crossing

    # -- readings -------------------------------------------------------------------------------------------

    def contribute(self, meter: Meter, kept: Kept, flags: set[str], more: int, begun: int) -> int | None:
        """Add a reading, whose energy is so much `more` than before, to the sums of its region. Returns what
        of it lies in dropped quarters; None if it has no region to count in."""
        settled = meter.settled(self.policy)
        region = meter.region if kept.region is None else kept.region
        if region is None or (settled and not self.places.covers(meter.ruler)):
            return None
        unplaced = self.add_energy(region, meter, kept, flags, more, begun)
        if kept.slot is not None and settled and "REVISED" not in flags:
            self.add_time(region, meter, kept, begun)
        return unplaced

    def add_energy(
        self, region: str, meter: Meter, kept: Kept, flags: set[str], more: int, begun: int
    ) -> int:
        time, unplaced = self.covered(meter, kept, flags), 0
        if isinstance(time, int):
            window = floor_to(time, QUARTER)
            sums = self.live(region, window, begun)
            if sums is None:
                return more
            sums.minutes[(time - window) // MINUTE] += more
            return 0
        for window in pieces(*time, QUARTER):
            sums = self.live(region, window, begun)
            if sums is None:
                unplaced += share(more, time, window, window + QUARTER)
            elif time[0] <= window and window + QUARTER <= time[1]:
                sums.flat += share(more, time, window, window + QUARTER)
            else:
                for number in range(15):
                    minute = window + number * MINUTE
                    sums.minutes[number] += share(more, time, minute, minute + MINUTE)
        return unplaced

    def covered(self, meter: Meter, kept: Kept, flags: set[str]) -> Span | int:
        """The time over which the energy of a reading is spread, or the instant at which it counts."""
        if kept.span is not None and "REVISED" not in flags:
            return kept.span
        if not meter.settled(self.policy):
            return kept.stamp
        if kept.slot is not None and "REVISED" not in flags:
            return kept.slot.since, kept.slot.until
        time = self.on_grid(meter, kept.stamp)
        if time is not None and flags & {"EXTRA", "REVISED"}:
            return time
        return kept.stamp - self.reference.lag(meter)

    def on_grid(self, meter: Meter, stamp: int) -> Span | None:
        """What the slot covers in which a reading lies, whoever filled it."""
        point = meter.slot_of(stamp)
        if point is None:
            return None
        since = point - self.reference.lag(meter)
        return since, since + meter.stretch_at(stamp)[0].interval

    def live(self, region: str, window: int, begun: int) -> Sums | None:
        """The sums of a quarter that changes; None if it is dropped."""
        if window + QUARTER + self.policy.allowed_lateness <= begun:
            return None
        self.touched.add((region, window))
        return self.sums.setdefault((region, window), Sums())

    def add_time(self, region: str, meter: Meter, kept: Kept, begun: int) -> None:
        assert kept.slot is not None
        slot, since, until = kept.slot
        unexpected = meter.meter_id not in self.places.of or slot < meter.known[0].start
        others = [one.slot for one in meter.kept.values() if one.received and one.slot is not None]
        kept.received = True
        for window in pieces(since, until, QUARTER):
            sums = self.live(region, window, begun)
            if sums is None:
                continue
            time = overlap(since, until, window, window + QUARTER)
            sums.received += time
            sums.extra += time * unexpected
            sums.prorated += until - since > QUARTER
            sums.reporting += not any(
                overlap(one.since, one.until, window, window + QUARTER) for one in others
            )

    def learn(self, record: Region) -> None:
        """A record of a region."""
        known = self.limits.get(record.region)
        if known is None or record.version > known.version:
            self.limits[record.region] = record
            self.news.add(record.region)

    # -- bundles --------------------------------------------------------------------------------------------

    def crossing(self, before: int) -> list[dict[str, Any]]:
        """One bundle for every target. `before`: the minute of the crossing before."""
        windows, groups, limits = self.windows(before), self.groups(), self.regions()
        self.last, self.touched, self.news = self.reference.now(), set(), set()
        self.places.moved, self.places.changed = {}, set()
        return [
            {
                "flow": self.policy.flow,
                "partition": self.reference.partition,
                "target": target,
                "watermark": self.reference.now(),
                "windows": [one for one in windows if self.target(one["region"]) == target],
                "groups": [one for one in groups if self.target(one["region"]) == target],
                "limits": limits if target == self.reference.partition else [],
            }
            for target in range(self.policy.partitions)
        ]

    def target(self, region: str) -> int:
        return partition_of(region, self.policy.partitions)

    def regions(self) -> list[dict[str, Any]]:
        if self.policy.flow != DEFAULT_FLOW:
            return []
        mine = sorted(name for name in self.news if self.target(name) == self.reference.partition)
        return [
            {
                "region": name,
                "version": self.limits[name].version,
                "capacity_kw": self.limits[name].capacity_kw,
                "valid_from": self.limits[name].valid_from,
            }
            for name in mine
        ]

    def groups(self) -> list[dict[str, Any]]:
        places, now = self.places, self.reference.now()
        found = []
        for group in sorted((one for one in places.changed if one.covered), key=Group.order):
            members = places.members(group)
            silent = [name for name in members if name in places.silent]
            minutes = [places.silent[name] for name in silent]
            found.append({
                "region": group.region,
                "feeder": group.feeder,
                "transformer": group.transformer,
                "active": len(members) - sum(places.is_out(group, name, now) for name in members),
                "open": len(silent),
                "openings": [[minute, minutes.count(minute)] for minute in sorted(set(minutes))],
                "meters": silent[:MOST_METERS],
            })  # fmt: skip
        return found

    def windows(self, before: int) -> list[dict[str, Any]]:
        """What there is to say of ended quarters, by (start, region)."""
        now, lateness = self.reference.now(), self.policy.allowed_lateness
        regions = sorted({group.region for group in self.places.events} | {name for name, _ in self.sums})
        found = []
        first = floor_to(min(before, self.last) - lateness - QUARTER, QUARTER)
        for start in range(first, now - QUARTER + 1, QUARTER):
            end = start + QUARTER
            if end + lateness <= before:
                continue  # dropped
            for region in regions:
                known, initial = self.shown.get((region, start), 0), before < end
                changed = (region, start) in self.touched or self.places.moved.get(region, end) < end
                if not changed and not initial:
                    continue
                sums = self.sums.get((region, start), Sums())
                if not known and not sums.received and not sums.counted and end <= now - DAY:
                    continue
                window = self.window(region, start, sums)
                if not known and not any(window[name] for name in CONTENT) and not sums.counted:
                    continue
                self.shown[region, start] = known + 1
                final = now >= end + lateness
                head = {"region": region, "start": start, "revision": known + 1, "initial": initial}
                found.append({**head, "final": final, **window})
        return found

    def window(self, region: str, start: int, sums: Sums) -> dict[str, Any]:
        places = self.places
        covered, others = places.groups(region, covered=True), places.groups(region, covered=False)
        return {
            "flat": sums.flat,
            "minutes": list(sums.minutes),
            "received": sums.received,
            "expected": max(0, sum(places.expected(group, start) for group in covered)) + sums.extra,
            "active": sum(places.present(group, start) for group in covered),
            "uncovered": sum(places.present(group, start) for group in others),
            "reporting": sums.reporting,
            "prorated": sums.prorated,
        }


CONTENT = ("expected", "received", "active", "uncovered")
