"""Rows and incidents of a log by their definitions: everything from the whole history, at every record.

Slow, and without any state of its own but the log up to a record; numbers are fractions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from gridwatch.domain.instants import format_instant
from gridwatch.domain.outputs import Bundle, RegionGroup, RegionLimit, RegionWindow
from gridwatch.domain.regions.records import Incident, RegionRow, SourceOut

MINUTE = 60_000_000
QUARTER = 15 * MINUTE
NEVER = -(10**30)


@dataclass
class Slow:
    """The history of a partition up to a record."""

    sources: list[str]
    lateness: int
    taken: list[tuple[str, Bundle]] = field(default_factory=list)
    out: set[str] = field(default_factory=set)
    #: (region, start) → (rows that were published, the sum of revisions in the last one, how often again)
    published: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    final: set[tuple[str, int]] = field(default_factory=set)
    reached: int = NEVER
    ended: int = NEVER
    minute: int = NEVER
    evaluated: int = NEVER
    counted: int = 0
    incidents: dict[tuple[str, str, str], Incident] = field(default_factory=dict)
    outputs: list[Any] = field(default_factory=list)

    def run(self, log: Sequence[Bundle | SourceOut]) -> list[Any]:
        """All outputs of a log."""
        for content in log:
            name = f"{content.flow}/{content.partition}"
            before = self.at(name)
            if isinstance(content, SourceOut):
                ahead = before == NEVER or any(self.at(one) > before for one in self.sources)
                if name in self.out or not ahead:
                    continue
                self.out.add(name)
                self.step(None, before)
            elif content.watermark > before:
                self.taken.append((name, content))
                self.out.discard(name)
                self.step(name, before)
        return self.outputs

    def at(self, source: str) -> int:
        return max((one.watermark for name, one in self.taken if name == source), default=NEVER)

    # -- rows

    def step(self, source: str | None, before: int) -> None:
        waited = [self.at(one) for one in self.sources if one not in self.out]
        slowest = min(waited) if waited else max(map(self.at, self.sources))
        heard = [self.at(one) for one in self.sources if one not in self.out or self.at(one) > NEVER]
        last = max(self.ended, min(heard, default=NEVER))
        known = sorted({(one.start, one.region) for _, given in self.taken for one in given.windows})
        known = [one for one in known if one[0] + QUARTER + self.lateness > self.ended]
        if source is not None:
            for start, region in known:
                if before < start + QUARTER <= min(self.at(source), self.reached):
                    self.again(region, start)
        if slowest // MINUTE > self.minute // MINUTE:
            for start, region in known:
                end = start + QUARTER
                place = (region, start)
                if end <= self.reached and end + self.lateness > last and self.sum(place) != self.used(place):
                    self.publish(place, "UPDATED", self.newest(place), 0)
        self.minute = slowest
        for start, region in known:
            if self.reached < start + QUARTER <= slowest:
                self.first(region, start)
        self.reached = max(self.reached, slowest)
        for start, region in known:
            if start + QUARTER + self.lateness <= last:
                self.publish((region, start), "FINAL", self.newest((region, start)), 1)
        self.ended = last
        self.judge(slowest)

    def entries(self, place: tuple[str, int]) -> dict[str, list[RegionWindow]]:
        found: dict[str, list[RegionWindow]] = {}
        for name, given in self.taken:
            for one in given.windows:
                if (one.region, one.start) == place:
                    found.setdefault(name, []).append(one)
        return found

    def newest(self, place: tuple[str, int]) -> list[RegionWindow]:
        return [max(some, key=lambda one: one.revision) for some in self.entries(place).values()]

    def sum(self, place: tuple[str, int]) -> int:
        return sum(one.revision for one in self.newest(place))

    def used(self, place: tuple[str, int]) -> int:
        return self.published.get(place, [0, 0, 0])[1]

    def first(self, region: str, start: int) -> None:
        place = (region, start)
        initial = [one for some in self.entries(place).values() for one in some if one.initial]
        if initial:
            self.publish(place, "PRELIMINARY", initial, 0)

    def again(self, region: str, start: int) -> None:
        known = self.published.get((region, start))
        if known is not None:
            known[2] += 1
        self.publish((region, start), "PRELIMINARY", self.newest((region, start)), 0)

    def publish(self, place: tuple[str, int], state: str, entries: list[RegionWindow], more: int) -> None:
        known = self.published.setdefault(place, [0, 0, 0])
        known[0] += 1
        known[1] = sum(one.revision for one in entries)
        revision = known[1] + known[2] + more
        self.outputs.append(self.row(place, state, entries, revision))

    def row(
        self, place: tuple[str, int], state: str, entries: list[RegionWindow], revision: int
    ) -> RegionRow:
        region, start = place
        missing = [one for one in self.sources if self.at(one) < start + QUARTER]
        gone = [one for one in (self.last_of(name, region) for name in missing) if one is not None]
        active = sum(one.active for one in [*entries, *gone])
        uncovered = sum(one.uncovered for one in [*entries, *gone])
        received = sum(one.received for one in entries)
        expected = sum(one.expected for one in entries) + sum(one.active * QUARTER for one in gone)
        by_minute = [
            Fraction(sum(one.flat for one in entries), 15) + sum(one.minutes[number] for one in entries)
            for number in range(15)
        ]
        energy = sum(by_minute, Fraction(0))
        load = None
        if received and Fraction(received, max(expected, 1)) >= Fraction(8, 10):
            # µWh in a quarter of an hour, as mW.
            load = energy * 4 / 1000 * max(Fraction(1), Fraction(expected, received))
        capacity = self.capacity(region, start)
        share = None if load is None or capacity is None else load / capacity * 100
        return RegionRow(
            *(region, start, revision, state, not missing, active, sum(one.reporting for one in entries)),
            None if not expected else round(min(Fraction(1), Fraction(received, expected)) * 10_000),
            int(energy),
            None if load is None else round(load),
            round(min(by_minute) * 60 / 1000) if received else None,
            round(max(by_minute) * 60 / 1000) if received else None,
            capacity,
            None if share is None else round(share * 10),
            any(one.prorated for one in entries),
            uncovered,
        )

    def last_of(self, source: str, region: str) -> RegionWindow | None:
        mine = [one for name, given in self.taken if name == source for one in given.windows]
        mine = [one for one in mine if one.region == region]
        return max(mine, key=lambda one: (one.start, one.revision), default=None)

    def capacity(self, region: str, start: int) -> int | None:
        held: RegionLimit | None = None
        version = 0
        for _, given in self.taken:
            for one in given.limits:
                if one.region == region and one.version > version:
                    version = one.version
                    if start + QUARTER > given.watermark and start >= (one.valid_from or NEVER):
                        held = one
        return None if held is None else round(held.capacity_kw * 1_000_000) or None

    # -- incidents

    def judge(self, slowest: int) -> None:
        while True:
            waiting = [one.watermark // MINUTE * MINUTE for _, one in self.uncounted()]
            if not waiting or max(min(waiting), self.evaluated + MINUTE) > slowest:
                return
            self.evaluated = max(min(waiting), self.evaluated + MINUTE)
            self.evaluate(self.evaluated)

    def uncounted(self) -> list[tuple[str, Bundle]]:
        return [(name, one) for name, one in self.taken if one.groups and id(one) not in self._done]

    def __post_init__(self) -> None:
        self._done: set[int] = set()

    def evaluate(self, minute: int) -> None:
        now: dict[tuple[str, str, str | None, str | None], RegionGroup] = {}
        for name, given in self.taken:
            if given.watermark // MINUTE * MINUTE <= minute:
                self._done.add(id(given))
                for one in given.groups:
                    now[name, one.region, one.feeder, one.transformer] = one
        groups = [one for one in now.values() if one.active or one.open]
        for region in sorted({one.region for one in now.values()}):
            self.evaluate_region(region, minute, [one for one in groups if one.region == region])

    def evaluate_region(self, region: str, minute: int, groups: list[RegionGroup]) -> None:
        opened = sum(n for one in groups for at, n in one.openings if at > minute - QUARTER)
        active, silent = sum(one.active for one in groups), sum(one.open for one in groups)
        key = ("storm", region, region)
        if key in self.incidents:
            is_storm = silent > 0 and silent * 50 >= active
        else:
            is_storm = opened >= 20 and opened * 10 >= active
        self.set(key, groups, minute, is_storm, None)
        storm = self.incidents.get(key)
        known = {one[2] for one in self.incidents if one[:2] == ("feeder", region)}
        for name in sorted(known | {one.feeder for one in groups if one.feeder is not None}):
            mine = [one for one in groups if one.feeder == name]
            self.set(("feeder", region, name), mine, minute, _many(mine), storm)
        known = {one[2] for one in self.incidents if one[:2] == ("transformer", region)}
        for name in sorted(known | {one.transformer for one in groups if one.transformer is not None}):
            mine = [one for one in groups if one.transformer == name]
            feeders = [one.feeder for one in mine]
            around = storm
            if feeders and feeders[0] is not None and all(one == feeders[0] for one in feeders):
                around = self.incidents.get(("feeder", region, feeders[0]), storm)
            self.set(("transformer", region, name), mine, minute, _many(mine), around)

    def set(
        self,
        key: tuple[str, str, str],
        groups: list[RegionGroup],
        minute: int,
        is_one: bool,
        around: Incident | None,
    ) -> None:
        known = self.incidents.get(key)
        if known is None and (not is_one or around is not None):
            return
        silent, active = sum(one.open for one in groups), sum(one.active for one in groups)
        meters = tuple(sorted(meter for one in groups for meter in one.meters)[:100])
        if known is None:
            new = Incident(*key, minute, "OPEN", 1, minute, None, silent, active, silent, meters, None)
        else:
            parent = known.parent if not is_one else None if around is None else _id(around)
            new = known._replace(
                open=silent, active=active, meters=meters, parent=parent, state="OPEN" if is_one else "CLOSED"
            )
            if new == known:
                return
            new = new._replace(
                revision=known.revision + 1,
                updated=minute,
                ended=None if is_one else minute,
                peak=max(known.peak, silent),
            )
        self.outputs.append(new)
        if is_one:
            self.incidents[key] = new
        else:
            del self.incidents[key]


def _many(groups: list[RegionGroup]) -> bool:
    silent, active = sum(one.open for one in groups), sum(one.active for one in groups)
    return silent >= 3 and Fraction(silent, max(active, 1)) >= Fraction(1, 2)


def _id(one: Incident) -> str:
    place = one.region if one.kind == "storm" else f"{one.region}/{one.target}"
    return f"{one.kind}:{place}@{format_instant(one.started)}"
