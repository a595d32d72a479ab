"""Planned outages, as far as the input has them: each known before it begins, none cancelled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.grid.numbers import instant, union


class Group(NamedTuple):
    """Where a meter hangs in the grid; `covered`: it reports often enough to take part."""

    region: str
    feeder: str | None
    transformer: str | None
    covered: bool


class Outage(NamedTuple):
    """Nothing is expected of its scope in [since, until)."""

    scope: str
    target: str
    since: int
    until: int

    def covers(self, meter: str, group: Group | None) -> bool:
        """Whether a meter is within its scope."""
        if self.scope == "meter":
            return meter == self.target
        return group is not None and getattr(group, self.scope) == self.target


class Plan:
    """The outages that a partition knows."""

    def __init__(self) -> None:
        self.outages: list[Outage] = []

    def take(self, body: dict[str, Any]) -> None:
        """A record of an outage."""
        span = instant(body["from"]), instant(body["until"])
        self.outages.append(Outage(body["scope"], body["target"], *span))

    def planned(self, meter: str, group: Group | None, time: int) -> bool:
        """Whether an instant of a meter lies in a planned outage."""
        return any(one.since <= time < one.until and one.covers(meter, group) for one in self.outages)

    def of_group(self, group: Group) -> list[tuple[int, int]]:
        """The spans of outages that the whole group is in."""
        return [
            (one.since, one.until) for one in self.outages if one.scope != "meter" and one.covers("", group)
        ]

    def time_of_group(self, group: Group, since: int, to: int) -> int:
        """How long the whole group is planned to be out in [since, to)."""
        return union(self.of_group(group), since, to)

    def of_meters(self) -> Iterator[Outage]:
        """Those of single meters."""
        return (one for one in self.outages if one.scope == "meter")
