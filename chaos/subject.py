"""The system under test: a worker's application, and how the state of each of its stages is compared."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gridwatch.agents.readings import READINGS
from gridwatch.agents.regions import REGIONS
from gridwatch.domain.meter.archive import COLD, Archive
from gridwatch.domain.meter.changes import GapChanges
from gridwatch.domain.meter.settlement import settle
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.partition.workbench import horizon_of
from gridwatch.domain.policy import Policy
from gridwatch.domain.regions.state import PartitionState as RegionsState
from gridwatch.errors import UsageProblem
from gridwatch.settings import Settings
from gridwatch.streaming.stage.declaration import Stage
from gridwatch.tables import region_rows
from gridwatch.tables.meter_rows import METER, due_of
from gridwatch.tables.partition_rows import plain_state
from gridwatch.tables.readings import METERS
from gridwatch.tables.row_kind import decode_plain
from gridwatch.topics import Topic, all_topics


@dataclass(frozen=True)
class Observed:
    """A stage under test."""

    stage: Stage[Any]
    #: The state of a partition in plain values, without what differs between two runs: what depends on the
    #: wall clock; and the position, where a crash upstream repeats records of the source.
    plain: Callable[[Any], Any]
    #: Whether nothing is due in a partition whose source is processed to the end, by its partition row's
    #: state and its state rows.
    is_complete: Callable[[Settings, Any, Iterable[bytes]], bool] = lambda settings, state, rows: True
    #: The states of a partition in plain values by name, from its partition row's state and its rows: without
    #: what depends on where commits were cut.
    states: Callable[[Settings, Any, Mapping[str, bytes]], dict[str, Any]] = lambda settings, state, rows: {
        name: decode_plain(row[1:]) for name, row in rows.items()
    }


@dataclass(frozen=True)
class Subject:
    """A worker's application, and its stages, each after those whose outputs it reads."""

    app: str
    stages: tuple[Observed, ...]
    #: Outputs that no sink stores, besides those of gridwatch itself.
    outputs: tuple[Topic, ...] = ()

    def topics(self, app_id: str) -> list[Topic]:
        """Every topic that has to exist."""
        of_stages = [topic for one in self.stages for topic in one.stage.topics(app_id)]
        return list({topic.name: topic for topic in (*all_topics(app_id), *of_stages)}.values())

    def changelogs(self, app_id: str) -> list[str]:
        """The changelogs of its stages."""
        return [one.stage.changelog(app_id).name for one in self.stages]


def _plain(state: PartitionState) -> Any:
    # These are broker timestamps.
    return plain_state(replace(state, record_time=None, reading_time=None, tick_time=None))


def _is_complete(settings: Settings, state: PartitionState, meters: Iterable[bytes]) -> bool:
    """Whether nothing is due at the watermark, and the closed windows are emitted."""
    policy = settings.policy()
    watermark, window = state.watermark, policy.metrics_window
    if watermark is None:
        return True
    return state.emitted_until >= watermark - watermark % window and not any(
        due_of(meter) <= watermark and _has_work(state, meter, watermark, policy) for meter in meters
    )


def _has_work(state: PartitionState, row: bytes, watermark: int, policy: Policy) -> bool:
    """Whether a meter that is due is settled now, and does not wait for the end of a run to be passed."""
    if state.end is None:
        return True
    changes = GapChanges(policy, watermark)
    return settle(METER.decode(row), changes, state.end) or bool(changes.was_open)


def _states(settings: Settings, state: PartitionState, rows: Mapping[str, bytes]) -> dict[str, Any]:
    """The meters, each with all its remembered readings, the kept registers, and the registry."""
    policy = settings.policy()
    horizon = horizon_of(state, policy)
    states = {name: METERS.decode(name, row) for name, row in rows.items()}
    found: dict[str, Any] = {}
    for name, one in states.items():
        if isinstance(one, MeterState):
            Archive(name, one, states.get, {}, horizon).join()
            found[name] = METER.plain(one)
        elif not name.startswith(COLD):
            found[name] = decode_plain(rows[name][1:])
    return found


def _plain_regions(state: RegionsState) -> Any:
    # Not the position: a crash upstream repeats bundles.
    position, record_time = state.next_offset, state.record_time
    state.next_offset, state.record_time = 0, None
    plain = region_rows.plain_state(state)
    state.next_offset, state.record_time = position, record_time
    return plain


def _states_of_regions(settings: Settings, state: RegionsState, rows: Mapping[str, bytes]) -> dict[str, Any]:
    """Everything but what was emitted of a window: updates depend on how far the sources are apart."""
    found = {name: decode_plain(row[1:]) for name, row in rows.items()}
    for name, plain in found.items():
        if REGIONS.layout.is_state(name.encode()):
            region, start, _, _, *entries = plain
            found[name] = [region, start, *entries]
    return found


#: gridwatch's own worker.
GRIDWATCH = Subject(
    "gridwatch.app",
    (
        Observed(READINGS, _plain, _is_complete, _states),
        Observed(REGIONS, _plain_regions, states=_states_of_regions),
    ),
)


def subject_of(place: str) -> Subject:
    """The subject named `module:attribute`; UsageProblem if there is none."""
    module, _, attribute = place.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as problem:
        raise UsageProblem(
            f"--subject {place}: {problem}", "name a module and its attribute: module:ATTRIBUTE"
        ) from problem
    if not isinstance(found, Subject):
        raise UsageProblem(f"--subject {place}: a {type(found).__name__} is no Subject")
    return found
