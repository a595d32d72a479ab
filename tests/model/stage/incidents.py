"""Incidents, by brute force: minute by minute, from the groups that all sources have told up to there."""

from __future__ import annotations

from typing import Any

from tests.model.stage.rows import Sent
from tests.model.stamps import MINUTE, QUARTER, show

Scope = tuple[str, str, str]  # kind, region, target
Group = dict[str, Any]
KINDS = ("storm", "feeder", "transformer")
MOST_METERS = 100


def incidents(sent: Sent) -> list[dict[str, Any]]:
    """Every revision of every incident, in order of time."""
    if not all(sent.values()):
        return []
    last = min(minute(bundles[-1]["watermark"]) for bundles in sent.values())
    told = {
        minute(bundle["watermark"]) for bundles in sent.values() for bundle in bundles if bundle["groups"]
    }
    found: list[dict[str, Any]] = []
    running: dict[Scope, dict[str, Any]] = {}  # the newest revision of what is open
    for now in sorted(one for one in told if one <= last):
        found += evaluate(groups_at(sent, now), now, running)
    return found


def minute(instant: int) -> int:
    return instant - instant % MINUTE


def groups_at(sent: Sent, now: int) -> list[Group]:
    """The newest state of every group of every source, up to a minute, without those that are empty."""
    newest = {}
    for source, bundles in sent.items():
        for bundle in bundles:
            if minute(bundle["watermark"]) <= now:
                for group in bundle["groups"]:
                    newest[source, group["region"], group["feeder"], group["transformer"]] = group
    return [group for group in newest.values() if group["active"] or group["open"]]


def evaluate(groups: list[Group], now: int, running: dict[Scope, dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    scopes = {*running, *(scope for group in groups for scope in scopes_of(group))}
    for scope in sorted(scopes, key=lambda one: (KINDS.index(one[0]), one)):
        mine = [group for group in groups if scope in scopes_of(group)]
        before = running.get(scope)
        parent = next((wider for wider in wider_than(scope, mine) if wider in running), None)
        fresh = before is None
        if before is None:
            if parent is not None or not begins(scope, mine, now):
                continue
            before = {"started": now, "revision": 0, "peak": 0, "parent": None}
        silent = sum(group["open"] for group in mine)
        over = not fresh and ends(scope, mine)
        wider_name = None if parent is None else name_of(parent, running[parent]["started"])
        revision = {
            "kind": scope[0],
            "region": scope[1],
            "target": scope[2],
            "started": before["started"],
            "state": "CLOSED" if over else "OPEN",
            "open": silent,
            "active": sum(group["active"] for group in mine),
            "meters": sorted(name for group in mine for name in group["meters"])[:MOST_METERS],
            "parent": before["parent"] if over else wider_name,
        }
        if all(
            before.get(name) == revision[name] for name in ("state", "open", "active", "meters", "parent")
        ):
            continue
        revision |= {
            "revision": before["revision"] + 1,
            "updated": now,
            "ended": now if over else None,
            "peak": max(before["peak"], silent),
        }
        found.append(revision)
        running[scope] = revision
        if over:
            del running[scope]
    return found


def scopes_of(group: Group) -> list[Scope]:
    region = group["region"]
    named = [("storm", region), ("feeder", group["feeder"]), ("transformer", group["transformer"])]
    return [(kind, region, target) for kind, target in named if target is not None]


def wider_than(scope: Scope, groups: list[Group]) -> list[Scope]:
    """The scopes that contain one of these groups, the narrowest first."""
    kind, region, _ = scope
    feeders = {group["feeder"] for group in groups}
    found = [] if kind == "storm" else [("storm", region, region)]
    if kind == "transformer" and len(feeders) == 1 and None not in feeders:
        found.insert(0, ("feeder", region, feeders.pop()))
    return found


def begins(scope: Scope, groups: list[Group], now: int) -> bool:
    active = sum(group["active"] for group in groups)
    if scope[0] == "storm":
        openings = [opening for group in groups for opening in group["openings"]]
        recent = sum(count for opened, count in openings if opened > now - QUARTER)
        return recent >= 20 and 10 * recent >= active
    silent = sum(group["open"] for group in groups)
    return bool(silent >= 3 and 2 * silent >= active)


def ends(scope: Scope, groups: list[Group]) -> bool:
    active, silent = sum(group["active"] for group in groups), sum(group["open"] for group in groups)
    if scope[0] == "storm":
        return bool(silent == 0 or 50 * silent < active)
    return not (silent >= 3 and 2 * silent >= active)


def name_of(scope: Scope, started: int) -> str:
    kind, region, target = scope
    place = region if kind == "storm" else f"{region}/{target}"
    return f"{kind}:{place}@{show(started)}"
