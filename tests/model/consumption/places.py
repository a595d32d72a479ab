"""Where meters belong: groups of a region, and when in event time each of them came and went."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.model.consumption.kept import floor_to, overlap
from tests.model.registry import Piece
from tests.model.rulers import Ruler
from tests.model.stamps import MINUTE, QUARTER

if TYPE_CHECKING:
    from tests.model.meters import Meter
    from tests.model.reference import Reference

IN_USE = ("installed", "active")


class Group(NamedTuple):
    region: str
    feeder: str | None
    transformer: str | None
    covered: bool  # its meters report often enough to take part

    def order(self) -> tuple[str, str, str]:
        return self.region, self.feeder or "", self.transformer or ""

    def scopes(self) -> set[tuple[str, str | None]]:
        return {("region", self.region), ("feeder", self.feeder), ("transformer", self.transformer)}


class Places:
    """The group of every meter, and all changes since the beginning."""

    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        self.policy = reference.policy
        self.of: dict[str, Group] = {}
        self.since: dict[str, int] = {}  # in event time
        self.events: dict[Group, list[tuple[int, int]]] = {}  # (τ, +1 or -1)
        self.moved: dict[str, int] = {}  # the earliest event of a region since the last crossing
        self.changed: set[Group] = set()  # since the last bundle
        self.silent: dict[str, int] = {}  # the minute in which an unplanned OPEN gap was detected

    # -- one meter ------------------------------------------------------------------------------------------

    def now_of(self, name: str) -> Group | None:
        registration, meter = self.reference.registrations.get(name), self.reference.meters.get(name)
        entry = registration.applied if registration else None
        region = meter.region if meter else None
        if entry is not None:
            region = region if entry.region is None else entry.region
            if entry.status not in IN_USE or region is None:
                return None
            ruler = entry.ruler or Ruler(self.policy.default_interval)
            ruler = meter.ruler if meter else ruler
            return Group(region, entry.feeder, entry.transformer, self.covers(ruler))
        if meter is None or region is None or not meter.settled(self.policy):
            return None
        return Group(region, None, None, self.covers(meter.ruler))

    def covers(self, ruler: Ruler) -> bool:
        return ruler.unit is None and bool(ruler.interval <= self.policy.allowed_lateness)

    def look(self, name: str, since: int) -> None:
        """After something touched the meter: a change of its place holds from `since` on."""
        before, now = self.of.get(name), self.now_of(name)
        if before == now:
            return
        if before is not None:
            since = max(since, self.since[name])  # it does not leave before it came
        for group, sign in ((before, -1), (now, 1)):
            if group is not None:
                self.events.setdefault(group, []).append((since, sign))
                self.moved[group.region] = min(since, self.moved.get(group.region, since))
                self.changed.add(group)
        self.of.pop(name, None)
        if now is not None:
            self.of[name] = now
            self.since[name] = since

    def turned(self, name: str, since: int) -> None:
        """Entries took their turns, the last one from `since` on."""
        meter = self.reference.meters.get(name)
        self.look(name, since if meter is None else self.first_covered(meter, since))

    def first_covered(self, meter: Meter, since: int) -> int:
        """The first start, not before `since`, of what a slot of the current grid covers."""
        lag = self.reference.lag(meter)
        return meter.ruler.after(meter.changed_at, since + lag - 1) - lag

    def listen(self) -> None:
        """At the end of a step: whose unplanned gap has opened or ended."""
        reference = self.reference
        for name in {*self.of, *self.silent}:
            meter, registration = reference.meters.get(name), reference.registrations.get(name)
            gap = meter.open_gap() if meter else registration.gap if registration else None
            now = None if gap is None or gap.planned else floor_to(gap.detected, MINUTE)
            if now != self.silent.get(name) and name in self.of:
                self.changed.add(self.of[name])
            self.silent.pop(name, None)
            if now is not None:
                self.silent[name] = now

    # -- groups ---------------------------------------------------------------------------------------------

    def groups(self, region: str, covered: bool) -> list[Group]:
        return [group for group in self.events if (group.region, group.covered) == (region, covered)]

    def members(self, group: Group) -> list[str]:
        return sorted(name for name, place in self.of.items() if place == group)

    def count(self, group: Group, instant: int) -> int:
        """How many there are before the instant, in event time."""
        return sum(sign for since, sign in self.events[group] if since < instant)

    def outages(self) -> list[Piece]:
        return [piece for pieces in self.reference.outages.pieces.values() for piece in pieces]

    def out(self, group: Group, name: str | None, instant: int) -> bool:
        """Whether the group, or its meter of this name, is in a planned outage."""
        scopes = group.scopes() | {("meter", name)}
        return any(
            piece.since <= instant < piece.until and (piece.scope, piece.target) in scopes
            for piece in self.outages()
        )

    def is_out(self, group: Group, name: str, instant: int) -> bool:
        """Whether a member is in a planned outage; in one of its own only once it is there."""
        own = self.since[name] <= instant and self.out(group, name, instant)
        return own or self.out(group, None, instant)

    def present(self, group: Group, window: int) -> int:
        """The members at the end of a quarter who are not in a planned outage."""
        last = window + QUARTER - 1
        if self.out(group, None, last):
            return 0
        out = sum(self.is_out(group, name, last) for name in self.members(group))
        return self.count(group, window + QUARTER) - out

    def expected(self, group: Group, window: int) -> int:
        """For how long readings were expected of its members in a quarter, in all."""
        end = window + QUARTER
        time = sum(
            sign * overlap(since, end, window, end) for since, sign in self.events[group] if since < end
        )
        mine = [piece for piece in self.outages() if (piece.scope, piece.target) in group.scopes()]
        shared = union([(piece.since, piece.until) for piece in mine], window)
        time -= length(shared) * self.count(group, end)
        members = self.members(group)
        for piece in self.outages():
            if piece.scope == "meter" and piece.target in members:
                own = union([(max(piece.since, self.since[piece.target]), piece.until)], window)
                time -= length(own) - sum(overlap(*one, *other) for one in own for other in shared)
        return time


def union(spans: list[tuple[int, int]], window: int) -> list[tuple[int, int]]:
    """What spans cover of a quarter, as spans that do not overlap."""
    found: list[tuple[int, int]] = []
    for since, until in sorted((max(since, window), min(until, window + QUARTER)) for since, until in spans):
        if found and since <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], until))
        elif since < until:
            found.append((since, until))
    return found


def length(spans: list[tuple[int, int]]) -> int:
    return sum(until - since for since, until in spans)
