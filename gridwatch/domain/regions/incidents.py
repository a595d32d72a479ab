"""Incidents: many meters that fell silent together, in a region, on a feeder, at a transformer.

A transformer or feeder has one while at least three of its meters, and half of them, have an open gap that
nobody planned. A region has a *storm* from the minute at which the gaps of a tenth of its meters, and of
twenty, were detected within a quarter of an hour, until fewer than 2% are open.

A narrower scope opens none while a wider one that contains it has one: that one says it already. One that is
open before stays so, and names the narrowest wider one as its parent; the last revision keeps the parent that
it had. Planned outages are no matter here: the sources count neither their meters nor their gaps.
"""

from __future__ import annotations

from typing import Final

from gridwatch.domain.policy import MINUTE
from gridwatch.domain.regions.kept import Group, Scope, first_meters, incident_name
from gridwatch.domain.regions.outcome import Outcome
from gridwatch.domain.regions.records import CLOSED, OPEN, Incident
from gridwatch.domain.regions.state import PartitionState

STORM: Final = "storm"
FEEDER: Final = "feeder"
TRANSFORMER: Final = "transformer"

#: How long detected gaps count for the beginning of a storm.
_TOGETHER: Final = 15 * MINUTE
_STORM_METERS: Final = 20
_METERS: Final = 3


class Tally:
    """The groups of a scope, added up."""

    __slots__ = ("active", "groups", "open")

    def __init__(self) -> None:
        self.groups: list[Group] = []
        self.open = 0
        self.active = 0

    def add(self, group: Group) -> None:
        """Add a group."""
        self.groups.append(group)
        self.open += group.open
        self.active += group.active

    def openings_after(self, minute: int) -> int:
        """Meters with an open gap that was detected after a minute."""
        return sum(
            count
            for group in self.groups
            if group.open
            for part in group.parts.values()
            for detected, count in part.openings
            if detected > minute
        )

    def meters(self) -> tuple[str, ...]:
        """The first meters with an open gap, by id."""
        return first_meters(group.meters for group in self.groups)

    @property
    def is_silent(self) -> bool:
        """Whether so many are silent that it is an incident of a transformer or feeder."""
        return self.open >= _METERS and 2 * self.open >= self.active


def evaluate(state: PartitionState, region: str, minute: int, onto: Outcome) -> None:
    """Open, revise and close the incidents of a region, as its groups are at a minute."""
    whole = Tally()
    feeders: dict[str, Tally] = {}
    transformers: dict[str, Tally] = {}
    for group in state.groups.get(region, {}).values():
        whole.add(group)
        if group.feeder is not None:
            feeders.setdefault(group.feeder, Tally()).add(group)
        if group.transformer is not None:
            transformers.setdefault(group.transformer, Tally()).add(group)
    for kind, place, target in state.incidents:
        if place == region and kind == FEEDER:
            feeders.setdefault(target, Tally())
        elif place == region and kind == TRANSFORMER:
            transformers.setdefault(target, Tally())
    desk = _Desk(state, minute, onto)
    scope = (STORM, region, region)
    if scope in state.incidents:
        silent = whole.open > 0 and 50 * whole.open >= whole.active
    else:
        opened = whole.openings_after(minute - _TOGETHER)
        silent = opened >= _STORM_METERS and 10 * opened >= whole.active
    storm = desk.judge(scope, whole, silent=silent, wider=None)
    of_feeder: dict[str, str | None] = {}
    for name in sorted(feeders):
        tally = feeders[name]
        of_feeder[name] = desk.judge((FEEDER, region, name), tally, silent=tally.is_silent, wider=storm)
    for name in sorted(transformers):
        tally = transformers[name]
        wider = _incident_of_feeder(tally, of_feeder) or storm
        desk.judge((TRANSFORMER, region, name), tally, silent=tally.is_silent, wider=wider)


def _incident_of_feeder(tally: Tally, of_feeder: dict[str, str | None]) -> str | None:
    """The open incident of the feeder that all groups of a transformer are on, if there is one."""
    names = {group.feeder for group in tally.groups}
    only = names.pop() if len(names) == 1 else None
    return None if only is None else of_feeder[only]


class _Desk:
    """Judges the scopes at one minute."""

    def __init__(self, state: PartitionState, minute: int, onto: Outcome) -> None:
        self._incidents = state.incidents
        self._minute = minute
        self._onto = onto

    def judge(self, scope: Scope, tally: Tally, *, silent: bool, wider: str | None) -> str | None:
        """The id of the incident that a scope has now, if it has one.

        ``silent``: whether it is to have one. ``wider``: the open incident of the narrowest scope around it.
        """
        known = self._incidents.get(scope)
        if known is None:
            if not silent or wider is not None:
                return None
            now = self._new(scope, tally)
        else:
            now = self._revised(known, tally, silent=silent, wider=wider)
            if now is known:
                return known.id
        self._onto.outputs.append(now)
        if now.state == CLOSED:
            del self._incidents[scope]
            self._onto.remove(incident_name(scope))
            return None
        self._incidents[scope] = now
        self._onto.change(incident_name(scope), now)
        return now.id

    def _new(self, scope: Scope, tally: Tally) -> Incident:
        kind, region, target = scope
        minute, count = self._minute, tally.open
        meters = tally.meters()
        return Incident(
            *(kind, region, target, minute, OPEN, 1, minute, None, count, tally.active, count, meters, None)
        )

    def _revised(self, known: Incident, tally: Tally, *, silent: bool, wider: str | None) -> Incident:
        """The incident as it is now; the same one if nothing has changed."""
        meters = tally.meters()
        parent = wider if silent else known.parent
        if silent and (known.open, known.active, known.meters, known.parent) == (
            *(tally.open, tally.active, meters, parent),
        ):
            return known
        return known._replace(
            state=OPEN if silent else CLOSED,
            revision=known.revision + 1,
            updated=self._minute,
            ended=None if silent else self._minute,
            open=tally.open,
            active=tally.active,
            peak=max(known.peak, tally.open),
            meters=meters,
            parent=parent,
        )
