"""Waits until worker and sink have caught up, by committed offsets.

First the worker with the raw topic, then the sink with the outputs up to then. The worker commits a source
offset only after its outputs were acknowledged, so the end offsets of the output topics at that moment cover
everything. (System metrics are emitted continuously; later ones are not waited for.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from gridwatch.deployment.polling import StalledError, until_complete
from gridwatch.deployment.service import Service
from gridwatch.errors import GridwatchError
from gridwatch.kafka.positions import Positions
from gridwatch.settings import Settings
from gridwatch.topics import REGIONAL_PARTIALS, flow
from sinks import tables

#: Without progress for this long, worker or sink counts as stalled.
STALLED_SECONDS = 60.0
_PAUSE_SECONDS = 0.2

Ends: TypeAlias = Mapping[tuple[str, int], int]
"""End offsets by topic and partition."""
Report = Callable[[int, int], None]
"""Called with (done, wanted) in records."""


def no_report(done: int, wanted: int) -> None:
    """Report nothing."""


def wait_for_worker(settings: Settings, service: Service, report: Report = no_report) -> None:
    """Return when the worker's group has committed the end of the raw topic, then that of the partials which
    came of it; `service` is a member. Only the first is reported."""
    positions = Positions(settings)
    _wait(positions, settings.app_id, positions.ends([flow(settings.flow).raw.name]), service, report)
    if settings.adds_up_regions:
        ends = positions.ends([REGIONAL_PARTIALS.name])
        _wait(positions, settings.app_id, ends, service, no_report)


def wait_for_sink(settings: Settings, service: Service, report: Report = no_report) -> None:
    """Return when the sink's group has committed the current end of the output topics; likewise."""
    positions = Positions(settings)
    _wait(positions, settings.sink_group, output_ends(settings, positions), service, report)


def output_ends(settings: Settings, positions: Positions) -> Ends:
    """The end offsets of the topics that the sink reads, those of every flow, now."""
    return positions.ends(tables.topics(settings.flows))


def committed(positions: Positions, group: str, ends: Ends) -> int:
    """How many records up to these end offsets a group has committed."""
    found = positions.of_group(group, sorted({topic for topic, _ in ends}))
    return sum(min(one.committed or 0, ends[one.topic, one.partition]) for one in found)


def _wait(positions: Positions, group: str, ends: Ends, service: Service, report: Report) -> None:
    wanted = sum(ends.values())
    done = 0

    def poll() -> tuple[bool, int]:
        nonlocal done
        service.require_running()
        done = committed(positions, group, ends)
        report(done, wanted)
        return done >= wanted, done

    try:
        until_complete(service.name, poll, STALLED_SECONDS, pause=_PAUSE_SECONDS)
    except StalledError as problem:
        raise GridwatchError(
            f"{problem} at {done:,} of {wanted:,} records; from its log:\n{service.excerpt()}"
        ) from problem
