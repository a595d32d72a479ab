"""Rows of the stage `regions` as plain values, by position."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from gridwatch.domain.outputs import RegionGroup, RegionWindow
from gridwatch.domain.regions.kept import Group, Kept, Last, Limit, Region, Source, Waiting, Window
from gridwatch.domain.regions.records import Incident
from gridwatch.domain.regions.state import PartitionState
from gridwatch.tables.row_kind import RowKind

#: In place of an initial entry: it is the newest one.
_SAME: Final = True
_METERS: Final = Incident._fields.index("meters")


def plain_state(state: PartitionState) -> tuple[Any, ...]:
    """A partition's state as plain values: what has no row of its own."""
    return (
        state.partition,
        state.next_offset,
        state.record_time,
        state.row_count,
        tuple((name, one.watermark, one.out) for name, one in sorted(state.sources.items())),
        state.passed,
        state.finalized,
        state.round,
        state.evaluated,
    )


def _state(plain: Any, version: int) -> PartitionState:
    state = PartitionState(plain[0])
    state.next_offset, state.record_time, state.row_count, sources = plain[1:5]
    state.passed, state.finalized, state.round, state.evaluated = plain[5:]
    state.sources = {name: Source(watermark, out=out) for name, watermark, out in sources}
    return state


def _plain_window(window: Window) -> tuple[Any, ...]:
    kept = tuple((name, *_plain_kept(one)) for name, one in sorted(window.entries.items()))
    return window.region, window.start, window.emitted, window.stale, window.again, kept


def _plain_kept(kept: Kept) -> tuple[Any, Any]:
    initial, newest = kept
    if initial is None:
        return newest[2:], None
    return newest[2:], _SAME if initial.revision == newest.revision else initial[2:]


def _window(plain: Any, version: int) -> Window:
    region, start, emitted, stale, again, kept = plain
    window = Window(region, start)
    window.emitted, window.stale, window.again = emitted, stale, again
    for name, newest, initial in kept:
        last = _entry(region, start, newest)
        first = last if initial is _SAME else None if initial is None else _entry(region, start, initial)
        window.entries[name] = Kept(first, last)
    return window


def _entry(region: str, start: int, plain: Sequence[Any]) -> RegionWindow:
    revision, initial, final, flat, minutes = plain[:5]
    return RegionWindow(region, start, revision, initial, final, flat, tuple(minutes), *plain[5:])


def _plain_region(region: Region) -> tuple[Any, ...]:
    last = tuple((name, *one) for name, one in sorted(region.last.items()))
    return region.region, tuple(map(tuple, region.limits)), last


def _region(plain: Any, version: int) -> Region:
    name, limits, last = plain
    region = Region(name)
    region.limits = tuple(Limit(*limit) for limit in limits)
    region.last = {source: Last(*one) for source, *one in last}
    return region


def _plain_group(group: Group) -> tuple[Any, ...]:
    parts = tuple((name, *part[3:]) for name, part in sorted(group.parts.items()))
    return group.region, group.feeder, group.transformer, parts


def _group(plain: Any, version: int) -> Group:
    region, feeder, transformer, parts = plain
    group = Group(region, feeder, transformer)
    group.parts = {name: _part((region, feeder, transformer, *part)) for name, *part in parts}
    return group


def _part(plain: Sequence[Any]) -> RegionGroup:
    *before, openings, meters = plain
    return RegionGroup._make((*before, tuple((minute, count) for minute, count in openings), tuple(meters)))


def _plain_waiting(waiting: Waiting) -> tuple[Any, ...]:
    return waiting.minute, waiting.source, tuple(map(tuple, waiting.groups))


def _waiting(plain: Any, version: int) -> Waiting:
    minute, source, groups = plain
    return Waiting(minute, source, tuple(map(_part, groups)))


def _incident(plain: Any, version: int) -> Incident:
    plain[_METERS] = tuple(plain[_METERS])
    return Incident(*plain)


PARTITION: Final = RowKind("partition", 1, plain_state, _state)
WINDOW: Final = RowKind("window of a region", 1, _plain_window, _window)
REGION: Final = RowKind("region", 1, _plain_region, _region)
GROUP: Final = RowKind("group of meters", 1, _plain_group, _group)
WAITING: Final = RowKind("waiting bundle", 1, _plain_waiting, _waiting)
INCIDENT: Final = RowKind("incident", 1, tuple, _incident)
