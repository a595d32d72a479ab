"""Groups of meters with open gaps, minute by minute.

A bundle says which groups have changed. The picture at minute m is made of all bundles with a watermark in or
before it. A minute is evaluated once every source that is waited for has come to it, in order, and only if a
bundle with groups belongs to it: bundles of sources that are ahead wait for their minute. Those of a source
that was out may come too late for theirs; they count at the first minute after the last one evaluated.
"""

from __future__ import annotations

from gridwatch.domain.outputs import Bundle, RegionGroup
from gridwatch.domain.policy import MINUTE
from gridwatch.domain.regions.incidents import evaluate
from gridwatch.domain.regions.kept import Group, Waiting
from gridwatch.domain.regions.outcome import Outcome
from gridwatch.domain.regions.state import PartitionState


def take(state: PartitionState, bundle: Bundle, source: str, onto: Outcome) -> None:
    """Let the groups of a bundle wait for their minute."""
    if not bundle.groups:
        return
    minute = bundle.watermark - bundle.watermark % MINUTE
    waiting = state.waiting.setdefault(minute, {})
    known = waiting.get(source)
    groups = bundle.groups if known is None else (*known.groups, *bundle.groups)
    one = waiting[source] = Waiting(minute, source, groups)
    onto.change(one.name, one)


def advance(state: PartitionState, onto: Outcome) -> None:
    """Evaluate the minutes to which every source has come."""
    slowest = state.slowest
    while state.waiting:
        minute = max(min(state.waiting), state.evaluated + MINUTE)
        if minute > slowest:
            return
        touched: dict[str, dict[tuple[str | None, str | None], Group]] = {}
        for past in sorted(one for one in state.waiting if one <= minute):
            waiting = state.waiting.pop(past)
            for source in sorted(waiting):
                for part in waiting[source].groups:
                    group = _apply(state, source, part)
                    touched.setdefault(part.region, {})[part.feeder, part.transformer] = group
                onto.remove(waiting[source].name)
        state.evaluated = minute
        for region in sorted(touched):
            for group in touched[region].values():
                _renew(state, group, onto)
            evaluate(state, region, minute, onto)


def _apply(state: PartitionState, source: str, part: RegionGroup) -> Group:
    """Put a group in as its source has it now; without members and open gaps it is none there."""
    groups = state.groups.setdefault(part.region, {})
    key = (part.feeder, part.transformer)
    group = groups.get(key)
    if group is None:
        group = groups[key] = Group(part.region, part.feeder, part.transformer)
    if part.active or part.open:
        group.parts[source] = part
    else:
        group.parts.pop(source, None)
    return group


def _renew(state: PartitionState, group: Group, onto: Outcome) -> None:
    """Add up a group that has changed; one of no source is removed."""
    if group.parts:
        group.add_up()
        onto.change(group.name, group)
    else:
        onto.remove(group.name)
        del state.groups[group.region][group.feeder, group.transformer]
