"""Many silent meters at once: which incidents there are at which minute, from what all partitions said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from tests.grid.numbers import MINUTE, QUARTER, down, text_of
from tests.grid.partition import Bundle
from tests.grid.plan import Group
from tests.grid.regional import GroupReport

_NAMED = 100


class Scope(NamedTuple):
    """A region, or a feeder or a transformer in it."""

    kind: str
    region: str
    target: str


class Standing(NamedTuple):
    """The silent meters of a scope at a minute."""

    open: int
    active: int
    recent: int
    meters: tuple[str, ...]


def incidents(sources: Sequence[Sequence[Bundle]]) -> list[dict[str, Any]]:
    """Every revision of every incident, by minute."""
    reached = min(down(bundles[-1].watermark, MINUTE) if bundles else 0 for bundles in sources)
    minutes = sorted(
        {down(bundle.watermark, MINUTE) for bundles in sources for bundle in bundles if bundle.groups}
    )
    state: list[dict[Group, GroupReport]] = [{} for _ in sources]
    taken = [0] * len(sources)
    watch = _Watch()
    for minute in minutes:
        if minute > reached:
            break
        for number, bundles in enumerate(sources):
            while taken[number] < len(bundles) and down(bundles[taken[number]].watermark, MINUTE) <= minute:
                state[number].update(bundles[taken[number]].groups)
                taken[number] += 1
        watch.look(minute, state)
    return watch.revisions


class _Watch:
    """The open incidents."""

    def __init__(self) -> None:
        self.revisions: list[dict[str, Any]] = []
        self._open: dict[Scope, dict[str, Any]] = {}

    def look(self, minute: int, state: Sequence[dict[Group, GroupReport]]) -> None:
        """One minute."""
        reports: dict[Scope, list[GroupReport]] = defaultdict(list)
        feeders: dict[Scope, set[str | None]] = defaultdict(set)
        for groups in state:
            for group, report in groups.items():
                for scope in _scopes(group):
                    reports[scope].append(report)
                    feeders[scope].add(group.feeder)
        for scope in sorted(reports, key=lambda one: (_ORDER[one.kind], one)):
            standing = _standing(reports[scope], minute)
            self._decide(minute, scope, standing, self._parent(scope, feeders[scope]))

    def _parent(self, scope: Scope, feeders: set[str | None]) -> str | None:
        """The open incident of the narrowest scope around this one."""
        around = []
        if scope.kind == "transformer" and len(feeders) == 1:
            around.append(Scope("feeder", scope.region, str(next(iter(feeders)))))
        if scope.kind != "storm":
            around.append(Scope("storm", scope.region, scope.region))
        return next((str(self._open[one]["id"]) for one in around if one in self._open), None)

    def _decide(self, minute: int, scope: Scope, now: Standing, parent: str | None) -> None:
        known = self._open.get(scope)
        if known is None:
            if parent is None and _opens(scope.kind, now):
                target = scope.region if scope.kind == "storm" else f"{scope.region}/{scope.target}"
                begun = {
                    "id": f"{scope.kind}:{target}@{text_of(minute)}",
                    "kind": scope.kind,
                    "region": scope.region,
                    "target": scope.target,
                    "started_at": text_of(minute),
                    "meters_peak": 0,
                    "revision": 0,
                    "parent_id": None,
                }
                self._emit(minute, scope, begun, now, "OPEN")
        else:
            over = _is_over(scope.kind, now)
            known = known if over else {**known, "parent_id": parent}
            self._emit(minute, scope, known, now, "CLOSED" if over else "OPEN")

    def _emit(self, minute: int, scope: Scope, known: dict[str, Any], now: Standing, state: str) -> None:
        record = {
            **known,
            "state": state,
            "ended_at": text_of(minute) if state == "CLOSED" else None,
            "meters_open": now.open,
            "meters_active": now.active,
            "meters_peak": max(known["meters_peak"], now.open),
            "meters": list(now.meters),
        }
        before = self._open.get(scope)
        if before is None or any(record[name] != before[name] for name in _DECISIVE):
            record |= {"revision": known["revision"] + 1, "updated_at": text_of(minute)}
            self.revisions.append(record)
            self._open[scope] = record
        if state == "CLOSED":
            del self._open[scope]


_ORDER = {"storm": 0, "feeder": 1, "transformer": 2}
_DECISIVE = ("state", "meters_open", "meters_active", "meters", "parent_id")


def _scopes(group: Group) -> Iterator[Scope]:
    yield Scope("storm", group.region, group.region)
    if group.feeder is not None:
        yield Scope("feeder", group.region, group.feeder)
    if group.transformer is not None:
        yield Scope("transformer", group.region, group.transformer)


def _standing(reports: Sequence[GroupReport], minute: int) -> Standing:
    recent = sum(count for report in reports for at, count in report.openings if at > minute - QUARTER)
    meters = tuple(sorted(meter for report in reports for meter in report.meters)[:_NAMED])
    return Standing(
        sum(report.open for report in reports), sum(report.active for report in reports), recent, meters
    )


def _opens(kind: str, now: Standing) -> bool:
    if kind == "storm":
        return now.recent >= 20 and now.recent * 10 >= now.active
    return now.open >= 3 and 2 * now.open >= now.active


def _is_over(kind: str, now: Standing) -> bool:
    if kind == "storm":
        return 50 * now.open < now.active or not now.open
    return not _opens(kind, now)
